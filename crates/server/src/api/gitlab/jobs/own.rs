//! `GET /job`: the job that a job token belongs to.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::reply;
use crate::api::gitlab::auth::{self, JobTokens};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::app::SharedApp;

/// 404 for any other credential, 401 without one or after the job's end.
pub async fn own(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let caller = auth::authenticate(&app, &call, JobTokens::Accepted).await?;
    caller.require_user()?;
    let attempt = caller.job.ok_or_else(|| ApiError::missing("Job"))?;
    let project = app.store.project(attempt.project_id).await?;
    let project = project.ok_or_else(ApiError::record_not_found)?;
    reply(&app, StatusCode::OK, &project, &attempt).await
}
