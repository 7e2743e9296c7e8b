//! What each event means: whether it is possible now, and what it does to the
//! job it is about. What follows for the others is [`process`](crate::process)'s
//! business.

use tappet_model::{FailureReason, Status};

use crate::process::{Attempt, Processing};
use crate::retry::retries_again;
use crate::{Graph, JobEvent, JobState, Refused, RunEvent, Transition, is_allowed_failure};

/// Applies an event to the newest attempt of one job.
pub(crate) fn job_event(
    graph: &Graph,
    jobs: &mut [JobState],
    job: usize,
    event: JobEvent,
) -> Result<Vec<Transition>, Refused> {
    let status = jobs.get(job).ok_or(Refused::UnknownJob)?.status;
    let require = |possible: bool, otherwise| if possible { Ok(()) } else { Err(otherwise) };
    match event {
        JobEvent::Run { cancels_gracefully } => {
            require(status == Status::Pending, Refused::NotPending)?;
            jobs[job].cancels_gracefully = cancels_gracefully;
            Ok(moved(graph, jobs, job, Status::Running))
        }
        JobEvent::Success => {
            require(status.is_executing(), Refused::NotRunning)?;
            let to = if status == Status::Canceling {
                Status::Canceled
            } else {
                Status::Success
            };
            Ok(moved(graph, jobs, job, to))
        }
        JobEvent::Drop { .. } if status == Status::Canceling => {
            Ok(moved(graph, jobs, job, Status::Canceled))
        }
        JobEvent::Drop { reason, exit_code } => {
            let waits = status == Status::Scheduled || status.is_active();
            let possible = status == Status::Running || (waits && ends_the_wait(reason));
            require(possible, Refused::NotRunning)?;
            Ok(failed(graph, jobs, job, reason, exit_code))
        }
        JobEvent::Cancel => {
            let mut processing = Processing::new(graph, jobs);
            processing.cancel(job);
            Ok(processing.finish())
        }
        JobEvent::ForceCancel => {
            require(status == Status::Canceling, Refused::NotPossible)?;
            Ok(moved(graph, jobs, job, Status::Canceled))
        }
        JobEvent::Play => {
            let playable = matches!(status, Status::Manual | Status::Scheduled);
            require(playable, Refused::NotPlayable)?;
            let mut processing = Processing::new(graph, jobs);
            processing.change(job, Status::Pending);
            processing.reopen_dependants(job);
            Ok(processing.finish())
        }
        JobEvent::Retry => {
            require(is_retryable(status), Refused::NotRetryable)?;
            let mut processing = Processing::new(graph, jobs);
            processing.begin_attempt(job, Attempt::ByHand);
            processing.reopen_dependants(job);
            Ok(processing.finish())
        }
        JobEvent::Skip => {
            let waits =
                status == Status::Created || (status.is_active() && status != Status::Running);
            require(waits, Refused::NotPossible)?;
            Ok(moved(graph, jobs, job, Status::Skipped))
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
            Ok(moved(graph, jobs, job, Status::Pending))
        }
    }
}

/// Applies an event to the whole run.
pub(crate) fn run_event(graph: &Graph, jobs: &mut [JobState], event: RunEvent) -> Vec<Transition> {
    let mut processing = Processing::new(graph, jobs);
    match event {
        RunEvent::Cancel => processing.cancel_all(),
        RunEvent::Retry => processing.retry_all(),
    }
    processing.finish()
}

fn moved(graph: &Graph, jobs: &mut [JobState], job: usize, to: Status) -> Vec<Transition> {
    let mut processing = Processing::new(graph, jobs);
    processing.change(job, to);
    processing.finish()
}

fn failed(
    graph: &Graph,
    jobs: &mut [JobState],
    job: usize,
    reason: FailureReason,
    exit_code: Option<i32>,
) -> Vec<Transition> {
    let fixed = &graph.jobs[job];
    let again = retries_again(&fixed.retry, reason, exit_code, jobs[job].automatic_retries);
    let mut processing = Processing::new(graph, jobs);
    processing.fail(job, reason, exit_code);
    if again {
        // Nothing was skipped on account of an attempt that was still running.
        processing.begin_attempt(job, Attempt::Automatic);
    } else if graph.cancel_on_job_failure && !is_allowed_failure(fixed, exit_code) {
        processing.cancel_all();
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
