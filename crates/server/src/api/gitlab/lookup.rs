//! What an id means, and why the thing it names stands where it stands. Both are
//! our own: GitLab's API finds nothing without knowing the project first.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use tappet_store::{Attempt, Project, Run, Runner};
use utoipa::ToSchema;

use super::BASE;
use super::auth::{self, JobTokens};
use super::call::Call;
use super::errors::{ApiError, ApiResult};
use crate::any_id::AnyId;
use crate::api::operation::{self, Audience, text};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::explain::{self, Surroundings};
use crate::rights::Right;

/// Look-ups by id alone.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/-/lookup/{id}")
                .id("lookup")
                .about("Says to which project and pipeline a run (r7), job (j12) or attempt (a15) belongs.")
                .audience(Audience::Visitor)
                .replies::<Found>(StatusCode::OK),
            lookup,
        )
        .add(
            operation::get("/-/explain/{id}")
                .id("explain")
                .about("Says why a run (r7), or a job (j12) or attempt (a15) of it, waits, failed or was left out.")
                .audience(Audience::Visitor)
                .query(text("job").about("Only the job of the run with this name."))
                .replies::<Explanation>(StatusCode::OK),
            explain,
        )
}

/// Where something belongs.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Found {
    project_id: i64,
    path_with_namespace: String,
    pipeline_id: i64,
    /// The attempt, unless the id is a run's.
    job_id: Option<i64>,
}

/// Why a run and its jobs stand where they stand.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Explanation {
    project_id: i64,
    pipeline_id: i64,
    status: &'static str,
    /// A word that stays the same, for programs.
    reason_code: &'static str,
    /// A sentence for people.
    reason: String,
    yaml_errors: Option<String>,
    jobs: Vec<ExplainedJob>,
    left_out: Vec<LeftOut>,
    warnings: Vec<String>,
}

/// Why one job stands where it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ExplainedJob {
    id: i64,
    name: String,
    stage: String,
    status: &'static str,
    reason_code: &'static str,
    reason: String,
}

/// A job that rules left out.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct LeftOut {
    name: String,
    /// The rule that decided it.
    reason: String,
}

/// What an id names, for a caller who may see it.
struct Opened {
    project: Project,
    run: Run,
    attempt: Option<Attempt>,
}

/// 404 for what is not there and for what the caller must not know of.
async fn open(app: &SharedApp, call: &Call) -> ApiResult<Opened> {
    let caller = auth::authenticate(app, call, JobTokens::Ignored).await?;
    let id: AnyId = call
        .path("id")
        .parse()
        .map_err(|()| ApiError::param("id is invalid"))?;
    let (run, attempt) = match id {
        AnyId::Run(id) => (id, None),
        AnyId::Attempt(id) | AnyId::Job(id) => {
            let attempt = app.store.attempt(id).await?;
            let attempt = attempt.ok_or_else(ApiError::record_not_found)?;
            (attempt.run_id, Some(attempt))
        }
    };
    let run = app.store.run(run).await?;
    let run = run.ok_or_else(ApiError::record_not_found)?;
    let project = app.store.project(run.project_id).await?;
    let project = project.ok_or_else(ApiError::record_not_found)?;
    let standing = app.standing(caller.user.as_ref(), &project).await?;
    if !standing.may(Right::ReadProject, &project) {
        return Err(ApiError::record_not_found());
    }
    if !standing.may(Right::ReadPipelines, &project) {
        return Err(ApiError::forbidden());
    }
    let attempt = match (id, attempt) {
        (AnyId::Job(_), Some(attempt)) => Some(newest(app, attempt).await?),
        (_, attempt) => attempt,
    };
    Ok(Opened {
        project,
        run,
        attempt,
    })
}

async fn newest(app: &App, attempt: Attempt) -> ApiResult<Attempt> {
    let attempts = app.store.run_attempts(attempt.run_id).await?;
    let newest = attempts
        .into_iter()
        .find(|other| other.job_id == attempt.job_id);
    Ok(newest.unwrap_or(attempt))
}

/// `GET /-/lookup/:id`.
pub async fn lookup(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let opened = open(&app, &call).await?;
    let found = Found {
        project_id: opened.project.id.0,
        path_with_namespace: opened.project.path,
        pipeline_id: opened.run.id.0,
        job_id: opened.attempt.map(|attempt| attempt.id.0),
    };
    Ok(axum::Json(found).into_response())
}

/// `GET /-/explain/:id`.
pub async fn explain(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let Opened {
        project,
        run,
        attempt,
    } = open(&app, &call).await?;
    let mut checks = call.checks();
    let name = checks.filled_text("job").map(std::borrow::Cow::into_owned);
    checks.finish()?;
    let jobs = app.store.run_attempts(run.id).await?;
    let notes = app.store.run_notes(run.id).await?.unwrap_or_default();
    let runners = runners(&app).await?;
    let around = Surroundings {
        jobs: &jobs,
        runners: &runners,
        is_draining: app.dispatch.is_draining(),
        running: app.held.len(),
        pending: app.dispatch.pending(),
    };
    let is_wanted = |other: &str| name.as_deref().is_none_or(|name| name == other);
    let is_whole = attempt.is_none() && name.is_none();
    let explained: Vec<ExplainedJob> = match &attempt {
        Some(attempt) => vec![explained(attempt, &around)],
        None => jobs
            .iter()
            .filter(|job| is_wanted(&job.name))
            .map(|job| explained(job, &around))
            .collect(),
    };
    let left_out: Vec<LeftOut> = notes
        .left_out
        .into_iter()
        .filter(|job| attempt.is_none() && is_wanted(&job.name))
        .map(|job| LeftOut {
            name: job.name,
            reason: job.reason,
        })
        .collect();
    if !is_whole && explained.is_empty() && left_out.is_empty() {
        return Err(ApiError::missing("Job"));
    }
    let reason = explain::run(&run, &jobs);
    let explanation = Explanation {
        project_id: project.id.0,
        pipeline_id: run.id.0,
        status: run.status.as_str(),
        reason_code: reason.code,
        reason: reason.text,
        yaml_errors: run.yaml_errors,
        jobs: explained,
        left_out,
        warnings: if is_whole { notes.warnings } else { Vec::new() },
    };
    Ok(axum::Json(explanation).into_response())
}

fn explained(attempt: &Attempt, around: &Surroundings<'_>) -> ExplainedJob {
    let reason = explain::job(attempt, around);
    ExplainedJob {
        id: attempt.id.0,
        name: attempt.name.clone(),
        stage: attempt.stage.clone(),
        status: attempt.status.as_str(),
        reason_code: reason.code,
        reason: reason.text,
    }
}

/// Runners that can get jobs: the embedded one only when it has slots.
async fn runners(app: &App) -> ApiResult<Vec<Runner>> {
    let mut runners = app.store.runners().await?;
    runners.retain(|runner| !runner.is_embedded || app.config.slots > 0);
    Ok(runners)
}
