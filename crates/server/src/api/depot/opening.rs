//! Things by their id, for callers who may see or steer them. What somebody must
//! not see looks as if it did not exist.

use tappet_model::{ArtifactId, AttemptId, RunId, WorkflowId};
use tappet_store::{Artifact, Attempt, Project, Run, Workflow};

use super::caller::Caller;
use super::errors::{RpcError, RpcResult};
use super::ids::Kind;
use crate::app::App;
use crate::rights::{Right, Standing, reads_log};

/// A run in front of a caller.
#[derive(Debug)]
pub struct Opened {
    /// Of which project.
    pub project: Project,
    /// Who calls.
    pub standing: Standing,
    /// The run.
    pub run: Run,
}

impl Opened {
    /// Refuses callers who may not do something with the run.
    pub fn require(&self, right: Right) -> RpcResult<()> {
        if self.standing.may(right, &self.project) {
            return Ok(());
        }
        Err(RpcError::denied(format!(
            "your role in `{}` does not allow this call",
            self.project.path
        )))
    }

    /// Refuses callers who may not steer the runs of this ref.
    pub async fn require_steering(&self, app: &App) -> RpcResult<()> {
        self.require(Right::SteerPipelines)?;
        let (run, standing) = (&self.run, Some(&self.standing));
        if app
            .may_run_on(standing, &self.project, run.ref_kind, &run.ref_name)
            .await?
        {
            return Ok(());
        }
        let name = &run.ref_name;
        Err(RpcError::denied(format!(
            "`{name}` is protected, and your role does not allow runs on it"
        )))
    }
}

/// Nothing there that the caller may see.
pub fn missing(kind: Kind, id: &str) -> RpcError {
    RpcError::not_found(format!("{} `{id}` not found", kind.word()))
}

/// The project at this path, if the caller sees it.
pub async fn project(app: &App, caller: &Caller, path: &str) -> RpcResult<(Project, Standing)> {
    let not_found = || {
        RpcError::not_found(format!(
            "repository `{path}` is not connected to this server; `tappet project create` connects it"
        ))
    };
    let project = app.store.project_by_any_path(path).await?;
    let project = project.ok_or_else(not_found)?;
    let standing = app.standing(Some(&caller.user), &project).await?;
    if standing.may(Right::ReadProject, &project) {
        Ok((project, standing))
    } else {
        Err(not_found())
    }
}

/// A run.
pub async fn run(app: &App, caller: &Caller, id: &str) -> RpcResult<Opened> {
    let number = Kind::Run.read(id).ok_or_else(|| missing(Kind::Run, id))?;
    of_run(app, caller, RunId(number), || missing(Kind::Run, id)).await
}

/// A workflow, and its run.
pub async fn workflow(app: &App, caller: &Caller, id: &str) -> RpcResult<(Opened, Workflow)> {
    let missing = || missing(Kind::Workflow, id);
    let number = Kind::Workflow.read(id).ok_or_else(missing)?;
    let workflow = app.store.workflow(WorkflowId(number)).await?;
    let workflow = workflow.ok_or_else(missing)?;
    let opened = of_run(app, caller, workflow.run_id, missing).await?;
    Ok((opened, workflow))
}

/// A job as its newest attempt, and its run.
pub async fn job(app: &App, caller: &Caller, id: &str) -> RpcResult<(Opened, Attempt)> {
    let missing = || missing(Kind::Job, id);
    let number = Kind::Job.read(id).ok_or_else(missing)?;
    let first = app.store.attempt(AttemptId(number)).await?;
    // Later attempts of a job do not name it.
    let first = first.filter(|first| first.job_id.0 == number);
    let first = first.ok_or_else(missing)?;
    let opened = of_run(app, caller, first.run_id, missing).await?;
    let newest = newest_of(app, first).await?;
    Ok((opened, newest))
}

async fn newest_of(app: &App, attempt: Attempt) -> RpcResult<Attempt> {
    if !attempt.is_retried {
        return Ok(attempt);
    }
    let attempts = app.store.run_attempts(attempt.run_id).await?;
    let newest = attempts
        .into_iter()
        .find(|other| other.job_id == attempt.job_id);
    Ok(newest.unwrap_or(attempt))
}

/// An attempt, and its run.
pub async fn attempt(app: &App, caller: &Caller, id: &str) -> RpcResult<(Opened, Attempt)> {
    let missing = || missing(Kind::Attempt, id);
    let number = Kind::Attempt.read(id).ok_or_else(missing)?;
    let attempt = app.store.attempt(AttemptId(number)).await?;
    let attempt = attempt.ok_or_else(missing)?;
    let opened = of_run(app, caller, attempt.run_id, missing).await?;
    Ok((opened, attempt))
}

/// The attempt of one of two ids: exactly one is given, and a job means its newest
/// attempt.
pub async fn attempt_or_job(
    app: &App,
    caller: &Caller,
    attempt_id: &str,
    job_id: &str,
) -> RpcResult<(Opened, Attempt)> {
    match (attempt_id, job_id) {
        ("", "") => Err(RpcError::invalid(
            "one of attempt_id and job_id is required",
        )),
        (id, "") => attempt(app, caller, id).await,
        ("", id) => job(app, caller, id).await,
        _ => Err(RpcError::invalid(
            "attempt_id and job_id exclude each other; send one of them",
        )),
    }
}

/// Refuses callers who may not read the log of an attempt.
pub fn require_log(opened: &Opened, attempt: &Attempt) -> RpcResult<()> {
    opened.require(Right::ReadJobs)?;
    if reads_log(&opened.standing, &opened.project, attempt) {
        return Ok(());
    }
    Err(RpcError::denied(
        "the log shows every variable (CI_DEBUG_TRACE), so only developers of the project read it",
    ))
}

/// A file that an attempt left, with the attempt.
pub async fn artifact(
    app: &App,
    caller: &Caller,
    id: &str,
) -> RpcResult<(Opened, Attempt, Artifact)> {
    let missing = || missing(Kind::Artifact, id);
    let number = Kind::Artifact.read(id).ok_or_else(missing)?;
    let artifact = app.store.artifact(ArtifactId(number)).await?;
    let artifact = artifact.ok_or_else(missing)?;
    let attempt = app.store.attempt(artifact.attempt_id).await?;
    let attempt = attempt.ok_or_else(missing)?;
    let opened = of_run(app, caller, attempt.run_id, missing).await?;
    opened.require(Right::ReadJobs)?;
    Ok((opened, attempt, artifact))
}

async fn of_run(
    app: &App,
    caller: &Caller,
    id: RunId,
    missing: impl Fn() -> RpcError,
) -> RpcResult<Opened> {
    let run = app.store.run(id).await?.ok_or_else(&missing)?;
    let project = app.store.project(run.project_id).await?;
    let project = project.ok_or_else(&missing)?;
    let standing = app.standing(Some(&caller.user), &project).await?;
    if !standing.may(Right::ReadProject, &project) {
        return Err(missing());
    }
    let opened = Opened {
        project,
        standing,
        run,
    };
    opened.require(Right::ReadPipelines)?;
    Ok(opened)
}
