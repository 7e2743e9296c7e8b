//! The moving part of a run.

use serde::{Deserialize, Serialize};
use tappet_model::{FailureReason, Status};

use crate::process::{Processing, counted};
use crate::run_status::run_status;
use crate::step::{expansion, job_event, run_event, stage_event};
use crate::{Event, Graph, Refused, StatusSet, Transition};

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
    /// Statuses that foreign systems set, which count beside those of the jobs.
    pub external: StatusSet,
    /// Whether its jobs may start.
    pub hold: RunHold,
}

/// Whether the jobs of a run may start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RunHold {
    /// They may.
    #[default]
    None,
    /// None of them, before [`RunEvent::Release`](crate::RunEvent::Release). They can be
    /// canceled, and what is repeated after that waits again.
    Held,
    /// The run was held for too long and failed on account of that, be the failures of
    /// its jobs allowed or not, until a job is repeated.
    GivenUp,
}

impl JobState {
    pub(crate) fn created() -> Self {
        Self {
            status: Status::Created,
            attempt: 1,
            automatic_retries: 0,
            failure_reason: None,
            exit_code: None,
            cancels_gracefully: false,
        }
    }
}

impl RunState {
    /// The state right after creation, and the first transitions: every job is
    /// `created`, then those that can start are enqueued.
    ///
    /// # Panics
    ///
    /// If a need names a job that the graph does not have.
    pub fn start(graph: &Graph) -> (RunState, Vec<Transition>) {
        let mut state = RunState {
            hold: RunHold::None,
            ..RunState::held(graph)
        };
        let mut transitions = Processing::new(graph, &mut state).finish();
        transitions.extend(state.update_status(graph));
        (state, transitions)
    }

    /// The state after creation of a run whose jobs may not start yet: all of them
    /// and the run are `created`.
    pub fn held(graph: &Graph) -> RunState {
        RunState {
            jobs: vec![JobState::created(); graph.jobs.len()],
            hold: RunHold::Held,
            ..RunState::without_jobs()
        }
    }

    /// The state of a run that waits for foreign statuses and has no jobs.
    pub fn without_jobs() -> RunState {
        RunState {
            jobs: Vec::new(),
            status: Status::Created,
            external: StatusSet::default(),
            hold: RunHold::None,
        }
    }

    /// Applies one event. On refusal nothing has changed.
    ///
    /// Canceling what is over or being canceled is not refused: it changes
    /// nothing.
    ///
    /// # Panics
    ///
    /// If `graph` is not the one the run was started with.
    pub fn step(&mut self, graph: &Graph, event: Event) -> Result<Vec<Transition>, Refused> {
        let mut transitions = match event {
            Event::Job { job, event } => job_event(graph, self, job, event)?,
            Event::Run(event) => run_event(graph, self, event),
            Event::Stage { stage, event } => stage_event(graph, self, stage, event)?,
            Event::External(statuses) => {
                self.external = statuses;
                Vec::new()
            }
        };
        transitions.extend(self.update_status(graph));
        Ok(transitions)
    }

    /// A job that waited for a decision turned out to be other jobs, which start.
    /// `graph` is [`Graph::expanded`], and from now on the one of the run; On
    /// refusal nothing has changed.
    ///
    /// # Panics
    ///
    /// If `graph` is not the run's with more jobs at its end.
    pub fn expand(&mut self, graph: &Graph, job: usize) -> Result<Vec<Transition>, Refused> {
        let mut transitions = expansion(graph, self, job)?;
        transitions.extend(self.update_status(graph));
        Ok(transitions)
    }

    /// The statuses of the run's workflows, whose jobs are those of a stage each,
    /// when they were `current` before.
    pub fn stage_statuses(&self, graph: &Graph, current: &[Status]) -> Vec<Status> {
        let mut sets = vec![StatusSet::default(); current.len()];
        for (job, fixed) in graph.jobs.iter().enumerate() {
            if let Some(set) = sets.get_mut(fixed.stage) {
                *set = set.union(counted(graph, &self.jobs, [job]));
            }
        }
        let composites = sets.into_iter().map(|set| set.status(false));
        current
            .iter()
            .zip(composites)
            .map(|(&current, composite)| self.status_after(current, composite))
            .collect()
    }

    /// The status of the run, or of one of its workflows, after `current`.
    fn status_after(&self, current: Status, composite: Option<Status>) -> Status {
        match composite.unwrap_or(Status::Success) {
            // Where some jobs were canceled already, the others have still not begun.
            composite if self.hold == RunHold::Held && !composite.is_completed() => Status::Created,
            composite => run_status(current, composite),
        }
    }

    fn update_status(&mut self, graph: &Graph) -> Option<Transition> {
        let jobs = counted(graph, &self.jobs, 0..self.jobs.len());
        let composite = jobs.union(self.external).status(false);
        let fails = graph.is_broken || self.hold == RunHold::GivenUp;
        let to = match self.status_after(self.status, composite) {
            Status::Success | Status::Skipped if fails => Status::Failed,
            to => to,
        };
        let from = std::mem::replace(&mut self.status, to);
        (from != to).then_some(Transition::Run { from, to })
    }
}
