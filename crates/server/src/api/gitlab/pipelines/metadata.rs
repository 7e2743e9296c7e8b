//! `PUT /projects/:id/pipelines/:pipeline_id/metadata`: the name of a run.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::named;
use crate::api::gitlab::access::{self, Login};
use crate::api::gitlab::auth::JobTokens;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::app::SharedApp;
use crate::rights::Right;

/// Characters of a name at most, as in GitLab.
const MAX_NAME: usize = 255;

/// The run with its new name.
pub async fn update(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let name = checks.required_text("name").into_owned();
    let checked = checks.finish();
    let (login, jobs) = (Login::Required, JobTokens::Accepted);
    let access = access::open_checked(&app, &call, login, jobs, checked).await?;
    let id = tappet_model::RunId(call.number("pipeline_id")?);
    access.require(Right::SteerPipelines)?;
    let known = app.store.run(id).await?;
    if known.is_none_or(|run| run.project_id != access.project.id) {
        return Err(ApiError::record_not_found());
    }
    if name.chars().count() > MAX_NAME {
        return Err(ApiError::message(
            StatusCode::BAD_REQUEST,
            "Failed to update pipeline - Name is too long (maximum is 255 characters)",
        ));
    }
    let run = app.store.rename_run(id, Some(name)).await?;
    named(&app, &access, &run).await
}
