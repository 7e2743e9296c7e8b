//! Figures of what jobs used. This server does not measure its jobs yet, and says so
//! of each attempt; when it ran is known.

use tappet_rpc::depot::ci::v1::{
    CIMetricsAttemptContext, CIMetricsAttemptMetrics, CIMetricsAttemptSummary,
    CIMetricsAvailability, CIMetricsAvailabilityCode, CIMetricsCapMetadata, CIMetricsJobContext,
    CIMetricsJobMetrics, CIMetricsRunContext, CIMetricsStats, CIMetricsWorkflowContext,
    CIMetricsWorkflowMetrics, GetJobAttemptMetricsResponse, GetJobMetricsResponse,
    GetRunMetricsResponse,
};
use tappet_store::{Attempt, Workflow};

use super::caller::Caller;
use super::errors::RpcResult;
use super::ids::Kind;
use super::opening::{self, Opened};
use super::runs::number;
use super::tree::{self, Branch, Job, job_key};
use super::words;
use crate::app::App;
use crate::clock;
use crate::rights::Right;

/// `GetRunMetrics`.
pub async fn of_run(app: &App, caller: &Caller, id: &str) -> RpcResult<GetRunMetricsResponse> {
    let opened = opening::run(app, caller, id).await?;
    opened.require(Right::ReadJobs)?;
    let branches = tree::of_run(app, opened.run.id).await?;
    Ok(GetRunMetricsResponse {
        run: run_context(&opened).into(),
        workflows: branches.iter().map(workflow_metrics).collect(),
        snapshot_at: clock::now().to_string(),
    })
}

/// `GetJobMetrics`.
pub async fn of_job(app: &App, caller: &Caller, id: &str) -> RpcResult<GetJobMetricsResponse> {
    let (opened, attempt) = opening::job(app, caller, id).await?;
    opened.require(Right::ReadJobs)?;
    let branch = branch_of(app, id, &attempt).await?;
    let job = branch
        .jobs
        .iter()
        .find(|job| job.newest().job_id == attempt.job_id)
        .ok_or_else(|| opening::missing(Kind::Job, id))?;
    Ok(GetJobMetricsResponse {
        run: run_context(&opened).into(),
        workflow: workflow_context(&branch.workflow).into(),
        job: job_context(&branch, job).into(),
        attempts: job.attempts().map(summary).collect(),
        snapshot_at: clock::now().to_string(),
    })
}

/// `GetJobAttemptMetrics`.
pub async fn of_attempt(
    app: &App,
    caller: &Caller,
    id: &str,
) -> RpcResult<GetJobAttemptMetricsResponse> {
    let (opened, attempt) = opening::attempt(app, caller, id).await?;
    opened.require(Right::ReadJobs)?;
    let branch = branch_of(app, id, &attempt).await?;
    let job = branch
        .jobs
        .iter()
        .find(|job| job.newest().job_id == attempt.job_id)
        .ok_or_else(|| opening::missing(Kind::Attempt, id))?;
    Ok(GetJobAttemptMetricsResponse {
        run: run_context(&opened).into(),
        workflow: workflow_context(&branch.workflow).into(),
        job: job_context(&branch, job).into(),
        attempt: CIMetricsAttemptMetrics {
            attempt: attempt_context(&attempt).into(),
            availability: availability(&attempt).into(),
            stats: CIMetricsStats::default().into(),
            cap: CIMetricsCapMetadata::default().into(),
            samples: Vec::new(),
        }
        .into(),
        snapshot_at: clock::now().to_string(),
    })
}

async fn branch_of(app: &App, id: &str, attempt: &Attempt) -> RpcResult<Branch> {
    let workflow = app.store.workflow(attempt.workflow_id).await?;
    let workflow = workflow.ok_or_else(|| opening::missing(Kind::Attempt, id))?;
    Ok(tree::of_workflow(app, workflow).await?)
}

fn workflow_metrics(branch: &Branch) -> CIMetricsWorkflowMetrics {
    CIMetricsWorkflowMetrics {
        workflow: workflow_context(&branch.workflow).into(),
        jobs: branch
            .jobs
            .iter()
            .map(|job| CIMetricsJobMetrics {
                job: job_context(branch, job).into(),
                attempts: job.attempts().map(summary).collect(),
            })
            .collect(),
    }
}

fn summary(attempt: &Attempt) -> CIMetricsAttemptSummary {
    CIMetricsAttemptSummary {
        attempt: attempt_context(attempt).into(),
        availability: availability(attempt).into(),
        stats: CIMetricsStats::default().into(),
        cap: CIMetricsCapMetadata::default().into(),
    }
}

fn availability(attempt: &Attempt) -> CIMetricsAvailability {
    let (code, reason) = match attempt.started_at {
        None => (
            CIMetricsAvailabilityCode::NoTimeRange,
            "the attempt has not started",
        ),
        Some(_) => (
            CIMetricsAvailabilityCode::NoSamples,
            "this server does not measure processors and memory of jobs",
        ),
    };
    CIMetricsAvailability {
        code: code.into(),
        reason: reason.to_owned(),
    }
}

fn run_context(opened: &Opened) -> CIMetricsRunContext {
    let run = &opened.run;
    CIMetricsRunContext {
        run_id: Kind::Run.write(run.id),
        repo: opened.project.path.clone(),
        r#ref: words::full_ref(run),
        sha: run.sha.to_string(),
        head_sha: run.sha.to_string(),
        trigger: words::trigger(run.source).to_owned(),
        status: words::run_status(run.status).to_owned(),
        created_at: run.created_at.to_string(),
        started_at: words::time(run.started_at),
        finished_at: words::time(run.finished_at),
    }
}

fn workflow_context(workflow: &Workflow) -> CIMetricsWorkflowContext {
    CIMetricsWorkflowContext {
        workflow_id: Kind::Workflow.write(workflow.id),
        workflow_path: workflow.path.clone().unwrap_or_default(),
        name: workflow.name.clone().unwrap_or_default(),
        status: words::run_status(workflow.status).to_owned(),
        created_at: workflow.created_at.to_string(),
        started_at: words::time(workflow.started_at),
        finished_at: words::time(workflow.finished_at),
    }
}

fn job_context(branch: &Branch, job: &Job) -> CIMetricsJobContext {
    let newest = job.newest();
    CIMetricsJobContext {
        job_id: job.id(),
        job_key: job_key(&branch.workflow, newest),
        status: words::job_status(newest).to_owned(),
        conclusion: conclusion(newest),
        current_attempt: number(newest),
        created_at: job.first().created_at.to_string(),
        started_at: words::time(newest.started_at),
        finished_at: words::time(newest.finished_at),
    }
}

fn attempt_context(attempt: &Attempt) -> CIMetricsAttemptContext {
    CIMetricsAttemptContext {
        attempt_id: Kind::Attempt.write(attempt.id),
        attempt: number(attempt),
        status: words::run_status(attempt.status).to_owned(),
        conclusion: conclusion(attempt),
        sandbox_id: String::new(),
        session_id: String::new(),
        created_at: attempt.created_at.to_string(),
        started_at: words::time(attempt.started_at),
        finished_at: words::time(attempt.finished_at),
    }
}

fn conclusion(attempt: &Attempt) -> String {
    let conclusion = words::conclusion(attempt.status, attempt.failure_reason);
    conclusion.unwrap_or_default().to_owned()
}
