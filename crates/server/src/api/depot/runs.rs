//! Runs: one, the tree of what it consists of, and lists.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use tappet_model::{ProjectId, RunId, Status};
use tappet_rpc::depot::ci::v1::__buffa::view::ListRunsRequestView;
use tappet_rpc::depot::ci::v1::{
    AttemptStatus, GetRunResponse, GetRunStatusResponse, JobStatus, ListRunsResponse,
    ListRunsResponseRun, WorkflowStatus,
};
use tappet_store::{Attempt, Project, Run, RunSearch};

use super::ORGANISATION;
use super::caller::Caller;
use super::errors::RpcResult;
use super::ids::Kind;
use super::search::Criteria;
use super::tree::{self, Branch, Job, job_key};
use super::{opening, page_token, words};
use crate::app::App;

const USUAL_PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 100;

/// `GetRun`.
pub async fn get(app: &App, caller: &Caller, id: &str) -> RpcResult<GetRunResponse> {
    let opened = opening::run(app, caller, id).await?;
    let (run, project) = (opened.run, opened.project);
    Ok(GetRunResponse {
        org_id: ORGANISATION.to_owned(),
        run_id: Kind::Run.write(run.id),
        repo: project.path,
        r#ref: words::full_ref(&run),
        sha: run.sha.to_string(),
        head_sha: run.sha.to_string(),
        trigger: words::trigger(run.source).to_owned(),
        status: words::run_status(run.status).to_owned(),
        created_at: run.created_at.to_string(),
        started_at: words::time(run.started_at),
        finished_at: words::time(run.finished_at),
    })
}

/// `GetRunStatus`, by the id of the run or of one of its jobs. The id of an attempt
/// is refused: the CLI takes the refusal for a sign to look for an attempt.
pub async fn status(app: &App, caller: &Caller, id: &str) -> RpcResult<GetRunStatusResponse> {
    let opened = match Kind::Job.read(id) {
        Some(_) => opening::job(app, caller, id).await?.0,
        None => opening::run(app, caller, id).await?,
    };
    let branches = tree::of_run(app, opened.run.id).await?;
    Ok(GetRunStatusResponse {
        org_id: ORGANISATION.to_owned(),
        run_id: Kind::Run.write(opened.run.id),
        status: words::run_status(opened.run.status).to_owned(),
        workflows: branches.iter().map(workflow_status).collect(),
    })
}

fn workflow_status(branch: &Branch) -> WorkflowStatus {
    let workflow = &branch.workflow;
    WorkflowStatus {
        workflow_id: Kind::Workflow.write(workflow.id),
        status: words::run_status(workflow.status).to_owned(),
        workflow_path: workflow.path.clone().unwrap_or_default(),
        jobs: branch
            .jobs
            .iter()
            .map(|job| job_status(branch, job))
            .collect(),
        name: workflow.name.clone().unwrap_or_default(),
        error_message: workflow.error.clone().unwrap_or_default(),
    }
}

fn job_status(branch: &Branch, job: &Job) -> JobStatus {
    let newest = job.newest();
    JobStatus {
        job_id: job.id(),
        job_key: job_key(&branch.workflow, newest),
        status: words::job_status(newest).to_owned(),
        attempts: job.attempts().map(attempt_status).collect(),
        job_display_name: newest.name.clone(),
    }
}

fn attempt_status(attempt: &Attempt) -> AttemptStatus {
    AttemptStatus {
        attempt_id: Kind::Attempt.write(attempt.id),
        attempt: number(attempt),
        status: words::run_status(attempt.status).to_owned(),
        sandbox_id: sandbox(attempt),
        session_id: sandbox(attempt),
    }
}

/// Where a terminal could be opened. The CLI's `ssh` waits for minutes until there
/// is such a place, so a running job names itself and the call that follows is told
/// at once that there are no terminals (Depot CLI 2.102: `pkg/cmd/ci/ssh.go`).
pub fn sandbox(attempt: &Attempt) -> String {
    if attempt.status == Status::Running {
        Kind::Attempt.write(attempt.id)
    } else {
        String::new()
    }
}

/// The number of an attempt as Depot's messages hold it.
pub fn number(attempt: &Attempt) -> i32 {
    i32::try_from(attempt.number).unwrap_or(i32::MAX)
}

/// `ListRuns`: newest first; without statuses those that have not ended.
pub async fn list(
    app: &App,
    caller: &Caller,
    request: &ListRunsRequestView<'_>,
) -> RpcResult<ListRunsResponse> {
    let size = page_token::size(request.page_size, USUAL_PAGE, LARGEST_PAGE)?;
    let mut before = page_token::read(Kind::Run, request.page_token)?;
    let mut statuses: Vec<&str> = request.status.iter().copied().collect();
    if statuses.is_empty() {
        statuses.extend(["queued", "running"]);
    }
    let criteria = Criteria {
        statuses,
        repo: request.repo,
        sha: request.sha,
        trigger: request.trigger,
        pr: request.pr,
    };
    let Some(wanted) = criteria.wanted(app, caller).await? else {
        return Ok(ListRunsResponse::default());
    };
    let mut projects = Projects::default();
    let mut rows: Vec<ListRunsResponseRun> = Vec::with_capacity(size as usize);
    // What is left out here makes room for others.
    loop {
        let search = RunSearch {
            projects: wanted.projects.clone(),
            statuses: wanted.statuses.clone(),
            sources: wanted.sources.clone(),
            sha_prefix: wanted.sha_prefix.clone(),
            before: before.map(RunId),
            limit: size + 1,
        };
        let found = app.store.search_runs(search).await?;
        let is_last = found.len() <= size as usize;
        for run in found {
            if rows.len() == size as usize {
                return Ok(ListRunsResponse {
                    runs: rows,
                    next_page_token: before
                        .map_or_else(String::new, |last| page_token::write(Kind::Run, last)),
                });
            }
            before = Some(run.id.0);
            if wanted.has_ref_of(&run)
                && let Some(project) = projects.one(app, run.project_id).await?
            {
                rows.push(row(&run, project));
            }
        }
        if is_last {
            return Ok(ListRunsResponse {
                runs: rows,
                next_page_token: String::new(),
            });
        }
    }
}

fn row(run: &Run, project: &Project) -> ListRunsResponseRun {
    ListRunsResponseRun {
        run_id: Kind::Run.write(run.id),
        repo: project.path.clone(),
        trigger: words::trigger(run.source).to_owned(),
        sha: run.sha.to_string(),
        status: words::run_status(run.status).to_owned(),
        created_at: run.created_at.to_string(),
        r#ref: words::full_ref(run),
        head_sha: run.sha.to_string(),
    }
}

/// Projects that rows of a list belong to, each read once.
#[derive(Default)]
pub struct Projects(HashMap<ProjectId, Option<Project>>);

impl Projects {
    /// The project, unless it was deleted.
    pub async fn one(&mut self, app: &App, id: ProjectId) -> RpcResult<Option<&Project>> {
        let known = match self.0.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(app.store.project(id).await?),
        };
        Ok(known.as_ref())
    }
}
