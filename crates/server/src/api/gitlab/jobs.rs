//! Attempts, which GitLab calls jobs (GitLab: `lib/api/ci/jobs.rb`).

pub mod context;
mod erase;
mod list;
mod own;
mod play;
mod routes;
mod steer;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_model::AttemptId;
use tappet_store::{Attempt, Project, Run};

use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::errors::{ApiError, ApiResult};
use crate::app::{App, SharedApp};
use crate::rights::Right;
use context::JobContext;

pub use erase::erased;
pub use play::played;
pub use routes::routes;
pub use steer::{canceled, retried};

/// An attempt of the project of the call.
pub struct Opened {
    /// The caller in front of the project.
    pub access: Access,
    /// The attempt of `:job_id`.
    pub attempt: Attempt,
}

/// An attempt after something was done with it.
pub struct Steered {
    /// Its project.
    pub project: Project,
    /// Which one to show now.
    pub id: AttemptId,
}

impl Steered {
    async fn reply(&self, app: &App, status: StatusCode) -> ApiResult<Response> {
        reply_again(app, status, &self.project, self.id).await
    }
}

/// Finds project and attempt of a call, for a caller who has the right there; or
/// says 401, 403 or 404.
pub async fn open(app: &SharedApp, call: &Call, login: Login, right: Right) -> ApiResult<Opened> {
    open_checked(app, call, login, right, Ok(())).await
}

/// The same for a call whose parameters were checked.
pub async fn open_checked(
    app: &SharedApp,
    call: &Call,
    login: Login,
    right: Right,
    checked: ApiResult<()>,
) -> ApiResult<Opened> {
    let jobs = match login {
        Login::Optional => JobTokens::Accepted,
        Login::Required => JobTokens::Ignored,
    };
    let access = access::open_checked(app, call, login, jobs, checked).await?;
    find(app, call, access, right).await
}

async fn find(app: &App, call: &Call, access: Access, right: Right) -> ApiResult<Opened> {
    let id = AttemptId(call.number("job_id")?);
    access.require(right)?;
    let attempt = app
        .store
        .attempt(id)
        .await?
        .filter(|attempt| attempt.project_id == access.project.id)
        .ok_or_else(ApiError::record_not_found)?;
    Ok(Opened { access, attempt })
}

/// The same for a caller who wants to steer it: also where its ref is protected.
/// What is wrong with the parameters is told before anything about the job.
async fn open_to_steer(
    app: &SharedApp,
    call: &Call,
    checked: ApiResult<()>,
) -> ApiResult<(Opened, Run)> {
    let (login, jobs) = (Login::Required, JobTokens::Ignored);
    let access = access::open_checked(app, call, login, jobs, checked).await?;
    let opened = find(app, call, access, Right::SteerPipelines).await?;
    let run = app.store.run(opened.attempt.run_id).await?;
    let run = run.ok_or_else(ApiError::record_not_found)?;
    opened.access.require_use_of(app, &run).await?;
    Ok((opened, run))
}

/// `GET /projects/:id/jobs/:job_id`.
async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let Opened { access, attempt } = open(&app, &call, Login::Required, Right::ReadJobs).await?;
    reply(&app, StatusCode::OK, &access.project, &attempt).await
}

/// The attempt as it is now.
pub async fn reply_again(
    app: &App,
    status: StatusCode,
    project: &Project,
    id: AttemptId,
) -> ApiResult<Response> {
    let attempt = app.store.attempt(id).await?;
    let attempt = attempt.ok_or_else(ApiError::record_not_found)?;
    reply(app, status, project, &attempt).await
}

async fn reply(
    app: &App,
    status: StatusCode,
    project: &Project,
    attempt: &Attempt,
) -> ApiResult<Response> {
    let context = JobContext::read(app, project, std::slice::from_ref(attempt)).await?;
    let shown = context
        .job(attempt)
        .ok_or_else(ApiError::record_not_found)?;
    Ok((status, axum::Json(shown)).into_response())
}

/// Values that would change what a job does are not dropped silently.
fn refuse_values(call: &Call, name: &str) -> ApiResult<()> {
    let given = match call.params.get(name) {
        None | Some(serde_json::Value::Null) => false,
        Some(serde_json::Value::Array(items)) => !items.is_empty(),
        Some(serde_json::Value::Object(object)) => !object.is_empty(),
        Some(_) => true,
    };
    if given {
        let reason = format!("{name} is not supported; leave it out");
        return Err(ApiError::bad_request(reason));
    }
    Ok(())
}
