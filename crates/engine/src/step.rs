//! What each event means: whether it is possible now, and what it does to the
//! job it is about. What follows for the others is [`process`](crate::process)'s
//! business.

use tappet_model::plan::When;
use tappet_model::{FailureReason, Status};

use crate::process::{Attempt, Processing, statuses};
use crate::retry::retries_again;
use crate::{
    Graph, JobEvent, JobState, Refused, RunEvent, RunHold, RunState, StageEvent, Transition,
    is_allowed_failure,
};

/// Applies an event to the newest attempt of one job.
pub(crate) fn job_event(
    graph: &Graph,
    state: &mut RunState,
    job: usize,
    event: JobEvent,
) -> Result<Vec<Transition>, Refused> {
    let status = state.jobs.get(job).ok_or(Refused::UnknownJob)?.status;
    let require = |possible: bool, otherwise| if possible { Ok(()) } else { Err(otherwise) };
    match event {
        JobEvent::Run { cancels_gracefully } => {
            require(status == Status::Pending, Refused::NotPending)?;
            state.jobs[job].cancels_gracefully = cancels_gracefully;
            Ok(moved(graph, state, job, Status::Running))
        }
        JobEvent::Success => {
            require(status.is_executing(), Refused::NotRunning)?;
            let to = if status == Status::Canceling {
                Status::Canceled
            } else {
                Status::Success
            };
            Ok(moved(graph, state, job, to))
        }
        JobEvent::Drop { .. } if status == Status::Canceling => {
            Ok(moved(graph, state, job, Status::Canceled))
        }
        JobEvent::Drop { reason, exit_code } => {
            let waits = status == Status::Scheduled || status.is_active();
            let possible = status == Status::Running || (waits && ends_the_wait(reason));
            require(possible, Refused::NotRunning)?;
            Ok(failed(graph, state, job, reason, exit_code))
        }
        JobEvent::Cancel => {
            let mut processing = Processing::new(graph, state);
            processing.cancel(job);
            Ok(processing.finish())
        }
        JobEvent::ForceCancel => {
            require(status == Status::Canceling, Refused::NotPossible)?;
            Ok(moved(graph, state, job, Status::Canceled))
        }
        JobEvent::Play => {
            let playable = matches!(status, Status::Manual | Status::Scheduled);
            require(playable, Refused::NotPlayable)?;
            let mut processing = Processing::new(graph, state);
            processing.enqueue(job);
            processing.reopen_dependants(job);
            Ok(processing.finish())
        }
        JobEvent::Retry => {
            require(is_retryable(status), Refused::NotRetryable)?;
            let mut processing = Processing::new(graph, state);
            processing.begin_attempt(job, Attempt::ByHand);
            processing.reopen_dependants(job);
            Ok(processing.finish())
        }
        JobEvent::Skip => {
            // Once it is decided, the decision may be about needs that are not over again.
            let may_come_early = graph.jobs[job].when != When::Decided;
            let waits = (status == Status::Created && may_come_early)
                || (status.is_active() && status != Status::Running);
            require(waits, Refused::NotPossible)?;
            Ok(moved(graph, state, job, Status::Skipped))
        }
        JobEvent::Enqueue => {
            let held = matches!(
                status,
                Status::Scheduled
                    | Status::WaitingForResource
                    | Status::Preparing
                    | Status::WaitingForCallback
            );
            require(held, Refused::NotPossible)?;
            let mut processing = Processing::new(graph, state);
            processing.enqueue(job);
            Ok(processing.finish())
        }
    }
}

/// Applies an event to the whole run.
pub(crate) fn run_event(graph: &Graph, state: &mut RunState, event: RunEvent) -> Vec<Transition> {
    let is_held = state.hold == RunHold::Held;
    match event {
        RunEvent::Release if is_held => state.hold = RunHold::None,
        RunEvent::GiveUp { .. } if is_held => state.hold = RunHold::GivenUp,
        _ => {}
    }
    let mut processing = Processing::new(graph, state);
    match event {
        RunEvent::Cancel => processing.cancel_all(None),
        RunEvent::Retry => processing.repeat(None, &[Status::Failed, Status::Canceled]),
        RunEvent::GiveUp { reason } if is_held => processing.fail_all(reason),
        RunEvent::Release | RunEvent::GiveUp { .. } => {}
    }
    processing.finish()
}

/// Applies an event to all jobs of one stage, or of all for a run that is one
/// workflow.
pub(crate) fn stage_event(
    graph: &Graph,
    state: &mut RunState,
    stage: Option<usize>,
    event: StageEvent,
) -> Result<Vec<Transition>, Refused> {
    let of_stage = (0..state.jobs.len())
        .filter(|&job| stage.is_none_or(|stage| graph.jobs[job].stage == stage));
    let status = statuses(graph, &state.jobs, of_stage).status(false);
    let is_over = status.is_none_or(Status::is_completed);
    if event != StageEvent::Cancel && !is_over {
        return Err(Refused::NotOver);
    }
    let mut processing = Processing::new(graph, state);
    match event {
        StageEvent::Cancel => processing.cancel_all(stage),
        StageEvent::Retry => processing.repeat(stage, &[Status::Failed, Status::Canceled]),
        StageEvent::Rerun => {
            let ended = [Status::Success, Status::Failed, Status::Canceled];
            processing.repeat(stage, &ended);
        }
    }
    Ok(processing.finish())
}

/// Puts the jobs that a waiting one turned out to be in its place, the new ones at
/// the end, and lets them start.
pub(crate) fn expansion(
    graph: &Graph,
    state: &mut RunState,
    job: usize,
) -> Result<Vec<Transition>, Refused> {
    let waiting = state.jobs.get(job).ok_or(Refused::UnknownJob)?;
    if waiting.status != Status::WaitingForCallback {
        return Err(Refused::NotPossible);
    }
    let first_new = state.jobs.len();
    state.jobs.resize(graph.jobs.len(), JobState::created());
    let mut processing = Processing::new(graph, state);
    for leg in std::iter::once(job).chain(first_new..graph.jobs.len()) {
        processing.enqueue(leg);
    }
    Ok(processing.finish())
}

fn moved(graph: &Graph, state: &mut RunState, job: usize, to: Status) -> Vec<Transition> {
    let mut processing = Processing::new(graph, state);
    processing.change(job, to);
    processing.finish()
}

fn failed(
    graph: &Graph,
    state: &mut RunState,
    job: usize,
    reason: FailureReason,
    exit_code: Option<i32>,
) -> Vec<Transition> {
    let fixed = &graph.jobs[job];
    let again = retries_again(
        &fixed.retry,
        reason,
        exit_code,
        state.jobs[job].automatic_retries,
    );
    let mut processing = Processing::new(graph, state);
    processing.fail(job, reason, exit_code);
    if again {
        // Nothing was skipped on account of an attempt that was still running.
        processing.begin_attempt(job, Attempt::Automatic);
    } else if !is_allowed_failure(fixed, exit_code) {
        if graph.cancel_on_job_failure {
            processing.cancel_all(None);
        }
        processing.give_up_siblings(job);
    }
    processing.finish()
}

/// Whether the failure is one of an attempt that no runner has taken yet. Every
/// other reason tells of a runner, so without one it is a late or wrong call.
fn ends_the_wait(reason: FailureReason) -> bool {
    matches!(
        reason,
        FailureReason::StuckOrTimeoutFailure
            | FailureReason::MissingDependencyFailure
            | FailureReason::RunnerUnsupported
            | FailureReason::StaleSchedule
            | FailureReason::ArchivedFailure
            | FailureReason::UnmetPrerequisites
            | FailureReason::SchedulerFailure
            | FailureReason::DataIntegrityFailure
            | FailureReason::NoMatchingRunner
            | FailureReason::ConfigError
    )
}

/// A skipped job is not: it has not been tried, and comes back by itself when
/// what it waits for is retried.
fn is_retryable(status: Status) -> bool {
    status.is_completed() && status != Status::Skipped
}
