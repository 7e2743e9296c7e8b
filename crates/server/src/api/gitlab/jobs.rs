//! Attempts, which GitLab calls jobs (GitLab: `lib/api/ci/jobs.rb`).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_engine::JobEvent;
use tappet_git::Commit;
use tappet_model::{AttemptId, RunnerId};
use tappet_store::{
    Action, Attempt, Project, Run, Runner as RunnerRecord, StoreError, Target, User,
};

use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::entities::job::{Job, Surroundings};
use super::errors::{ApiError, ApiResult};
use crate::app::{App, SharedApp};
use crate::clock;
use crate::rights::Right;

/// An attempt of the project of the call.
pub struct Opened {
    /// The caller in front of the project.
    pub access: Access,
    /// The attempt of `:job_id`.
    pub attempt: Attempt,
}

/// Finds project and attempt of a call, or says 401 or 404.
pub async fn open(
    app: &SharedApp,
    call: &Call,
    login: Login,
    jobs: JobTokens,
) -> ApiResult<Opened> {
    let access = access::open_project(app, call, login, jobs).await?;
    let id = AttemptId(call.number("job_id")?);
    let attempt = app
        .store
        .attempt(id)
        .await?
        .filter(|attempt| attempt.project_id == access.project.id)
        .ok_or_else(ApiError::record_not_found)?;
    Ok(Opened { access, attempt })
}

async fn open_to_change(app: &SharedApp, call: &Call) -> ApiResult<Opened> {
    let opened = open(app, call, Login::Required, JobTokens::Ignored).await?;
    opened.access.require(Right::SteerPipelines)?;
    Ok(opened)
}

/// What jobs of one run share, read once for all of them.
pub struct RunContext {
    run: Run,
    user: Option<User>,
    commit: Option<std::sync::Arc<Commit>>,
    runners: HashMap<RunnerId, RunnerRecord>,
}

impl RunContext {
    /// Reads it for these attempts. A repository that cannot be read now costs
    /// only the details of the commit.
    pub async fn read(
        app: &App,
        project: &Project,
        run: Run,
        attempts: &[Attempt],
    ) -> ApiResult<Self> {
        let user = app.user_of(&run).await?;
        let commit = match app.repositories.of(project).await {
            Ok(repository) => repository.commit(&run.sha).await.ok(),
            Err(_) => None,
        };
        let mut runners = HashMap::new();
        for id in attempts.iter().filter_map(|attempt| attempt.runner_id) {
            if let Entry::Vacant(entry) = runners.entry(id)
                && let Some(runner) = app.store.runner(id).await?
            {
                entry.insert(runner);
            }
        }
        Ok(Self {
            run,
            user,
            commit,
            runners,
        })
    }

    /// Shows one of the attempts.
    pub fn job<'a>(&'a self, app: &'a App, project: &'a Project, attempt: &'a Attempt) -> Job<'a> {
        let around = Surroundings {
            config: &app.config,
            project,
            run: &self.run,
            user: self.user.as_ref(),
            commit: self.commit.as_deref(),
            now: clock::now(),
        };
        let runner = attempt.runner_id.and_then(|id| self.runners.get(&id));
        Job::of(around, attempt, runner)
    }
}

/// `GET /projects/:id/jobs/:job_id`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let opened = open(&app, &call, Login::Required, JobTokens::Ignored).await?;
    reply(
        &app,
        StatusCode::OK,
        &opened.access.project,
        &opened.attempt,
    )
    .await
}

/// `POST /projects/:id/jobs/:job_id/cancel`: 201 even for what has ended.
pub async fn cancel(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let Opened { access, attempt } = open_to_change(&app, &call).await?;
    let mut checks = call.checks();
    let force = checks.boolean("force").unwrap_or(false);
    checks.finish()?;
    let event = if force {
        access.require(Right::ManageVariables)?;
        JobEvent::ForceCancel
    } else {
        JobEvent::Cancel
    };
    match app
        .act(Target::Attempt(attempt.id), Action::Job(event))
        .await
    {
        Ok(_) | Err(StoreError::Refused(_)) => {}
        Err(error) => return Err(error.into()),
    }
    reply_again(&app, StatusCode::CREATED, &access.project, attempt.id).await
}

/// `POST /projects/:id/jobs/:job_id/retry`: 201 with the new attempt.
pub async fn retry(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let Opened { access, attempt } = open_to_change(&app, &call).await?;
    refuse_values(&call, &["inputs"])?;
    let refused = || ApiError::forbidden_because("Job is not retryable");
    if attempt.is_retried {
        return Err(refused());
    }
    let advance = match app
        .act(Target::Attempt(attempt.id), Action::Job(JobEvent::Retry))
        .await
    {
        Err(StoreError::Refused(_)) => return Err(refused()),
        other => other?,
    };
    let new = advance
        .changed
        .iter()
        .find(|changed| changed.is_new && changed.name == attempt.name)
        .ok_or_else(refused)?;
    reply_again(&app, StatusCode::CREATED, &access.project, new.id).await
}

/// `POST /projects/:id/jobs/:job_id/play`: 200.
pub async fn play(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let Opened { access, attempt } = open_to_change(&app, &call).await?;
    refuse_values(&call, &["job_variables_attributes", "job_inputs"])?;
    match app
        .act(Target::Attempt(attempt.id), Action::Job(JobEvent::Play))
        .await
    {
        Err(StoreError::Refused(_)) => return Err(ApiError::bad_request("Unplayable Job")),
        other => other?,
    };
    reply_again(&app, StatusCode::OK, &access.project, attempt.id).await
}

/// Values that would change what the job does are not dropped silently.
fn refuse_values(call: &Call, names: &[&str]) -> ApiResult<()> {
    for name in names {
        let given = match call.params.get(*name) {
            None | Some(serde_json::Value::Null) => false,
            Some(serde_json::Value::Array(items)) => !items.is_empty(),
            Some(serde_json::Value::Object(object)) => !object.is_empty(),
            Some(_) => true,
        };
        if given {
            return Err(ApiError::bad_request(format!(
                "{name} is not supported yet; leave it out"
            )));
        }
    }
    Ok(())
}

async fn reply_again(
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
    let run = app.store.run(attempt.run_id).await?;
    let run = run.ok_or_else(ApiError::record_not_found)?;
    let context = RunContext::read(app, project, run, std::slice::from_ref(attempt)).await?;
    Ok((status, axum::Json(context.job(app, project, attempt))).into_response())
}
