//! Workflows: one with its jobs and executions, and lists.

use tappet_model::Status;
use tappet_rpc::depot::ci::v1::__buffa::view::ListWorkflowsRequestView;
use tappet_rpc::depot::ci::v1::{
    GetWorkflowExecution, GetWorkflowJob, GetWorkflowJobAttempt, GetWorkflowResponse,
    ListWorkflowsResponse, ListWorkflowsResponseJobCounts, ListWorkflowsResponseWorkflow,
};
use tappet_store::{Attempt, FoundWorkflow, Project, Workflow, WorkflowExecution, WorkflowSearch};

use super::ORGANISATION;
use super::caller::Caller;
use super::errors::RpcResult;
use super::ids::Kind;
use super::runs::{Projects, number, sandbox};
use super::search::Criteria;
use super::tree::{self, Branch, Job, job_key};
use super::{opening, page_token, words};
use crate::app::App;

const USUAL_PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;

/// `GetWorkflow`.
pub async fn get(app: &App, caller: &Caller, id: &str) -> RpcResult<GetWorkflowResponse> {
    let (opened, workflow) = opening::workflow(app, caller, id).await?;
    let executions = app.store.workflow_executions(workflow.id).await?;
    let branch = tree::of_workflow(app, workflow).await?;
    let (run, workflow) = (&opened.run, &branch.workflow);
    Ok(GetWorkflowResponse {
        org_id: ORGANISATION.to_owned(),
        run_id: Kind::Run.write(run.id),
        repo: opened.project.path.clone(),
        r#ref: words::full_ref(run),
        sha: run.sha.to_string(),
        head_sha: run.sha.to_string(),
        trigger: words::trigger(run.source).to_owned(),
        run_status: words::run_status(run.status).to_owned(),
        run_created_at: run.created_at.to_string(),
        run_started_at: words::time(run.started_at),
        run_finished_at: words::time(run.finished_at),
        workflow_id: Kind::Workflow.write(workflow.id),
        workflow_name: workflow.name.clone().unwrap_or_default(),
        workflow_path: workflow.path.clone().unwrap_or_default(),
        workflow_status: words::run_status(workflow.status).to_owned(),
        workflow_error_message: workflow.error.clone().unwrap_or_default(),
        workflow_created_at: workflow.created_at.to_string(),
        workflow_started_at: words::time(workflow.started_at),
        workflow_finished_at: words::time(workflow.finished_at),
        executions: executions
            .iter()
            .map(|one| execution(workflow, one))
            .collect(),
        jobs: branch.jobs.iter().map(|one| job(&branch, one)).collect(),
    })
}

/// Executions have no ids of their own: they are counted in their workflow.
fn execution(workflow: &Workflow, execution: &WorkflowExecution) -> GetWorkflowExecution {
    let number = execution.number;
    GetWorkflowExecution {
        execution_id: format!("{}e{number}", Kind::Workflow.write(workflow.id)),
        execution: i32::try_from(number).unwrap_or(i32::MAX),
        status: words::run_status(execution.status).to_owned(),
        created_at: execution.created_at.to_string(),
        started_at: words::time(execution.started_at),
        finished_at: words::time(execution.finished_at),
    }
}

fn job(branch: &Branch, job: &Job) -> GetWorkflowJob {
    let newest = job.newest();
    GetWorkflowJob {
        job_id: job.id(),
        job_key: job_key(&branch.workflow, newest),
        status: words::job_status(newest).to_owned(),
        started_at: words::time(newest.started_at),
        finished_at: words::time(newest.finished_at),
        attempts: job.attempts().map(attempt).collect(),
        job_display_name: newest.name.clone(),
    }
}

fn attempt(attempt: &Attempt) -> GetWorkflowJobAttempt {
    GetWorkflowJobAttempt {
        attempt_id: Kind::Attempt.write(attempt.id),
        attempt: number(attempt),
        status: words::run_status(attempt.status).to_owned(),
        sandbox_id: sandbox(attempt),
        session_id: sandbox(attempt),
        started_at: words::time(attempt.started_at),
        finished_at: words::time(attempt.finished_at),
    }
}

/// `ListWorkflows`: newest first, without pages.
pub async fn list(
    app: &App,
    caller: &Caller,
    request: &ListWorkflowsRequestView<'_>,
) -> RpcResult<ListWorkflowsResponse> {
    let size = page_token::size(request.page_size, USUAL_PAGE, LARGEST_PAGE)?;
    let criteria = Criteria {
        statuses: request.status.iter().copied().collect(),
        repo: request.repo,
        sha: request.sha,
        trigger: request.trigger,
        pr: request.pr,
    };
    let Some(wanted) = criteria.wanted(app, caller).await? else {
        return Ok(ListWorkflowsResponse::default());
    };
    let search = WorkflowSearch {
        projects: wanted.projects.clone(),
        statuses: wanted.statuses.clone(),
        sources: wanted.sources.clone(),
        sha_prefix: wanted.sha_prefix.clone(),
        name: (!request.name.is_empty()).then(|| request.name.to_owned()),
        limit: size,
    };
    let mut projects = Projects::default();
    let mut workflows = Vec::new();
    for found in app.store.search_workflows(search).await? {
        if wanted.has_ref_of(&found.run)
            && let Some(project) = projects.one(app, found.run.project_id).await?
        {
            workflows.push(row(&found, project));
        }
    }
    Ok(ListWorkflowsResponse { workflows })
}

fn row(found: &FoundWorkflow, project: &Project) -> ListWorkflowsResponseWorkflow {
    let (workflow, run) = (&found.workflow, &found.run);
    ListWorkflowsResponseWorkflow {
        workflow_id: Kind::Workflow.write(workflow.id),
        name: workflow.name.clone().unwrap_or_default(),
        workflow_path: workflow.path.clone().unwrap_or_default(),
        repo: project.path.clone(),
        status: words::run_status(workflow.status).to_owned(),
        trigger: words::trigger(run.source).to_owned(),
        run_id: Kind::Run.write(run.id),
        sha: run.sha.to_string(),
        head_sha: run.sha.to_string(),
        created_at: workflow.created_at.to_string(),
        job_counts: counts(&found.job_counts).into(),
    }
}

/// How many jobs a list says stand where. What waits for other jobs is `created`.
fn counts(jobs: &[(Status, u32)]) -> ListWorkflowsResponseJobCounts {
    let mut counts = ListWorkflowsResponseJobCounts::default();
    for (status, number) in jobs {
        let number = i32::try_from(*number).unwrap_or(i32::MAX);
        counts.total += number;
        let count = match status {
            Status::Created | Status::WaitingForCallback => &mut counts.waiting,
            Status::Running | Status::Canceling => &mut counts.running,
            Status::Success => &mut counts.finished,
            Status::Failed => &mut counts.failed,
            Status::Canceled => &mut counts.cancelled,
            Status::Skipped => &mut counts.skipped,
            _ => &mut counts.queued,
        };
        *count += number;
    }
    counts
}
