//! Keeping and deleting artifacts.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

use crate::api::gitlab::access::{self, Access, Login};
use crate::api::gitlab::auth::JobTokens;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::jobs::{self, Opened};
use crate::app::{App, SharedApp};
use crate::audit::Entry;
use crate::clock;
use crate::rights::Right;

/// `POST /projects/:id/jobs/:job_id/artifacts/keep`: 200 with the job. The route
/// takes any path, because a file may have this name too.
pub async fn keep(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    if call.path("path") != "keep" {
        return Err(ApiError::wrong_verb());
    }
    let Opened { access, attempt } =
        jobs::open(&app, &call, Login::Required, Right::SteerPipelines).await?;
    if !app.store.keep_artifacts(attempt.id).await? {
        return Err(ApiError::not_found());
    }
    jobs::reply_again(&app, StatusCode::OK, &access.project, attempt.id).await
}

/// `DELETE /projects/:id/jobs/:job_id/artifacts`: 204.
pub async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<StatusCode> {
    let Opened { access, attempt } =
        jobs::open(&app, &call, Login::Required, Right::DeleteArtifacts).await?;
    app.delete_artifacts(attempt.id).await?;
    note(&app, &access, json!({ "job_id": attempt.id })).await;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /projects/:id/artifacts`: 202; they go in the background.
pub async fn delete_all(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = access::open_project(&app, &call, Login::Required, JobTokens::Ignored).await?;
    access.require(Right::DeleteArtifacts)?;
    app.store
        .expire_artifacts(access.project.id, clock::now())
        .await?;
    app.expiry.changed();
    note(&app, &access, json!({})).await;
    let body = axum::Json(json!({ "message": "202 Accepted" }));
    Ok((StatusCode::ACCEPTED, body).into_response())
}

async fn note(app: &App, access: &Access, details: serde_json::Value) {
    app.audit(
        Entry::new("artifacts_deleted", access.standing.user_id)
            .credential(access.caller.credential())
            .project(access.project.id)
            .details(details),
    )
    .await;
}
