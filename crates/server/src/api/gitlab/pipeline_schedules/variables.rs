//! Variables that a schedule gives its runs.

use std::str::FromStr;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tappet_model::{Variable as PlainVariable, VariableKind};
use tappet_store::{Schedule, StoreError};

use super::{find, open, policy};
use crate::api::gitlab::access::Access;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::variable::Variable;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::field_errors::FieldErrors;
use crate::api::gitlab::variable_key;
use crate::app::{App, SharedApp};
use crate::audit::Entry;
use crate::rights::Right;
use crate::schedules;

/// `POST …/variables`.
pub async fn create(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let key = checks.required_text("key");
    let value = checks.required_text("value").into_owned();
    let kind = checks.one_of::<Kind>("variable_type");
    let access = open(&app, &call, checks.finish()).await?;
    let schedule = changeable(&app, &call, &access).await?;
    let key = key.trim();
    let mut errors = FieldErrors::default();
    variable_key::check(key, &mut errors);
    errors.finish()?;
    let variable = PlainVariable {
        kind: kind.map(|kind| kind.0).unwrap_or_default(),
        ..PlainVariable::new(key, value)
    };
    let sealed = schedules::seal(&app.secrets, &variable);
    match app.store.add_schedule_variable(schedule.id, sealed).await {
        Err(StoreError::Taken { .. }) => {
            return Err(ApiError::invalid("key", "has already been taken"));
        }
        result => result?,
    }
    note(&app, &access, &schedule, key, "schedule_variable_created").await;
    Ok((StatusCode::CREATED, axum::Json(Variable::of(&variable))).into_response())
}

/// `GET …/variables/:key`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let schedule = find(&app, &call, &access).await?;
    policy::require_administer(&access, &schedule)?;
    let variable = one(&app, &call, &schedule).await?;
    Ok(axum::Json(Variable::of(&variable)).into_response())
}

/// `PUT …/variables/:key`.
pub async fn update(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let value = checks.text("value").map(std::borrow::Cow::into_owned);
    let kind = checks.one_of::<Kind>("variable_type");
    let access = open(&app, &call, checks.finish()).await?;
    let schedule = changeable(&app, &call, &access).await?;
    let old = one(&app, &call, &schedule).await?;
    let variable = PlainVariable {
        value: value.unwrap_or(old.value),
        kind: kind.map_or(old.kind, |kind| kind.0),
        ..PlainVariable::new(old.key, "")
    };
    let sealed = schedules::seal(&app.secrets, &variable);
    if !app
        .store
        .change_schedule_variable(schedule.id, sealed)
        .await?
    {
        return Err(missing());
    }
    note(
        &app,
        &access,
        &schedule,
        &variable.key,
        "schedule_variable_updated",
    )
    .await;
    Ok(axum::Json(Variable::of(&variable)).into_response())
}

/// `DELETE …/variables/:key`: 202 with what is gone.
pub async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    access.require(Right::SetPipelineVariables)?;
    let schedule = find(&app, &call, &access).await?;
    policy::require_administer(&access, &schedule)?;
    let variable = one(&app, &call, &schedule).await?;
    let key = variable.key.clone();
    if !app.store.delete_schedule_variable(schedule.id, key).await? {
        return Err(missing());
    }
    note(
        &app,
        &access,
        &schedule,
        &variable.key,
        "schedule_variable_removed",
    )
    .await;
    Ok((StatusCode::ACCEPTED, axum::Json(Variable::of(&variable))).into_response())
}

/// The schedule, for who may give it variables.
async fn changeable(app: &App, call: &Call, access: &Access) -> ApiResult<Schedule> {
    access.require(Right::SetPipelineVariables)?;
    let schedule = find(app, call, access).await?;
    policy::require_update(app, access, &schedule).await?;
    Ok(schedule)
}

async fn one(app: &App, call: &Call, schedule: &Schedule) -> ApiResult<PlainVariable> {
    let key = call.path("key");
    let all = app.store.schedule_variables(schedule.id).await?;
    let found = all.into_iter().find(|variable| variable.key == key);
    schedules::reveal(&app.secrets, found.ok_or_else(missing)?)
        .map_err(|error| ApiError::broken("decrypting a variable of a schedule", error))
}

fn missing() -> ApiError {
    ApiError::missing("Pipeline Schedule Variable")
}

async fn note(app: &App, access: &Access, schedule: &Schedule, key: &str, action: &str) {
    let entry = Entry::new(action, access.standing.user_id)
        .project(access.project.id)
        .details(json!({ "schedule_id": schedule.id.0, "key": key }));
    app.audit(entry).await;
}

struct Kind(VariableKind);

impl FromStr for Kind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "env_var" => Ok(Kind(VariableKind::EnvVar)),
            "file" => Ok(Kind(VariableKind::File)),
            _ => Err(()),
        }
    }
}
