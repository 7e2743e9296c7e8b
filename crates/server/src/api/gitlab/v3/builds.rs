//! Builds, which are jobs today (GitLab: `lib/api/v3/builds.rb`). All of it is for
//! people who are signed in.

mod build;
mod list;
mod steer;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_model::AttemptId;
use tappet_store::{Attempt, Project};

use super::BASE;
use crate::api::gitlab::access::{self, Login};
use crate::api::gitlab::auth::JobTokens;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::jobs::context::JobContext;
use crate::api::gitlab::{artifacts, trace};
use crate::api::operation::{self, Operation, Shape, some_of, text};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::rights::Right;

/// Builds.
pub fn routes() -> Routes {
    let json = Shape::Bytes("application/json");
    let listed = |operation: Operation| {
        operation
            .query(some_of("scope", &list::SCOPES))
            .paged()
            .reply(StatusCode::OK, json)
    };
    let one = operation::get("/projects/{id}/builds/{job_id}");
    Routes::under(BASE)
        .add(
            listed(operation::get("/projects/{id}/builds"))
                .id("v3ListBuilds")
                .about("Lists the builds of a project, the newest first."),
            list::of_project,
        )
        .add(
            listed(operation::get(
                "/projects/{id}/repository/commits/{sha}/builds",
            ))
            .id("v3ListBuildsOfCommit")
            .about("Lists the builds of a commit, the newest first."),
            list::of_commit,
        )
        .add(
            one.id("v3GetBuild")
                .about("Shows a build.")
                .reply(StatusCode::OK, json),
            get,
        )
        .add(
            operation::get("/projects/{id}/builds/{job_id}/trace")
                .id("v3GetBuildTrace")
                .about("Gives the log of a build.")
                .reply(StatusCode::OK, Shape::Bytes("text/plain")),
            log,
        )
        .add(
            operation::get("/projects/{id}/builds/{job_id}/artifacts")
                .id("v3GetBuildArtifacts")
                .about("Gives the archive of a build.")
                .reply(StatusCode::OK, Shape::Bytes("application/zip")),
            archive,
        )
        .add(
            operation::get("/projects/{id}/builds/artifacts/{*rest}")
                .shown_as("/projects/{id}/builds/artifacts/{ref}/download")
                .id("v3GetArtifactsOfRef")
                .about("Gives the archive of a build of the newest successful run of a ref.")
                .query(text("job").required())
                .reply(StatusCode::OK, Shape::Bytes("application/zip")),
            archive_of_ref,
        )
        .and(steer::routes())
}

/// The build of a call, for somebody who is signed in and has the right.
async fn open(app: &SharedApp, call: &Call, right: Right) -> ApiResult<(Project, Attempt)> {
    let (login, jobs) = (Login::Required, JobTokens::Ignored);
    let access = access::open_checked(app, call, login, jobs, Ok(())).await?;
    access.require(right)?;
    let id = AttemptId(call.number("job_id")?);
    let attempt = app.store.attempt(id).await?;
    let attempt = attempt
        .filter(|attempt| attempt.project_id == access.project.id)
        .ok_or_else(ApiError::not_found)?;
    Ok((access.project, attempt))
}

async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (project, attempt) = open(&app, &call, Right::ReadJobs).await?;
    shown(&app, StatusCode::OK, &project, &attempt).await
}

async fn log(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    open(&app, &call, Right::ReadJobs).await?;
    trace::text(State(app), call).await
}

async fn archive(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    open(&app, &call, Right::ReadJobs).await?;
    artifacts::archive(State(app), call).await
}

async fn archive_of_ref(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    access::open_project(&app, &call, Login::Required, JobTokens::Ignored).await?;
    if !call.uri.path().ends_with("/download") {
        return Err(ApiError::unknown_route());
    }
    artifacts::of_ref(State(app), call).await
}

async fn shown(
    app: &App,
    status: StatusCode,
    project: &Project,
    attempt: &Attempt,
) -> ApiResult<Response> {
    let context = JobContext::read(app, project, std::slice::from_ref(attempt)).await?;
    let job = context.job(attempt).ok_or_else(ApiError::not_found)?;
    let build = build::of(&job)?;
    Ok((status, axum::Json(build)).into_response())
}
