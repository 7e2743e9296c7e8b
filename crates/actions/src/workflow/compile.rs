//! Workflows and the contexts of their run → the plan.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use tappet_model::Diagnostic;
use tappet_model::plan::{Need, Plan, PlannedJob, PlannedWorkflow, RetryPolicy, When};

use crate::Condition;
use crate::expression::scope;
use crate::workflow::Workflow;
use crate::workflow::environment::{JobEnvironment, RunContexts};
use crate::workflow::job::Job;
use crate::workflow::known_later;
use crate::workflow::resolve::{ResolvedJobs, placeholder, resolve};

/// GitHub tells no more errors of one file.
const MAX_ERRORS: usize = 10;

/// A workflow file of a run.
#[derive(Clone, Debug)]
pub struct WorkflowFile {
    /// From the root of the repository; `None` when its text came with the call.
    pub path: Option<String>,
    /// What messages call it, and the first part of its job keys: `ci.yml`.
    pub file: String,
    /// What [`parse`](crate::workflow::parse) made of it.
    pub workflow: Result<Arc<Workflow>, Vec<Diagnostic>>,
    /// What its expressions see: `github.workflow`, `inputs` and `vars` are its own.
    pub contexts: RunContexts,
}

/// No workflow of the run has the job that was asked for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("job \"{job}\" not found in workflow. Available jobs: {}", available.join(", "))]
pub struct UnknownJob {
    /// What was asked for.
    pub job: String,
    /// Ids of the jobs that there are.
    pub available: Vec<String>,
}

/// Turns the workflows of a run into its plan: one stage for each. A workflow
/// with errors has no jobs but an `error`. With `job` only the job of that id
/// runs, whatever it needs; all others are skipped.
///
/// # Errors
///
/// When `job` is the id of no job, and no file has errors that may hide it.
pub fn compile(files: &[WorkflowFile], job: Option<&str>) -> Result<Plan, UnknownJob> {
    if let Some(job) = job {
        check_job(files, job)?;
    }
    let mut plan = Plan::default();
    for file in files {
        let mut planned = PlannedWorkflow {
            path: file.path.clone(),
            file: file.file.clone(),
            name: None,
            error: None,
        };
        let errors = match &file.workflow {
            Ok(workflow) => {
                planned.name.clone_from(&workflow.name);
                let warnings = workflow.warnings.iter().cloned().map(|mut warning| {
                    warning.message = format!("{}: {}", file.file, warning.message);
                    warning
                });
                plan.warnings.extend(warnings);
                let is_only = files.len() == 1;
                match add_workflow(&mut plan, workflow, &file.contexts, job, is_only) {
                    Ok(()) => Vec::new(),
                    Err(errors) => errors,
                }
            }
            Err(errors) => errors.clone(),
        };
        if !errors.is_empty() {
            planned.error = Some(error_text(&file.file, &errors));
        }
        plan.stages.push(stage_name(&plan.stages, &planned));
        plan.workflows.push(planned);
    }
    Ok(plan)
}

fn check_job(files: &[WorkflowFile], job: &str) -> Result<(), UnknownJob> {
    let mut available = Vec::new();
    for file in files {
        let Ok(workflow) = &file.workflow else {
            return Ok(());
        };
        available.extend(workflow.job_keys().map(str::to_owned));
    }
    if available.iter().any(|key| key == job) {
        return Ok(());
    }
    Err(UnknownJob {
        job: job.to_owned(),
        available,
    })
}

/// `ci.yml (Line: 3, Col: 5): Unexpected value 'x'`, a line for each error.
fn error_text(file: &str, errors: &[Diagnostic]) -> String {
    let lines: Vec<String> = errors
        .iter()
        .take(MAX_ERRORS)
        .map(|error| {
            // A message may repeat a text of the file that has line breaks.
            let message = error.message.replace(['\n', '\r'], " ");
            match error.position {
                Some(position) => format!(
                    "{file} (Line: {}, Col: {}): {message}",
                    position.line, position.column
                ),
                None => format!("{file}: {message}"),
            }
        })
        .collect();
    lines.join("\n")
}

/// The workflow's name, told apart from others of the same name by its file.
fn stage_name(stages: &[String], workflow: &PlannedWorkflow) -> String {
    match &workflow.name {
        Some(name) if !stages.contains(name) => name.clone(),
        Some(name) => format!("{name} ({})", workflow.file),
        None => workflow.file.clone(),
    }
}

/// A job of the file and what the plan has for it.
struct Draft<'a> {
    job: &'a Job,
    when: When,
    resolved: ResolvedJobs,
}

/// Adds a workflow's jobs to the plan, or nothing when something is wrong.
fn add_workflow(
    plan: &mut Plan,
    workflow: &Workflow,
    contexts: &RunContexts,
    selected: Option<&str>,
    is_only: bool,
) -> Result<(), Vec<Diagnostic>> {
    let environment = JobEnvironment::first(contexts);
    let mut drafts = Vec::with_capacity(workflow.jobs.len());
    let mut errors = Vec::new();
    for job in &workflow.jobs {
        match draft(job, &environment, selected) {
            Ok(draft) => drafts.push(draft),
            Err(error) => errors.push(error),
        }
    }
    match run_name(workflow, &environment) {
        Ok(name) if is_only => plan.name = name,
        Ok(_) => {}
        Err(error) => errors.push(error),
    }
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.position);
        return Err(errors);
    }
    add_jobs(plan, drafts, selected.is_some());
    Ok(())
}

/// The run's name, if it can be told before the run exists.
fn run_name(
    workflow: &Workflow,
    environment: &JobEnvironment<'_>,
) -> Result<Option<String>, Diagnostic> {
    let written = workflow.run_name.as_ref();
    let Some(written) = written.filter(|name| !known_later::run_name_is(name)) else {
        return Ok(None);
    };
    let name = written.evaluate(&scope::WORKFLOW, environment)?.as_text()?;
    Ok(Some(name).filter(|name| !name.trim().is_empty()))
}

fn draft<'a>(
    job: &'a Job,
    environment: &JobEnvironment<'_>,
    selected: Option<&str>,
) -> Result<Draft<'a>, Diagnostic> {
    let as_placeholder = |when, unresolved| Draft {
        job,
        when,
        resolved: ResolvedJobs {
            jobs: vec![placeholder(job, unresolved)],
            group: None,
        },
    };
    if selected.is_some_and(|key| key != job.key) {
        return Ok(as_placeholder(When::Never, None));
    }
    let is_first = job.needs.is_empty() || selected.is_some();
    let is_decided = !is_first || known_later::condition_is(job);
    if !is_decided && !holds(job, environment)? {
        return Ok(as_placeholder(When::Never, None));
    }
    if known_later::shape_is(job, is_first) {
        return Ok(as_placeholder(When::Decided, Some(job.to_json())));
    }
    let resolved = resolve(job, environment)?;
    if resolved.jobs.is_empty() {
        return Ok(as_placeholder(When::Never, None));
    }
    Ok(Draft {
        job,
        when: if is_decided {
            When::Decided
        } else {
            When::OnSuccess
        },
        resolved,
    })
}

fn holds(job: &Job, environment: &JobEnvironment<'_>) -> Result<bool, Diagnostic> {
    let Some(written) = &job.condition else {
        return Ok(true);
    };
    Condition::parse(&written.text, &scope::JOB_IF)
        .and_then(|condition| condition.holds(environment))
        .map_err(|error| Diagnostic::at(written.position, error.to_string()))
}

fn add_jobs(plan: &mut Plan, drafts: Vec<Draft<'_>>, ignore_needs: bool) {
    let stage = plan.stages.len();
    let mut first = plan.jobs.len();
    let mut places: Vec<(&str, Range<usize>)> = Vec::with_capacity(drafts.len());
    for draft in &drafts {
        let after = first + draft.resolved.jobs.len();
        places.push((&draft.job.key, first..after));
        first = after;
    }
    let mut names = HashSet::new();
    for draft in drafts {
        let needs: Vec<Need> = draft
            .job
            .needs
            .iter()
            .filter(|_| !ignore_needs)
            .filter_map(|need| places.iter().find(|(key, _)| *key == need.text))
            .flat_map(|(_, places)| places.clone())
            .map(|job| Need {
                job,
                artifacts: false,
            })
            .collect();
        let group = draft.resolved.group.map(|group| {
            plan.groups.push(group);
            plan.groups.len() - 1
        });
        for job in draft.resolved.jobs {
            plan.jobs.push(PlannedJob {
                name: unique(&mut names, job.name),
                stage,
                when: draft.when,
                allow_failure: job.allow_failure,
                needs: Some(needs.clone()),
                group,
                retry: RetryPolicy::default(),
                tags: job.tags,
                environment: None,
                spec: job.spec,
            });
        }
    }
}

/// Two jobs of a workflow may have one name in the file, but not in the plan.
fn unique(names: &mut HashSet<String>, name: String) -> String {
    let mut candidate = name.clone();
    let mut number = 2;
    while !names.insert(candidate.clone()) {
        candidate = format!("{name} ({number})");
        number += 1;
    }
    candidate
}
