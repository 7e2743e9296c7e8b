//! Runs, which GitLab calls pipelines (GitLab: `lib/api/ci/pipelines.rb`).

pub mod create;
pub mod events;
mod filter;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_engine::RunEvent;
use tappet_model::{RefName, RunId, Status};
use tappet_store::{Action, AttemptFilter, PageRequest, Run, RunFilter, StoreError, Target};

use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::entities::pipeline::{NamedPipeline, Pipeline};
use super::entities::pipeline_basic::ListedPipeline;
use super::entities::variable::Variable;
use super::errors::{ApiError, ApiResult};
use super::jobs::RunContext;
use super::pagination::{self, Pages};
use crate::app::{App, SharedApp};
use crate::rights::Right;

async fn open(app: &SharedApp, call: &Call, login: Login) -> ApiResult<(Access, Run)> {
    let jobs = match login {
        Login::Optional => JobTokens::Accepted,
        Login::Required => JobTokens::Ignored,
    };
    let access = access::open_project(app, call, login, jobs).await?;
    let id = RunId(call.number("pipeline_id")?);
    let run = app
        .store
        .run(id)
        .await?
        .filter(|run| run.project_id == access.project.id)
        .ok_or_else(ApiError::record_not_found)?;
    Ok((access, run))
}

/// `GET /projects/:id/pipelines`.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = access::open_project(&app, &call, Login::Optional, JobTokens::Accepted).await?;
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let filter = filter::read(&mut checks);
    checks.finish()?;
    let listing = match filter {
        Some(filter) => app.store.runs(access.project.id, filter, page).await?,
        None => tappet_store::Listing {
            items: Vec::new(),
            total: Some(0),
            has_next: false,
        },
    };
    let shown: Vec<_> = listing
        .items
        .iter()
        .map(|run| ListedPipeline::of(&app.config, &access.project, run))
        .collect();
    let pages = Pages {
        shown: page,
        total: listing.total,
        has_next: listing.has_next,
    };
    Ok(pagination::reply(
        &app.config.url(call.uri.path()),
        &call,
        pages,
        &shown,
    ))
}

/// `GET /projects/:id/pipelines/:pipeline_id`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, run) = open(&app, &call, Login::Optional).await?;
    named(&app, &access, &run).await
}

/// `GET /projects/:id/pipelines/latest`: the newest one of the commit that the
/// ref points to now; 403 when there is none, as in GitLab.
pub async fn latest(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = access::open_project(&app, &call, Login::Optional, JobTokens::Accepted).await?;
    let mut checks = call.checks();
    let ref_name = checks.filled_text("ref").map(std::borrow::Cow::into_owned);
    checks.finish()?;
    let filter = head_of(&app, &access, ref_name).await?;
    let one = PageRequest {
        page: 1,
        per_page: 1,
    };
    let listing = app.store.runs(access.project.id, filter, one).await?;
    let run = listing.items.first().ok_or_else(ApiError::forbidden)?;
    named(&app, &access, run).await
}

async fn head_of(app: &App, access: &Access, ref_name: Option<String>) -> ApiResult<RunFilter> {
    let repository = app
        .repositories
        .of(&access.project)
        .await
        .map_err(|_| ApiError::forbidden())?;
    let ref_name = match ref_name {
        Some(ref_name) => Some(ref_name),
        None => {
            app.repositories
                .default_branch(&access.project, &repository)
                .await
        }
    };
    let name = ref_name.and_then(|ref_name| RefName::new(ref_name).ok());
    let name = name.ok_or_else(ApiError::forbidden)?;
    let head = repository
        .resolve(&name)
        .await
        .map_err(|_| ApiError::forbidden())?;
    Ok(RunFilter {
        ref_name: Some(head.name),
        sha: Some(head.sha.to_string()),
        ..RunFilter::default()
    })
}

async fn named(app: &App, access: &Access, run: &Run) -> ApiResult<Response> {
    let user = app.user_of(run).await?;
    let shown = NamedPipeline::of(&app.config, &access.project, run, user.as_ref());
    Ok(axum::Json(shown).into_response())
}

/// `GET /projects/:id/pipelines/:pipeline_id/jobs`, the newest first.
pub async fn jobs(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, run) = open(&app, &call, Login::Optional).await?;
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let filter = AttemptFilter {
        statuses: checks.some_of::<Status>("scope"),
        include_retried: checks.boolean("include_retried").unwrap_or(false),
    };
    checks.finish()?;
    let listing = app.store.attempts(run.id, filter, page).await?;
    let context = RunContext::read(&app, &access.project, run, &listing.items).await?;
    let shown: Vec<_> = listing
        .items
        .iter()
        .map(|attempt| context.job(&app, &access.project, attempt))
        .collect();
    let pages = Pages {
        shown: page,
        total: listing.total,
        has_next: listing.has_next,
    };
    Ok(pagination::reply(
        &app.config.url(call.uri.path()),
        &call,
        pages,
        &shown,
    ))
}

/// `GET /projects/:id/pipelines/:pipeline_id/variables`: an array, not a page.
pub async fn variables(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, run) = open(&app, &call, Login::Required).await?;
    access.require_read_variables(&run)?;
    let variables = match app.store.run_variables(run.id).await? {
        Some(sealed) => crate::intake::unseal(&app.secrets, &sealed)
            .map_err(|error| ApiError::broken("decrypting the variables of a run", error))?,
        None => Vec::new(),
    };
    let shown: Vec<_> = variables.iter().map(Variable::of).collect();
    Ok(axum::Json(shown).into_response())
}

/// `POST /projects/:id/pipelines/:pipeline_id/cancel`: 200 even for what has ended.
pub async fn cancel(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    act(&app, &call, RunEvent::Cancel, StatusCode::OK).await
}

/// `POST /projects/:id/pipelines/:pipeline_id/retry`: 201 even when nothing is
/// left to repeat.
pub async fn retry(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    act(&app, &call, RunEvent::Retry, StatusCode::CREATED).await
}

async fn act(
    app: &SharedApp,
    call: &Call,
    event: RunEvent,
    status: StatusCode,
) -> ApiResult<Response> {
    let (access, run) = open(app, call, Login::Required).await?;
    access.require(Right::SteerPipelines)?;
    let run = match app.act(Target::Run(run.id), Action::Run(event)).await {
        Ok(advance) => advance.run,
        Err(StoreError::Refused(_)) => run,
        Err(error) => return Err(error.into()),
    };
    let user = app.user_of(&run).await?;
    let shown = Pipeline::of(&app.config, &access.project, &run, user.as_ref());
    Ok((status, axum::Json(shown)).into_response())
}
