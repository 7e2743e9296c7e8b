//! What can happen to a run, and what follows from it.

use tappet_model::{FailureReason, Status};

use crate::StatusSet;

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// To one job; it means the job's newest attempt.
    Job {
        /// Index into [`Graph::jobs`](crate::Graph::jobs).
        job: usize,
        /// What.
        event: JobEvent,
    },
    /// To the run as a whole.
    Run(RunEvent),
    /// To one workflow of the run.
    Stage {
        /// The stage that holds its jobs; `None`: the run is this one workflow.
        stage: Option<usize>,
        /// What.
        event: StageEvent,
    },
    /// To statuses that foreign systems set: all that count now, beside the jobs.
    External(StatusSet),
}

/// What can happen to a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JobEvent {
    /// A runner took it.
    Run {
        /// The runner stops gracefully when asked, so a cancel goes through
        /// `canceling`.
        cancels_gracefully: bool,
    },
    /// Its script went well.
    Success,
    /// It failed; a canceling job ends `canceled` instead. A job that no runner
    /// has taken fails only for a reason that needs no runner, such as
    /// [`FailureReason::StuckOrTimeoutFailure`].
    Drop {
        /// Why.
        reason: FailureReason,
        /// Of the failing command.
        exit_code: Option<i32>,
    },
    /// Somebody wants it stopped.
    Cancel,
    /// It has been canceling for too long.
    ForceCancel,
    /// Somebody starts a manual or delayed job.
    Play,
    /// Somebody wants another attempt of an ended job.
    Retry,
    /// It will not run.
    Skip,
    /// Its delay or prerequisite is over, or it was decided that it starts.
    Enqueue,
}

/// What can happen to a run as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunEvent {
    /// Stop everything that is not over. Manual jobs without which the run ends
    /// stay playable.
    Cancel,
    /// Repeat what failed or was canceled.
    Retry,
    /// A held run starts, as one that never was held does at its creation. Nothing
    /// happens to others.
    Release,
    /// A held run has waited for too long: it fails with all jobs that have not begun.
    /// Nothing happens to others.
    GiveUp {
        /// Why.
        reason: FailureReason,
    },
}

/// What can happen to one workflow of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StageEvent {
    /// Stop everything of it that is not over; nothing of it starts any more.
    Cancel,
    /// Repeat what failed or was canceled, once all is over. What was skipped on
    /// account of that gets another look.
    Retry,
    /// Repeat all of it, once all is over.
    Rerun,
}

/// A change that follows from an event, in the order in which it happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Transition {
    /// The newest attempt of a job changed.
    Job {
        /// Which job.
        job: usize,
        /// Before.
        from: Status,
        /// After.
        to: Status,
        /// With `to` failed.
        reason: Option<FailureReason>,
        /// With `to` failed, where a command gave one.
        exit_code: Option<i32>,
    },
    /// A job got another attempt; the older one stays as it ended.
    NewAttempt {
        /// Which job.
        job: usize,
        /// Its number, from 2.
        number: u32,
        /// Where it begins.
        status: Status,
        /// Nobody asked: the retry policy did.
        automatic: bool,
    },
    /// The run as a whole changed.
    Run {
        /// Before.
        from: Status,
        /// After.
        to: Status,
    },
}

/// An event that makes no sense in this state; nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// No such job in the run.
    #[error("the run has no such job")]
    UnknownJob,
    /// The attempt is not running (ended, canceled, never started).
    #[error("the job is not running")]
    NotRunning,
    /// Only a pending job can be taken.
    #[error("the job is not waiting for a runner")]
    NotPending,
    /// Only manual (or scheduled) jobs can be played.
    #[error("the job cannot be played")]
    NotPlayable,
    /// Only ended jobs can be retried.
    #[error("the job is not retryable")]
    NotRetryable,
    /// Only ended workflows can be repeated.
    #[error("the workflow is not over")]
    NotOver,
    /// The job is beyond that.
    #[error("the job cannot be changed this way now")]
    NotPossible,
}
