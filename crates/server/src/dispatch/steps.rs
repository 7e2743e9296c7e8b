//! What our own runner is told of a job with steps: the job and the contexts that
//! its expressions see.

use serde_json::{Map, Value};
use tappet_actions::workflow::needs_context;
use tappet_model::steps_payload::StepsPayload;
use tappet_model::workflow_job::WorkflowJob;
use tappet_store::Assignment;

use super::payload::NotDeliverable;
use crate::api::depot::ORGANISATION;
use crate::app::App;
use crate::workflows::decisions::needed;
use crate::workflows::{
    GithubFacts, RunIdentity, WorkflowFacts, WorkflowIdentity, github, named_values,
};

/// Names of secrets that every job has: the job's own token.
const TOKEN_SECRETS: [&str; 2] = ["GITHUB_TOKEN", "DEPOT_TOKEN"];

/// What is known of the place where the job runs.
pub struct StepsFacts<'a> {
    /// The project's default branch.
    pub default_branch: &'a str,
    /// The ref is protected.
    pub is_protected: bool,
    /// The job's own token.
    pub token: &'a str,
}

/// The payload of a job with steps, and the secrets that must not be shown.
pub async fn payload(
    app: &App,
    assignment: &Assignment,
    job: &WorkflowJob,
    facts: StepsFacts<'_>,
) -> Result<(StepsPayload, Vec<String>), NotDeliverable> {
    let unreadable = |error: &dyn std::fmt::Display| NotDeliverable::Variables(error.to_string());
    let run = &assignment.run;
    let event = WorkflowFacts::unseal(&app.secrets, assignment.sealed_event.as_deref())
        .map_err(|error| unreadable(&error))?;
    let position = assignment.attempt.stage_index;
    let workflow = app
        .store
        .workflow(assignment.attempt.workflow_id)
        .await
        .map_err(|error| unreadable(&error))?
        .ok_or_else(|| NotDeliverable::Variables("its workflow is gone".to_owned()))?;
    let settings = app
        .workflow_settings(
            assignment.project.id,
            event.branch(),
            workflow.path.as_deref(),
            None,
        )
        .await
        .map_err(|error| unreadable(&error))?;
    let is_from_fork = assignment
        .pull_request
        .as_ref()
        .is_some_and(|of| of.pull_request.is_from_fork());
    let masks = settings
        .secrets
        .iter()
        .map(|(_, value)| value.clone())
        .collect();
    // GitHub: whoever approves a fork's code has not shared the secrets with it.
    let mut secrets = match is_from_fork {
        true => Vec::new(),
        false => settings.secrets,
    };
    for name in TOKEN_SECRETS {
        if !secrets.iter().any(|(known, _)| known == name) {
            secrets.push((name.to_owned(), facts.token.to_owned()));
        }
    }
    let known = GithubFacts {
        config: &app.config,
        project: &assignment.project,
        default_branch: facts.default_branch,
        facts: &event,
        position,
        workflow: WorkflowIdentity {
            path: workflow.path.as_deref(),
            file: &workflow.file,
            name: workflow.name.as_deref(),
        },
        sha: run.sha.as_str(),
        user: assignment.user.as_ref(),
        is_protected: facts.is_protected,
        run: Some(RunIdentity {
            run,
            attempt: assignment.attempt.number,
            job: &job.key,
            token: facts.token,
        }),
    };
    let mut contexts = Map::new();
    let mut add = |name: &str, value: Value| contexts.insert(name.to_owned(), value);
    add("github", github(&known));
    add("inputs", event.inputs_of(position));
    add("vars", named_values(settings.vars));
    add("secrets", named_values(secrets));
    let needs = needed(app, &assignment.needs).map_err(|error| unreadable(&error))?;
    add("needs", needs_context(&needs).to_json());
    add("strategy", job.strategy.clone());
    add("matrix", job.matrix.clone());
    add("depot", depot(app, assignment, job));
    Ok((
        StepsPayload {
            job: job.clone(),
            contexts,
        },
        masks,
    ))
}

/// What becomes `DEPOT_…` in the environment of steps (Depot: live jobs).
fn depot(app: &App, assignment: &Assignment, job: &WorkflowJob) -> Value {
    let path = format!(
        "/{}/-/jobs/{}",
        assignment.project.path, assignment.attempt.id
    );
    let mut depot = Map::new();
    depot.insert("org_id".to_owned(), ORGANISATION.into());
    depot.insert("job_url".to_owned(), app.config.url(&path).into());
    if job.leg.is_some() {
        for (name, property) in [
            ("matrix_job_index", "job-index"),
            ("matrix_job_total", "job-total"),
        ] {
            let number = job.strategy.get(property).map(ToString::to_string);
            depot.insert(name.to_owned(), number.unwrap_or_default().into());
        }
    }
    depot.into()
}
