//! What people do with builds.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::{open, shown};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::jobs::{self, Steered};
use crate::api::gitlab::v3::BASE;
use crate::api::operation::{self, Shape};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::rights::Right;

/// Cancel, retry, play, erase and keep.
pub fn routes() -> Routes {
    let json = Shape::Bytes("application/json");
    Routes::under(BASE)
        .add(
            operation::post("/projects/{id}/builds/{job_id}/cancel")
                .id("v3CancelBuild")
                .about("Cancels a build.")
                .reply(StatusCode::CREATED, json),
            cancel,
        )
        .add(
            operation::post("/projects/{id}/builds/{job_id}/retry")
                .id("v3RetryBuild")
                .about("Repeats a build.")
                .reply(StatusCode::CREATED, json),
            retry,
        )
        .add(
            operation::post("/projects/{id}/builds/{job_id}/play")
                .id("v3PlayBuild")
                .about("Starts a manual build.")
                .reply(StatusCode::OK, json),
            play,
        )
        .add(
            operation::post("/projects/{id}/builds/{job_id}/erase")
                .id("v3EraseBuild")
                .about("Removes log and artifacts of a build.")
                .reply(StatusCode::CREATED, json),
            erase,
        )
        .add(
            operation::post("/projects/{id}/builds/{job_id}/artifacts/keep")
                .id("v3KeepBuildArtifacts")
                .about("Keeps the artifacts of a build for ever.")
                .reply(StatusCode::OK, json),
            keep,
        )
}

async fn cancel(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    open(&app, &call, Right::SteerPipelines).await?;
    let steered = jobs::canceled(&app, &call).await?;
    reply(&app, StatusCode::CREATED, steered).await
}

async fn retry(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    open(&app, &call, Right::SteerPipelines).await?;
    let steered = jobs::retried(&app, &call, "Build").await?;
    reply(&app, StatusCode::CREATED, steered).await
}

async fn play(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    open(&app, &call, Right::SteerPipelines).await?;
    let unplayable = || {
        // The helper of that time took every reason for the name of a parameter.
        let text = "400 (Bad request) \"Unplayable Job\" not given";
        ApiError::message(StatusCode::BAD_REQUEST, text)
    };
    let steered = jobs::played(&app, &call, unplayable).await?;
    reply(&app, StatusCode::OK, steered).await
}

async fn erase(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    open(&app, &call, Right::SteerPipelines).await?;
    let steered = jobs::erased(&app, &call, "Build").await?;
    reply(&app, StatusCode::CREATED, steered).await
}

async fn keep(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (project, attempt) = open(&app, &call, Right::SteerPipelines).await?;
    if !app.store.keep_artifacts(attempt.id).await? {
        return Err(ApiError::not_found());
    }
    let steered = Steered {
        project,
        id: attempt.id,
    };
    reply(&app, StatusCode::OK, steered).await
}

async fn reply(app: &App, status: StatusCode, steered: Steered) -> ApiResult<Response> {
    let attempt = app.store.attempt(steered.id).await?;
    let attempt = attempt.ok_or_else(ApiError::not_found)?;
    shown(app, status, &steered.project, &attempt).await
}
