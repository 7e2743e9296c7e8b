//! Cancelling, retrying and repeating.

use tappet_engine::{JobEvent, RunEvent, StageEvent};
use tappet_model::{AttemptId, Status};
use tappet_rpc::depot::ci::v1::{
    CancelJobResponse, CancelRunResponse, CancelWorkflowResponse, RerunWorkflowResponse,
    RetryFailedJobsResponse, RetryJobResponse,
};
use tappet_store::{Action, Advance, Attempt, StoreError, Target, Workflow};

use super::caller::Caller;
use super::errors::{RpcError, RpcResult};
use super::ids::Kind;
use super::opening::{self, Opened};
use super::runs::number;
use super::words;
use crate::app::App;

/// `CancelRun`.
pub async fn cancel_run(app: &App, caller: &Caller, id: &str) -> RpcResult<CancelRunResponse> {
    let opened = opening::run(app, caller, id).await?;
    opened.require_steering(app).await?;
    require_cancelable("run", opened.run.status)?;
    let target = Target::Run(opened.run.id);
    act(app, target, Action::Run(RunEvent::Cancel)).await?;
    Ok(CancelRunResponse {
        run_id: id.to_owned(),
        status: "cancelled".to_owned(),
    })
}

/// `CancelWorkflow`: what of it waits or runs ends, and nothing else of it starts.
pub async fn cancel_workflow(
    app: &App,
    caller: &Caller,
    id: &str,
) -> RpcResult<CancelWorkflowResponse> {
    let (opened, workflow) = opening::workflow(app, caller, id).await?;
    opened.require_steering(app).await?;
    require_cancelable("workflow", workflow.status)?;
    let target = Target::Workflow(workflow.id);
    act(app, target, Action::Workflow(StageEvent::Cancel)).await?;
    Ok(CancelWorkflowResponse {
        workflow_id: id.to_owned(),
        status: "cancelled".to_owned(),
    })
}

/// `CancelJob`.
pub async fn cancel_job(
    app: &App,
    caller: &Caller,
    workflow_id: &str,
    job_id: &str,
) -> RpcResult<CancelJobResponse> {
    let (opened, job) = job_of(app, caller, workflow_id, job_id).await?;
    opened.require_steering(app).await?;
    require_cancelable("job", job.status)?;
    let target = Target::Attempt(job.id);
    act(app, target, Action::Job(JobEvent::Cancel)).await?;
    Ok(CancelJobResponse {
        job_id: job_id.to_owned(),
        status: "cancelled".to_owned(),
    })
}

/// `RetryJob`: another attempt of a job that failed or was canceled.
pub async fn retry_job(
    app: &App,
    caller: &Caller,
    workflow_id: &str,
    job_id: &str,
) -> RpcResult<RetryJobResponse> {
    let (opened, job) = job_of(app, caller, workflow_id, job_id).await?;
    opened.require_steering(app).await?;
    if !matches!(job.status, Status::Failed | Status::Canceled) {
        return Err(RpcError::failed_precondition(format!(
            "job `{job_id}` is {}; only failed and cancelled jobs are retried",
            words::job_status(&job)
        )));
    }
    refuse_after_followers(app, &job).await?;
    let target = Target::Attempt(job.id);
    let advance = act(app, target, Action::Job(JobEvent::Retry)).await?;
    let made = made(&advance).next().ok_or_else(|| {
        RpcError::failed_precondition("the job got no new attempt; look at its run and call again")
    })?;
    let attempt = app.store.attempt(made).await?;
    let attempt = attempt.ok_or_else(|| opening::missing(Kind::Job, job_id))?;
    Ok(RetryJobResponse {
        job_id: job_id.to_owned(),
        attempt_id: Kind::Attempt.write(attempt.id),
        attempt: number(&attempt),
        status: words::run_status(attempt.status).to_owned(),
    })
}

/// What followed a job has seen how it ended, so it is not repeated by itself then
/// (Depot: `RetryJob` is refused once a dependent job has started).
async fn refuse_after_followers(app: &App, job: &Attempt) -> RpcResult<()> {
    let attempts = app.store.attempts_of_run(job.run_id).await?;
    let needs_it = |other: &Attempt| {
        let needs = other.needs.as_deref().unwrap_or_default();
        other.workflow_id == job.workflow_id && needs.contains(&job.name)
    };
    let follower = attempts
        .iter()
        .find(|other| !other.is_retried && other.started_at.is_some() && needs_it(other));
    match follower {
        None => Ok(()),
        Some(follower) => Err(RpcError::failed_precondition(format!(
            "`{}`, which needs this job, has started already: repeat the whole workflow once it \
             is over",
            follower.name
        ))),
    }
}

/// `RetryFailedJobs`: new attempts of what failed or was canceled in a workflow that
/// is over, and of what was skipped on account of that.
pub async fn retry_failed_jobs(
    app: &App,
    caller: &Caller,
    id: &str,
) -> RpcResult<RetryFailedJobsResponse> {
    let workflow = finished_workflow(app, caller, id).await?;
    let target = Target::Workflow(workflow.id);
    let advance = act(app, target, Action::Workflow(StageEvent::Retry)).await?;
    let job_ids = again(app, &advance).await?;
    if job_ids.is_empty() {
        return Err(RpcError::failed_precondition(format!(
            "workflow `{id}` has no failed or cancelled jobs"
        )));
    }
    Ok(RetryFailedJobsResponse {
        workflow_id: id.to_owned(),
        job_count: count(&job_ids),
        job_ids,
    })
}

/// `RerunWorkflow`: new attempts of all jobs of a workflow that is over.
pub async fn rerun_workflow(
    app: &App,
    caller: &Caller,
    id: &str,
) -> RpcResult<RerunWorkflowResponse> {
    let workflow = finished_workflow(app, caller, id).await?;
    let target = Target::Workflow(workflow.id);
    let advance = act(app, target, Action::Workflow(StageEvent::Rerun)).await?;
    Ok(RerunWorkflowResponse {
        workflow_id: id.to_owned(),
        job_count: count(&again(app, &advance).await?),
    })
}

fn count<T>(jobs: &[T]) -> i32 {
    i32::try_from(jobs.len()).unwrap_or(i32::MAX)
}

/// A refusal of the engine names what stands in the way: Depot's code for that is
/// `failed_precondition`.
async fn act(app: &App, target: Target, action: Action) -> RpcResult<Advance> {
    match app.act(target, action).await {
        Ok(advance) => Ok(advance),
        Err(StoreError::Refused(why)) => Err(RpcError::failed_precondition(why.to_string())),
        Err(error) => Err(error.into()),
    }
}

fn require_cancelable(what: &str, status: Status) -> RpcResult<()> {
    if status.is_cancelable() {
        return Ok(());
    }
    Err(RpcError::failed_precondition(format!(
        "the {what} is {}; only what is queued or running can be cancelled",
        words::run_status(status)
    )))
}

async fn finished_workflow(app: &App, caller: &Caller, id: &str) -> RpcResult<Workflow> {
    let (opened, workflow) = opening::workflow(app, caller, id).await?;
    opened.require_steering(app).await?;
    if workflow.status.is_completed() {
        return Ok(workflow);
    }
    Err(RpcError::failed_precondition(format!(
        "workflow `{id}` is {}; wait for its end, or cancel it first",
        words::run_status(workflow.status)
    )))
}

/// A job of this workflow. Depot's own answer to a call without the workflow is
/// `invalid_argument` with these words.
async fn job_of(
    app: &App,
    caller: &Caller,
    workflow_id: &str,
    job_id: &str,
) -> RpcResult<(Opened, Attempt)> {
    if workflow_id.is_empty() {
        return Err(RpcError::invalid(
            "Workflow not found: workflow_id is required",
        ));
    }
    let (_, workflow) = opening::workflow(app, caller, workflow_id).await?;
    let (opened, job) = opening::job(app, caller, job_id).await?;
    if job.workflow_id != workflow.id {
        return Err(RpcError::not_found(format!(
            "job `{job_id}` not found in workflow `{workflow_id}`"
        )));
    }
    Ok((opened, job))
}

fn made(advance: &Advance) -> impl Iterator<Item = AttemptId> {
    let new = advance.changed.iter().filter(|attempt| attempt.is_new);
    new.map(|attempt| attempt.id)
}

/// The ids of the jobs that got new attempts.
async fn again(app: &App, advance: &Advance) -> RpcResult<Vec<String>> {
    let jobs = app.store.run_attempts(advance.run.id).await?;
    let made: Vec<AttemptId> = made(advance).collect();
    let again = jobs.iter().filter(|job| made.contains(&job.id));
    Ok(again.map(|job| Kind::Job.write(job.job_id)).collect())
}
