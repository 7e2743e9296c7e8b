//! Taking over, removing and starting a schedule.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use tappet_store::{Schedule, ScheduleChange};
use utoipa::ToSchema;

use super::{changed, find, open, policy};
use crate::api::gitlab::access::Access;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::app::{App, SharedApp};
use crate::audit::Entry;
use crate::intake::Refusal;
use crate::{clock, schedules};

/// GitLab starts the pipeline in the background and tells nothing of it.
#[derive(Serialize, ToSchema)]
pub struct Played {
    message: &'static str,
}

/// `POST …/take_ownership`.
pub async fn take_ownership(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let schedule = find(&app, &call, &access).await?;
    policy::require_administer(&access, &schedule)?;
    let caller = access.caller.require_user()?.id;
    if schedule.owner_id == Some(caller) {
        return changed(&app, &access, &schedule, StatusCode::OK).await;
    }
    let change = ScheduleChange {
        owner_id: Some(caller),
        ..ScheduleChange::default()
    };
    let schedule = app
        .store
        .change_schedule(schedule.id, change, clock::now())
        .await?
        .ok_or_else(|| ApiError::missing("Pipeline Schedule"))?;
    note(&app, &access, &schedule, "schedule_owner_changed").await;
    changed(&app, &access, &schedule, StatusCode::CREATED).await
}

/// `DELETE …/:pipeline_schedule_id`.
pub async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let schedule = find(&app, &call, &access).await?;
    policy::require_administer(&access, &schedule)?;
    call.require_unmodified(schedule.updated_at)?;
    if !app.store.delete_schedule(schedule.id).await? {
        return Err(ApiError::missing("Pipeline Schedule"));
    }
    note(&app, &access, &schedule, "schedule_removed").await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST …/play`. A run that cannot start is noted on the schedule; the reply is
/// the same, as in GitLab.
pub async fn play(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let schedule = find(&app, &call, &access).await?;
    policy::require_play(&app, &access, &schedule).await?;
    let user = access.caller.require_user()?.clone();
    match schedules::play(&app, schedule, access.project, user).await {
        Err(
            refused @ (Refusal::Unavailable { .. } | Refusal::QueueFull { .. } | Refusal::Store(_)),
        ) => {
            tracing::warn!(error = %refused, "cannot start a schedule now");
            Err(ApiError::message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Unable to schedule pipeline run immediately",
            ))
        }
        _ => {
            let played = Played {
                message: "201 Created",
            };
            Ok((StatusCode::CREATED, axum::Json(played)).into_response())
        }
    }
}

async fn note(app: &App, access: &Access, schedule: &Schedule, action: &str) {
    let entry = Entry::new(action, access.standing.user_id)
        .project(access.project.id)
        .details(json!({ "schedule_id": schedule.id.0 }));
    app.audit(entry).await;
}
