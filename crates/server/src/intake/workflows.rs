//! What a run of workflows consists of: their files, compiled for the commit, the
//! event and its inputs.

use std::sync::Arc;

use tappet_actions::workflow::{
    self, InputError, RunContexts, UnknownJob, Workflow, WorkflowFile, default_inputs,
    dispatch_inputs,
};
use tappet_git::{Repository, ResolvedRef};
use tappet_model::Diagnostic;
use tappet_model::plan::Plan;
use tappet_store::{NewJob, NewRunContent, NewWorkflow, RunNotes};

use super::parsed_workflows::shared_spec;
use super::workflow_commit::full_ref;
use super::workflow_files::{Sources, WorkflowText};
use super::workflow_triggers::{merge_ref, started};
use super::{Refusal, RunRequest, WorkflowEvent, WorkflowRequest, commit};
use crate::app::App;
use crate::workflows::{
    GithubFacts, WorkflowFacts, WorkflowIdentity, event_payload, github, local_changes,
    named_values,
};

/// The compiled workflows, and what the run has to remember of its beginning.
pub(super) async fn content(
    app: &App,
    request: &RunRequest,
    wanted: &WorkflowRequest,
    (repository, resolved): (&Repository, &ResolvedRef),
    is_protected: bool,
) -> Result<(NewRunContent, WorkflowFacts), Refusal> {
    let texts = texts(app, wanted, repository, resolved).await?;
    let files: Vec<File> = texts.into_iter().map(|text| parse(app, text)).collect();
    let place = (repository, resolved);
    let files = started(request, &wanted.event, place, files).await?;
    let default_branch = app
        .repositories
        .default_branch(&request.project, repository)
        .await
        .unwrap_or_default();
    let facts = facts(app, request, wanted, place, &files).await?;
    let mut workflows = Vec::with_capacity(files.len());
    for (position, file) in files.into_iter().enumerate() {
        let known = GithubFacts {
            config: &app.config,
            project: &request.project,
            default_branch: &default_branch,
            facts: &facts,
            position,
            workflow: file.identity(),
            sha: resolved.sha.as_str(),
            user: request.user.as_ref(),
            is_protected,
            run: None,
        };
        let github = github(&known).into();
        let settings = app
            .workflow_settings(
                request.project.id,
                facts.branch(),
                file.path.as_deref(),
                None,
            )
            .await?;
        workflows.push(WorkflowFile {
            path: file.path,
            file: file.file,
            workflow: file.workflow,
            contexts: RunContexts {
                github,
                inputs: facts.inputs_of(position).into(),
                vars: named_values(settings.vars).into(),
            },
        });
    }
    let mut plan = workflow::compile(&workflows, wanted.job.as_deref())
        .map_err(|error: UnknownJob| Refusal::WorkflowMismatch(error.to_string()))?;
    if let Some(key) = &wanted.patch_key {
        workflow::with_local_changes(&mut plan, key);
    }
    Ok((NewRunContent::Planned(Box::new(new_workflow(plan))), facts))
}

/// A workflow that was read, or what is wrong with it.
pub(super) struct File {
    path: Option<String>,
    file: String,
    pub workflow: Result<Arc<Workflow>, Vec<Diagnostic>>,
}

/// The texts of the workflows, with the caller's local changes where there are
/// some. Changes that cannot be had or do not fit are an error of each workflow.
async fn texts(
    app: &App,
    wanted: &WorkflowRequest,
    repository: &Repository,
    resolved: &ResolvedRef,
) -> Result<Vec<WorkflowText>, Refusal> {
    let (patch, mut problem) = match &wanted.patch_key {
        None => (None, None),
        Some(key) => match local_changes::read(app, key).await {
            Ok(patch) => (Some(patch), None),
            Err(error) => (None, Some(error.to_string())),
        },
    };
    let sources = match Sources::new(repository, &resolved.sha, patch.as_deref()).await? {
        Ok(sources) => sources,
        Err(misfit) => {
            problem = Some(misfit);
            Sources::unchanged(repository, &resolved.sha)
        }
    };
    let mut texts = sources.workflows(&wanted.choice).await?;
    if let Some(problem) = problem {
        for text in &mut texts {
            text.bytes = Err(problem.clone());
        }
    }
    Ok(texts)
}

fn parse(app: &App, text: WorkflowText) -> File {
    let workflow = match text.bytes {
        Ok(bytes) => app.intake.workflows.get(&bytes),
        Err(problem) => Err(vec![Diagnostic::whole_file(problem)]),
    };
    File {
        path: text.path,
        file: text.file,
        workflow,
    }
}

impl File {
    /// Its path, or what it is called without one.
    pub fn name(&self) -> &str {
        self.path.as_deref().unwrap_or(&self.file)
    }

    /// Whether it matters to it which files an event changes.
    pub fn looks_at_paths(&self, event: &str) -> bool {
        let workflow = self.workflow.as_ref();
        workflow.is_ok_and(|workflow| workflow.triggers.look_at_paths(event))
    }

    fn identity(&self) -> WorkflowIdentity<'_> {
        let workflow = self.workflow.as_ref().ok();
        WorkflowIdentity {
            path: self.path.as_deref(),
            file: &self.file,
            name: workflow.and_then(|workflow| workflow.name.as_deref()),
        }
    }
}

/// What happened, with the inputs of each workflow.
async fn facts(
    app: &App,
    request: &RunRequest,
    wanted: &WorkflowRequest,
    (repository, resolved): (&Repository, &ResolvedRef),
    files: &[File],
) -> Result<WorkflowFacts, Refusal> {
    let fills = app.config.fills_api_runs;
    let inputs = |file: &File| -> Result<serde_json::Value, Refusal> {
        let Ok(workflow) = &file.workflow else {
            return Ok(serde_json::json!({}));
        };
        let inputs = match &wanted.event {
            WorkflowEvent::Api if fills => default_inputs(workflow),
            WorkflowEvent::Api | WorkflowEvent::Push | WorkflowEvent::PullRequest(_) => {
                return Ok(serde_json::json!({}));
            }
            WorkflowEvent::Dispatch(given) => {
                let given = given
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()));
                dispatch_inputs(workflow, given).map_err(refused)?
            }
        };
        Ok(inputs.to_json())
    };
    let (event_name, tells_ref) = match &wanted.event {
        WorkflowEvent::Api => ("api", fills),
        WorkflowEvent::Dispatch(_) => ("workflow_dispatch", true),
        WorkflowEvent::Push => ("push", true),
        WorkflowEvent::PullRequest(_) => ("pull_request", true),
    };
    let git_ref = match &request.pull_request {
        Some(pull_request) => merge_ref(pull_request),
        None => full_ref(resolved),
    };
    let branches = request.pull_request.as_ref();
    Ok(WorkflowFacts {
        event_name: event_name.to_owned(),
        inputs: files.iter().map(inputs).collect::<Result<_, _>>()?,
        patch_key: wanted.patch_key.clone(),
        head_ref: branches.map_or_else(String::new, |request| request.head_branch.clone()),
        base_ref: branches.map_or_else(String::new, |request| request.base_branch.clone()),
        payload: payload(app, request, &wanted.event, &git_ref, repository, resolved).await?,
        git_ref: if tells_ref { git_ref } else { String::new() },
    })
}

/// What `github.event` tells, beside what every event has.
async fn payload(
    app: &App,
    request: &RunRequest,
    event: &WorkflowEvent,
    git_ref: &str,
    repository: &Repository,
    resolved: &ResolvedRef,
) -> Result<Option<serde_json::Value>, Refusal> {
    if request.payload.is_some() {
        return Ok(request.payload.clone());
    }
    Ok(match (event, &request.pull_request) {
        (WorkflowEvent::Push, _) => {
            let commit = commit(repository, &resolved.sha).await?;
            let pusher = request
                .user
                .as_ref()
                .map_or("", |user| user.username.as_str());
            let before = request.before_sha.as_ref();
            Some(event_payload::of_push(git_ref, before, &commit, pusher))
        }
        (WorkflowEvent::PullRequest(_), Some(pull_request)) => {
            let (config, project) = (&app.config, &request.project);
            let payload =
                event_payload::of_pull_request(config, project, &resolved.sha, pull_request);
            Some(payload)
        }
        _ => None,
    })
}

fn refused(error: InputError) -> Refusal {
    match error {
        InputError::NotDispatchable => Refusal::WorkflowNotFound(error.to_string()),
        error => Refusal::WorkflowMismatch(error.to_string()),
    }
}

fn new_workflow(plan: Plan) -> NewWorkflow {
    let graph = Arc::new(tappet_engine::Graph::of(&plan));
    NewWorkflow {
        path: String::new(),
        name: plan.name,
        stages: plan.stages,
        workflows: plan.workflows,
        graph,
        notes: RunNotes {
            left_out: plan.left_out,
            warnings: plan.warnings.iter().map(ToString::to_string).collect(),
        },
        jobs: plan
            .jobs
            .into_iter()
            .map(|job| NewJob {
                name: job.name,
                key: tappet_store::NewJobKey::of(&job.spec),
                tags: job.tags,
                needs: job.needs,
                environment: job.environment,
                spec: shared_spec(&job.spec),
            })
            .collect(),
    }
}
