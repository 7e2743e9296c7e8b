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
use super::{Refusal, RunRequest, WorkflowEvent, WorkflowRequest};
use crate::app::App;
use crate::workflows::{
    GithubFacts, WorkflowFacts, WorkflowIdentity, github, local_changes, named_values,
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
    let default_branch = app
        .repositories
        .default_branch(&request.project, repository)
        .await
        .unwrap_or_default();
    let facts = facts(app, wanted, resolved, &files)?;
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
struct File {
    path: Option<String>,
    file: String,
    workflow: Result<Arc<Workflow>, Vec<Diagnostic>>,
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
fn facts(
    app: &App,
    wanted: &WorkflowRequest,
    resolved: &ResolvedRef,
    files: &[File],
) -> Result<WorkflowFacts, Refusal> {
    let fills = app.config.fills_api_runs;
    let inputs = |file: &File| -> Result<serde_json::Value, Refusal> {
        let Ok(workflow) = &file.workflow else {
            return Ok(serde_json::json!({}));
        };
        let inputs = match &wanted.event {
            WorkflowEvent::Api if fills => default_inputs(workflow),
            WorkflowEvent::Api => return Ok(serde_json::json!({})),
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
    };
    Ok(WorkflowFacts {
        event_name: event_name.to_owned(),
        git_ref: if tells_ref {
            full_ref(resolved)
        } else {
            String::new()
        },
        inputs: files.iter().map(inputs).collect::<Result<_, _>>()?,
        patch_key: wanted.patch_key.clone(),
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
