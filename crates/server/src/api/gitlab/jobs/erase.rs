//! `POST /projects/:id/jobs/:job_id/erase`: removes log and artifacts.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::json;
use tappet_store::{Attempt, Run};

use super::{Opened, Steered, open_to_steer};
use crate::api::gitlab::access::Access;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::app::{App, SharedApp};
use crate::audit::Entry;
use crate::rights::Right;

/// Answers 201; for maintainers, and for developers who started the job where its ref is
/// not protected.
pub async fn erase(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let steered = erased(&app, &call, "Job").await?;
    steered.reply(&app, StatusCode::CREATED).await
}

/// Erases the attempt of a call, which a refusal calls `thing`.
pub async fn erased(app: &SharedApp, call: &Call, thing: &str) -> ApiResult<Steered> {
    let (Opened { access, attempt }, run) = open_to_steer(app, call, Ok(())).await?;
    if !may_erase(app, &access, &run).await? {
        return Err(ApiError::forbidden());
    }
    if !is_erasable(app, &attempt).await? {
        return Err(ApiError::forbidden_because(format!(
            "{thing} is not erasable!"
        )));
    }
    app.erase_attempt(attempt.id).await?;
    app.audit(
        Entry::new("job_erased", access.standing.user_id)
            .credential(access.caller.credential())
            .project(access.project.id)
            .details(json!({ "job_id": attempt.id, "name": attempt.name })),
    )
    .await;
    Ok(Steered {
        project: access.project,
        id: attempt.id,
    })
}

async fn may_erase(app: &App, access: &Access, run: &Run) -> ApiResult<bool> {
    if access.may(Right::EraseJobs) {
        return Ok(true);
    }
    let is_own = run.user_id.is_some() && run.user_id == access.standing.user_id;
    let is_protected = app
        .is_protected(&access.project, run.ref_kind, &run.ref_name)
        .await?;
    Ok(is_own && !is_protected)
}

/// An ended job of which something is left.
async fn is_erasable(app: &App, attempt: &Attempt) -> ApiResult<bool> {
    if !attempt.status.is_completed() {
        return Ok(false);
    }
    let log = app.logs.open(attempt.id).await;
    let log = log.map_err(|error| ApiError::broken("looking for a log", error))?;
    Ok(log.is_some() || !attempt.artifacts.is_empty())
}
