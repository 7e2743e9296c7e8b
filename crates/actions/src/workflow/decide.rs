//! A job whose needs are over: does it run, and as which jobs?

use tappet_model::Diagnostic;
use tappet_model::steps_payload::StepOutcome;
use tappet_model::workflow_job::WorkflowJob;

use crate::expression::scope;
use crate::workflow::environment::{JobEnvironment, RunContexts};
use crate::workflow::job::Job;
use crate::workflow::resolve::{ResolvedJobs, resolve};
use crate::{Condition, Object, Value};

/// A job of `needs` that is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NeededJob {
    /// Its id.
    pub key: String,
    /// How it ended; of a matrix: [`overall`].
    pub result: StepOutcome,
    /// What it put out, in order; of a matrix: of all legs, one after the other.
    pub outputs: Vec<(String, String)>,
}

/// What is known once a job's needs are over.
#[derive(Clone, Debug, Default)]
pub struct DecisionContexts {
    /// The same as when the run was compiled.
    pub run: RunContexts,
    /// The jobs of its `needs`.
    pub needs: Vec<NeededJob>,
    /// All jobs that had to be over before it, those of `needs` too, by id.
    pub ancestors: Vec<(String, StepOutcome)>,
    /// Whether somebody cancels the run.
    pub is_cancelled: bool,
}

/// What becomes of the job.
#[derive(Clone, PartialEq, Debug)]
pub enum Decision {
    /// It runs as it is.
    Run,
    /// It does not run.
    Skip,
    /// These run in its place.
    Legs(ResolvedJobs),
}

/// Judges a job's `if`, and gives a job whose shape waited for its needs that
/// shape.
///
/// # Errors
///
/// Why its condition or its shape has no value, with line and column if they
/// are known: the job fails.
pub fn decide(job: &WorkflowJob, contexts: &DecisionContexts) -> Result<Decision, String> {
    let environment = JobEnvironment {
        needs: needs_context(&contexts.needs),
        ancestors: &contexts.ancestors,
        is_cancelled: contexts.is_cancelled,
        ..JobEnvironment::first(&contexts.run)
    };
    let condition = job.condition.as_deref().unwrap_or_default();
    let holds = Condition::parse(condition, &scope::JOB_IF)
        .and_then(|condition| condition.holds(&environment))
        .map_err(|error| format!("The `if` of job '{}' has no value: {error}", job.key))?;
    if !holds {
        return Ok(Decision::Skip);
    }
    let Some(stored) = &job.unresolved else {
        return Ok(Decision::Run);
    };
    let written: Job = serde_json::from_value(stored.clone())
        .map_err(|error| format!("The stored job '{}' cannot be read: {error}", job.key))?;
    let resolved = resolve(&written, &environment).map_err(|error| with_place(&error))?;
    if resolved.jobs.is_empty() {
        return Ok(Decision::Skip);
    }
    Ok(Decision::Legs(resolved))
}

fn with_place(error: &Diagnostic) -> String {
    match error.position {
        Some(position) => format!(
            "(Line: {}, Col: {}): {}",
            position.line, position.column, error.message
        ),
        None => error.message.clone(),
    }
}

/// The `needs` context: results and outputs by job id. Of two outputs of one
/// name the later one counts, unless it is empty.
pub fn needs_context(needs: &[NeededJob]) -> Value {
    let mut context = Object::new();
    for job in needs {
        let mut outputs = Object::new();
        for (name, value) in &job.outputs {
            if !value.is_empty() || outputs.get(name).is_none() {
                outputs.insert(name.as_str(), Value::from(value.as_str()));
            }
        }
        let mut entry = Object::new();
        entry.insert("result", Value::from(job.result.as_str()));
        entry.insert("outputs", outputs.into());
        context.insert(job.key.as_str(), entry.into());
    }
    context.into()
}

/// The result of a job from those of its legs: the worst of them, and skipped
/// only when all are.
pub fn overall(legs: impl IntoIterator<Item = StepOutcome>) -> StepOutcome {
    let badness = |outcome: &StepOutcome| match outcome {
        StepOutcome::Skipped => 0,
        StepOutcome::Success => 1,
        StepOutcome::Cancelled => 2,
        StepOutcome::Failure => 3,
    };
    legs.into_iter()
        .max_by_key(badness)
        .unwrap_or(StepOutcome::Skipped)
}
