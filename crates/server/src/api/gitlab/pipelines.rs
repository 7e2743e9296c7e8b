//! Runs, which GitLab calls pipelines (GitLab: `lib/api/ci/pipelines.rb`).

pub mod bridges;
pub mod create;
pub mod delete;
pub mod events;
pub mod filter;
pub mod jobs;
mod latest;
pub mod list;
pub mod metadata;
mod routes;
pub mod steer;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use tappet_model::RunId;
use tappet_store::Run;

use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::entities::pipeline::{NamedPipeline, Pipeline};
use super::entities::variable::Variable;
use super::errors::{ApiError, ApiResult};
use crate::app::{App, SharedApp};
use crate::rights::Right;

pub use latest::latest;
pub use routes::{STATUS_WORDS, routes};

/// Finds project and run of a call, for a caller who has the right there; or
/// says 401, 403 or 404.
pub async fn open(
    app: &SharedApp,
    call: &Call,
    login: Login,
    right: Right,
) -> ApiResult<(Access, Run)> {
    let access = access::open_checked(app, call, login, JobTokens::Ignored, Ok(())).await?;
    find(app, call, access, right).await
}

/// The same for reading, open to jobs too. What is wrong with the parameters is
/// told before anything about the project.
async fn open_to_read(
    app: &SharedApp,
    call: &Call,
    right: Right,
    checked: ApiResult<()>,
) -> ApiResult<(Access, Run)> {
    let (login, jobs) = (Login::Optional, JobTokens::Accepted);
    let access = access::open_checked(app, call, login, jobs, checked).await?;
    find(app, call, access, right).await
}

async fn find(app: &App, call: &Call, access: Access, right: Right) -> ApiResult<(Access, Run)> {
    let id = RunId(call.number("pipeline_id")?);
    access.require(right)?;
    let run = app
        .store
        .run(id)
        .await?
        .filter(|run| run.project_id == access.project.id)
        .ok_or_else(ApiError::record_not_found)?;
    Ok((access, run))
}

/// `GET /projects/:id/pipelines/:pipeline_id`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, run) = open_to_read(&app, &call, Right::ReadPipelines, Ok(())).await?;
    named(&app, &access, &run).await
}

async fn named(app: &App, access: &Access, run: &Run) -> ApiResult<Response> {
    let user = app.user_of(run).await?;
    let coverage = app.store.run_coverage(run.id).await?;
    let shown = Pipeline::of(&app.config, &access.project, run, user.as_ref()).covered(coverage);
    Ok(axum::Json(NamedPipeline::of(shown, run)).into_response())
}

/// `GET /projects/:id/pipelines/:pipeline_id/variables`: an array, not a page.
pub async fn variables(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, run) = open(&app, &call, Login::Required, Right::ReadPipelines).await?;
    access.require_read_variables(&run)?;
    let variables = match app.store.run_variables(run.id).await? {
        Some(sealed) => crate::intake::unseal(&app.secrets, &sealed)
            .map_err(|error| ApiError::broken("decrypting the variables of a run", error))?,
        None => Vec::new(),
    };
    let shown: Vec<_> = variables.iter().map(Variable::of).collect();
    Ok(axum::Json(shown).into_response())
}
