//! Changes of trigger tokens (GitLab: `update_service.rb`; taking over is that of
//! 9.0 to 12.0).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use tappet_store::{Trigger, TriggerChange};

use super::create::check_description;
use super::{audit, find, open, shown};
use crate::api::gitlab::access::Access;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::app::{App, SharedApp};
use crate::clock;

/// `PUT /projects/:id/triggers/:trigger_id`: for the owner, while a maintainer,
/// and for administrators.
pub async fn update(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let description = checks.text("description").map(std::borrow::Cow::into_owned);
    let access = open(&app, &call, checks.finish()).await?;
    let trigger = find(&app, &call, &access).await?;
    if !access.sees_token_of(trigger.owner_id) {
        return Err(ApiError::forbidden_because(
            "The current user is not authorized to update the pipeline trigger token",
        ));
    }
    let Some(description) = description else {
        return shown(&app, &access, StatusCode::OK, &trigger).await;
    };
    check_description(&description)?;
    let new = TriggerChange {
        description: Some(description),
        ..TriggerChange::default()
    };
    let trigger = change(&app, &access, &trigger, new).await?;
    audit(&app, &access, "trigger_updated", &trigger).await;
    shown(&app, &access, StatusCode::OK, &trigger).await
}

/// `POST /projects/:id/triggers/:trigger_id/take_ownership`: from now on its runs
/// have the caller's rights.
pub async fn take_ownership(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let trigger = find(&app, &call, &access).await?;
    let new = TriggerChange {
        owner_id: Some(access.caller.require_user()?.id),
        ..TriggerChange::default()
    };
    let trigger = change(&app, &access, &trigger, new).await?;
    audit(&app, &access, "trigger_taken", &trigger).await;
    shown(&app, &access, StatusCode::OK, &trigger).await
}

async fn change(
    app: &App,
    access: &Access,
    trigger: &Trigger,
    new: TriggerChange,
) -> ApiResult<Trigger> {
    app.store
        .change_trigger(access.project.id, trigger.id, new, clock::now())
        .await?
        .ok_or_else(ApiError::record_not_found)
}
