//! What the steps of a job wrote for people (`GITHUB_STEP_SUMMARY`).

use tappet_rpc::depot::ci::v1::GetJobSummaryResponse;
use tappet_store::Attempt;

use super::ORGANISATION;
use super::caller::Caller;
use super::errors::{RpcError, RpcResult};
use super::ids::Kind;
use super::opening::{self, Opened};
use super::runs::number;
use super::tree::is_shown;
use super::words;
use crate::app::App;
use crate::rights::Right;

/// `GetJobSummary`: of an attempt, or of the newest one of a job.
pub async fn get(
    app: &App,
    caller: &Caller,
    job_id: &str,
    attempt_id: &str,
) -> RpcResult<GetJobSummaryResponse> {
    let (opened, attempt) = open(app, caller, job_id, attempt_id).await?;
    opened.require(Right::ReadJobs)?;
    let newest = match attempt_id {
        "" => attempt.clone(),
        _ => {
            opening::job(app, caller, &Kind::Job.write(attempt.job_id))
                .await?
                .1
        }
    };
    let mut reply = GetJobSummaryResponse {
        org_id: ORGANISATION.to_owned(),
        run_id: Kind::Run.write(attempt.run_id),
        workflow_id: Kind::Workflow.write(attempt.workflow_id),
        job_id: Kind::Job.write(attempt.job_id),
        job_status: words::job_status(&newest).to_owned(),
        ..GetJobSummaryResponse::default()
    };
    if !is_shown(&attempt) {
        reply.empty_reason = "no_attempt".to_owned();
        return Ok(reply);
    }
    reply.attempt_id = Kind::Attempt.write(attempt.id);
    reply.attempt = number(&attempt);
    reply.attempt_status = words::run_status(attempt.status).to_owned();
    match app.store.steps_report(attempt.id).await? {
        Some(report) if !report.summary.is_empty() => {
            reply.has_summary = true;
            reply.step_count = report.summary_steps;
            reply.markdown = report.summary;
        }
        _ => reply.empty_reason = "no_summary".to_owned(),
    }
    Ok(reply)
}

async fn open(
    app: &App,
    caller: &Caller,
    job_id: &str,
    attempt_id: &str,
) -> RpcResult<(Opened, Attempt)> {
    let (opened, attempt) = match attempt_id {
        "" => return opening::attempt_or_job(app, caller, "", job_id).await,
        id => opening::attempt(app, caller, id).await?,
    };
    if !job_id.is_empty() && Kind::Job.read(job_id) != Some(attempt.job_id.0) {
        return Err(RpcError::not_found(format!(
            "attempt `{attempt_id}` not found in job `{job_id}`"
        )));
    }
    Ok((opened, attempt))
}
