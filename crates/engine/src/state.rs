//! The moving part of a run.

use serde::{Deserialize, Serialize};
use tappet_model::{FailureReason, Status};

use crate::{Event, Graph, Refused, Transition};

/// The moving part of a job: its newest attempt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JobState {
    /// Status of the newest attempt.
    pub status: Status,
    /// Number of the newest attempt, from 1.
    pub attempt: u32,
    /// Attempts that the retry policy made by itself since the last retry by hand.
    pub automatic_retries: u32,
    /// Why the newest attempt failed.
    pub failure_reason: Option<FailureReason>,
    /// Its exit code, where known.
    pub exit_code: Option<i32>,
    /// Its runner stops gracefully.
    pub cancels_gracefully: bool,
}

/// Where a run stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunState {
    /// One per job of the graph.
    pub jobs: Vec<JobState>,
    /// Status of the run as last reported by a [`Transition::Run`].
    pub status: Status,
}

impl RunState {
    /// The state right after creation, and the first transitions: every job is
    /// `created`, then those that can start are enqueued.
    pub fn start(graph: &Graph) -> (RunState, Vec<Transition>) {
        let _ = graph;
        todo!("engine::start")
    }

    /// Applies one event. On refusal nothing has changed.
    pub fn step(&mut self, graph: &Graph, event: Event) -> Result<Vec<Transition>, Refused> {
        let _ = (graph, event);
        todo!("engine::step")
    }
}
