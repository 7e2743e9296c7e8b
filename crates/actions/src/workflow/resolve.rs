//! A job with its contexts → the jobs that run: itself, or the legs of its
//! matrix.

use std::sync::Arc;

use tappet_model::Diagnostic;
use tappet_model::plan::{AllowFailure, ArtifactSources, JobGroup, JobSpec};
use tappet_model::workflow_job::WorkflowJob;

use crate::expression::scope;
use crate::source::tree::{Content, Tree};
use crate::workflow::environment::JobEnvironment;
use crate::workflow::job::Job;
use crate::workflow::matrix::leg_name;
use crate::workflow::{runs_on, strategy};
use crate::{Object, Value};

/// GitHub's limit for jobs that name none.
const DEFAULT_TIMEOUT_MINUTES: f64 = 360.0;

/// A job that can run.
#[derive(Clone, PartialEq, Debug)]
pub struct ResolvedJob {
    /// Its evaluated name.
    pub name: String,
    /// Its evaluated `continue-on-error`.
    pub allow_failure: AllowFailure,
    /// Labels that its runner must have.
    pub tags: Vec<String>,
    /// What the runner does.
    pub spec: Arc<JobSpec>,
}

/// What became of a job.
#[derive(Clone, PartialEq, Debug)]
pub struct ResolvedJobs {
    /// In the order of the matrix; none when its lists are empty.
    pub jobs: Vec<ResolvedJob>,
    /// What they share, when they are legs of a matrix.
    pub group: Option<JobGroup>,
}

/// Evaluates everything that is known before a job runs.
///
/// # Errors
///
/// Expressions without a value, and values that fit no key, with their place.
pub(super) fn resolve(
    job: &Job,
    environment: &JobEnvironment<'_>,
) -> Result<ResolvedJobs, Diagnostic> {
    let strategy = match &job.strategy {
        Some(tree) => strategy::resolve(&tree.evaluate(&scope::STRATEGY, environment)?)?,
        None => strategy::Strategy::default(),
    };
    let Some(legs) = strategy.legs else {
        let mut environment = environment.clone();
        environment.strategy = strategy_context(&strategy.group, 0, 1);
        return Ok(ResolvedJobs {
            jobs: vec![resolve_one(job, &environment, None)?],
            group: None,
        });
    };
    let total = legs.len();
    let jobs = legs
        .into_iter()
        .enumerate()
        .map(|(index, leg)| {
            let mut environment = environment.clone();
            environment.strategy = strategy_context(&strategy.group, index, total);
            environment.matrix = leg.values;
            resolve_one(job, &environment, Some((index, &leg.name_parts)))
        })
        .collect::<Result<_, _>>()?;
    Ok(ResolvedJobs {
        jobs,
        group: Some(strategy.group),
    })
}

fn strategy_context(group: &JobGroup, index: usize, total: usize) -> Value {
    let parallel = group.max_parallel.map_or(total as f64, f64::from);
    let mut context = Object::new();
    context.insert("fail-fast", Value::Bool(group.fail_fast));
    context.insert("job-index", Value::Number(index as f64));
    context.insert("job-total", Value::Number(total as f64));
    context.insert("max-parallel", Value::Number(parallel));
    context.into()
}

fn resolve_one(
    job: &Job,
    environment: &JobEnvironment<'_>,
    leg: Option<(usize, &[String])>,
) -> Result<ResolvedJob, Diagnostic> {
    let evaluate = |tree: &Tree| tree.evaluate(&scope::JOB, environment);
    let name = match &job.name {
        Some(tree) => evaluate(tree)?.as_text()?,
        None => String::new(),
    };
    // A name that was computed says already which leg it is.
    let is_computed = job.name.as_ref().is_some_and(Tree::is_expression) && !name.is_empty();
    let name = if name.is_empty() { &job.key } else { &name };
    let name = match leg {
        Some((_, parts)) if !is_computed => leg_name(name, parts),
        _ => name.clone(),
    };
    let may_fail = match &job.continue_on_error {
        Some(tree) => evaluate(tree)?.as_bool()?,
        None => false,
    };
    let timeout_s = match &job.timeout_minutes {
        Some(tree) => seconds(&evaluate(tree)?)?,
        None => (DEFAULT_TIMEOUT_MINUTES * 60.0) as u64,
    };
    let workflow_job = WorkflowJob {
        leg: leg.map(|(index, _)| index),
        matrix: environment.matrix.to_json(),
        strategy: environment.strategy.to_json(),
        env: job.env.clone(),
        outputs: job.outputs.clone(),
        steps: job.steps.clone(),
        ..unresolved_part(job)
    };
    Ok(ResolvedJob {
        name,
        allow_failure: if may_fail {
            AllowFailure::Yes
        } else {
            AllowFailure::No
        },
        tags: runs_on::tags(&evaluate(&job.runs_on)?)?,
        spec: Arc::new(spec(workflow_job, Some(timeout_s))),
    })
}

/// A job whose shape is not known, or does not matter because it never runs.
pub(super) fn placeholder(job: &Job, unresolved: Option<serde_json::Value>) -> ResolvedJob {
    let name = match job.name.as_ref().map(|name| &name.content) {
        Some(Content::Text(name)) if !name.is_empty() && !name.contains("${{") => name.clone(),
        _ => job.key.clone(),
    };
    let workflow_job = WorkflowJob {
        unresolved,
        ..unresolved_part(job)
    };
    ResolvedJob {
        name,
        allow_failure: AllowFailure::No,
        tags: Vec::new(),
        spec: Arc::new(spec(workflow_job, None)),
    }
}

fn unresolved_part(job: &Job) -> WorkflowJob {
    WorkflowJob {
        key: job.key.clone(),
        condition: job.condition.as_ref().map(|label| label.text.clone()),
        ..WorkflowJob::default()
    }
}

fn spec(workflow_job: WorkflowJob, timeout_s: Option<u64>) -> JobSpec {
    JobSpec {
        timeout_s,
        artifact_sources: ArtifactSources::Jobs(Vec::new()),
        workflow_job: Some(Arc::new(workflow_job)),
        ..JobSpec::default()
    }
}

/// Minutes as seconds; parts of a minute count.
fn seconds(minutes: &Tree) -> Result<u64, Diagnostic> {
    let seconds = (minutes.as_number()? * 60.0).round();
    if seconds >= 1.0 {
        return Ok(seconds as u64);
    }
    Err(Diagnostic::at(
        minutes.position,
        "`timeout-minutes` has to be greater than 0",
    ))
}
