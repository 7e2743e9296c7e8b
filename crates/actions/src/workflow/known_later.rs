//! Which questions of a job have no answer yet while its run is compiled: those
//! about other jobs, and those about the run, which has no number before it exists.

use crate::Condition;
use crate::expression::{Use, scope};
use crate::source::tree::Tree;
use crate::workflow::job::Job;

/// Properties of `github` that only a run that exists has.
const OF_RUN: &[&str] = &["run_id", "run_number", "run_attempt"];

/// Whether the shape of the job is known only later: its matrix, name, labels and
/// the like. With `is_first` it waits for no other job.
pub(super) fn shape_is(job: &Job, is_first: bool) -> bool {
    let is_meant = |used: &Use<'_>| asks_run(used) || (!is_first && asks_needs(used));
    let trees = [
        &job.name,
        &job.strategy,
        &job.timeout_minutes,
        &job.continue_on_error,
    ];
    let trees = trees.into_iter().flatten();
    trees
        .chain([&job.runs_on])
        .any(|tree| tree.uses(&scope::JOB, &is_meant))
}

/// Whether the condition of a job that waits for no other has no answer yet.
pub(super) fn condition_is(job: &Job) -> bool {
    job.condition.as_ref().is_some_and(|written| {
        Condition::parse(&written.text, &scope::JOB_IF)
            .is_ok_and(|condition| condition.uses().any(|used| asks_run(&used)))
    })
}

/// Whether a `run-name` asks for what its run is told only later.
pub(super) fn run_name_is(name: &Tree) -> bool {
    name.uses(&scope::WORKFLOW, &asks_run)
}

fn asks_needs(used: &Use<'_>) -> bool {
    matches!(used, Use::Context { name: "needs", .. })
}

/// All of `github` holds these, too.
fn asks_run(used: &Use<'_>) -> bool {
    match used {
        Use::Context {
            name: "github",
            property,
            ..
        } => property
            .is_none_or(|property| OF_RUN.iter().any(|own| own.eq_ignore_ascii_case(property))),
        _ => false,
    }
}
