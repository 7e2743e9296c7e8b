//! `GetFailureDiagnosis`: what failed in a run, workflow, job or attempt, failures of
//! the same cause together, each with the lines of the log that tell most.
//!
//! This file reads, and [`report`], which is pure, puts the answer together.

mod report;

use tappet_model::Status;
use tappet_model::steps_payload::StepOutcome;
use tappet_rpc::depot::ci::v1::__buffa::view::GetFailureDiagnosisRequestView;
use tappet_rpc::depot::ci::v1::{
    FailureDiagnosisTargetType as TargetType, GetFailureDiagnosisResponse,
};
use tappet_store::Attempt;

use super::caller::Caller;
use super::errors::{RpcError, RpcResult};
use super::ids::Kind;
use super::logs;
use super::opening::{self, Opened};
use super::tree::{self, Branch, job_key};
use crate::app::App;
use crate::diagnosis::cause;
use crate::diagnosis::evidence::{Evidence, Tail};
use crate::rights::{Right, reads_log};
use report::{MOST_PROBLEMS, Problem, Target};

/// `GetFailureDiagnosis`. The kind of the target is never guessed from its id.
pub async fn get(
    app: &App,
    caller: &Caller,
    request: &GetFailureDiagnosisRequestView<'_>,
) -> RpcResult<GetFailureDiagnosisResponse> {
    let id = request.target_id;
    let (opened, target, branches) = match request.target_type.as_known() {
        Some(TargetType::Unspecified) => return Err(RpcError::invalid("target_type is required")),
        None => {
            return Err(RpcError::invalid(format!(
                "Unsupported target_type: {}",
                request.target_type.to_i32()
            )));
        }
        Some(TargetType::Run) => {
            let opened = opening::run(app, caller, id).await?;
            let branches = tree::of_run(app, opened.run.id).await?;
            (opened, Target::Run, branches)
        }
        Some(TargetType::Workflow) => {
            let (opened, workflow) = opening::workflow(app, caller, id).await?;
            let branch = tree::of_workflow(app, workflow).await?;
            (opened, Target::Workflow, vec![branch])
        }
        Some(TargetType::Job) => {
            let (opened, attempt) = opening::job(app, caller, id).await?;
            let branch = branch_of(app, id, &attempt).await?;
            (opened, Target::Job(attempt), vec![branch])
        }
        Some(TargetType::Attempt) => {
            let (opened, attempt) = opening::attempt(app, caller, id).await?;
            let branch = branch_of(app, id, &attempt).await?;
            (opened, Target::Attempt(attempt), vec![branch])
        }
    };
    opened.require(Right::ReadJobs)?;
    let mut problems = problems(&target, &branches);
    if problems.len() <= MOST_PROBLEMS {
        for problem in &mut problems {
            problem.evidence = read_evidence(app, &opened, problem).await?;
        }
    }
    Ok(report::report(id, &opened, &target, &branches, problems))
}

async fn branch_of(app: &App, id: &str, attempt: &Attempt) -> RpcResult<Branch> {
    let workflow = app.store.workflow(attempt.workflow_id).await?;
    let workflow = workflow.ok_or_else(|| opening::missing(Kind::Attempt, id))?;
    Ok(tree::of_workflow(app, workflow).await?)
}

/// What failed within the target, in the order of files and jobs.
fn problems<'a>(target: &'a Target, branches: &'a [Branch]) -> Vec<Problem<'a>> {
    let attempts: Vec<(&Branch, &Attempt)> = match target {
        Target::Job(attempt) | Target::Attempt(attempt) => {
            branches.iter().map(|branch| (branch, attempt)).collect()
        }
        Target::Run | Target::Workflow => branches
            .iter()
            .flat_map(|branch| branch.jobs.iter().map(move |job| (branch, job.newest())))
            .collect(),
    };
    let refused = branches
        .iter()
        .filter(|_| matches!(target, Target::Run | Target::Workflow))
        .filter_map(|branch| {
            let error = branch.workflow.error.as_deref()?;
            Some(Problem {
                branch,
                attempt: None,
                key: String::new(),
                evidence: Evidence::of_text(error, cause::of_refused_file()),
            })
        });
    let failed = attempts
        .into_iter()
        .filter(|(_, attempt)| attempt.status == Status::Failed)
        .map(|(branch, attempt)| Problem {
            branch,
            attempt: Some(attempt),
            key: job_key(&branch.workflow, attempt),
            evidence: Evidence::default(),
        });
    refused.chain(failed).collect()
}

/// The telling lines of a failed attempt's log, if the caller may read it.
async fn read_evidence(app: &App, opened: &Opened, problem: &Problem<'_>) -> RpcResult<Evidence> {
    let Some(attempt) = problem.attempt else {
        return Ok(problem.evidence.clone());
    };
    let report = app.store.steps_report(attempt.id).await?;
    let mut tail = Tail::default();
    if reads_log(&opened.standing, &opened.project, attempt) {
        logs::each_line(app, attempt, |line| tail.push(line)).await?;
    }
    let failed_step = report.as_ref().and_then(|report| {
        let mut steps = report.steps.iter();
        let step = steps.find(|step| step.conclusion == StepOutcome::Failure);
        step.map(|step| step.key.as_str())
    });
    let cause = cause::of_attempt(attempt, report.as_ref());
    Ok(tail.evidence(attempt.failure_reason, failed_step, cause))
}
