//! How a run moves on: what is to happen, and what changed.

use tappet_engine::{JobEvent, RunEvent, StageEvent, Transition};
use tappet_model::{AttemptId, RunId, Status, WorkflowId};

use crate::Run;

/// What an action is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// An attempt; it must be its job's newest.
    Attempt(AttemptId),
    /// A run.
    Run(RunId),
    /// A workflow of a run.
    Workflow(WorkflowId),
}

/// What is to happen to the target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// With [`Target::Attempt`].
    Job(JobEvent),
    /// With [`Target::Run`].
    Run(RunEvent),
    /// With [`Target::Workflow`].
    Workflow(StageEvent),
}

/// What changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Advance {
    /// The run after the change.
    pub run: Run,
    /// Attempts that changed or were made, after the change, in order.
    pub changed: Vec<ChangedAttempt>,
    /// As the engine said it.
    pub transitions: Vec<Transition>,
    /// Rising id of the newest event row written.
    pub last_event: i64,
}

/// An attempt that waits for a runner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingAttempt {
    /// Which.
    pub id: AttemptId,
    /// Runner tags.
    pub tags: Vec<String>,
    /// Only runners that run steps can take it.
    pub has_steps: bool,
}

/// One attempt of an [`Advance`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangedAttempt {
    /// Which.
    pub id: AttemptId,
    /// Job name.
    pub name: String,
    /// Where it stands now.
    pub status: Status,
    /// Runner tags, for the dispatcher.
    pub tags: Vec<String>,
    /// Only runners that run steps can take it.
    pub has_steps: bool,
    /// Made by this change.
    pub is_new: bool,
}
