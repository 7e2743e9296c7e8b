//! `POST /projects/:id/pipelines/:pipeline_id/cancel` and `…/retry`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_engine::RunEvent;
use tappet_store::{Action, StoreError, Target};

use super::open;
use crate::api::gitlab::access::Login;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::pipeline::Pipeline;
use crate::api::gitlab::errors::ApiResult;
use crate::app::SharedApp;
use crate::rights::Right;

/// 200 even for what has ended.
pub async fn cancel(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    act(&app, &call, RunEvent::Cancel, StatusCode::OK).await
}

/// 201 even when nothing is left to repeat.
pub async fn retry(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    act(&app, &call, RunEvent::Retry, StatusCode::CREATED).await
}

async fn act(
    app: &SharedApp,
    call: &Call,
    event: RunEvent,
    status: StatusCode,
) -> ApiResult<Response> {
    let (access, run) = open(app, call, Login::Required, Right::SteerPipelines).await?;
    access.require_use_of(app, &run).await?;
    let run = match app.act(Target::Run(run.id), Action::Run(event)).await {
        Ok(advance) => advance.run,
        Err(StoreError::Refused(_)) => run,
        Err(error) => return Err(error.into()),
    };
    let user = app.user_of(&run).await?;
    let coverage = app.store.run_coverage(run.id).await?;
    let shown = Pipeline::of(&app.config, &access.project, &run, user.as_ref()).covered(coverage);
    Ok((status, axum::Json(shown)).into_response())
}
