//! What follows from a change: every job that still waits is looked at once,
//! in an order in which one look is enough, and goes on, is skipped or waits.
//!
//! Source of the rules: GitLab
//! `app/services/ci/pipeline_processing/atomic_processing_service.rb` and
//! `app/services/ci/reset_skipped_jobs_service.rb`.

use tappet_model::plan::When;
use tappet_model::{FailureReason, Status};

use crate::composite::StatusSet;
use crate::gate::{Gate, gate, ready_status};
use crate::groups::{Places, given_up_with};
use crate::order::{dependants, processing_order};
use crate::{Graph, JobState, RunHold, RunState, Transition, is_allowed_failure};

/// Changes to the jobs of a run in the making.
pub(crate) struct Processing<'a> {
    graph: &'a Graph,
    jobs: &'a mut [JobState],
    hold: &'a mut RunHold,
    order: Vec<usize>,
    origins: Vec<Origin>,
    transitions: Vec<Transition>,
}

/// How a job came to be `created`. What happened is told only when the job has
/// been looked at, so that a job which is skipped once more shows no change and
/// a new attempt begins with the status it really gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Origin {
    /// As before this step.
    Unchanged,
    /// It was skipped until now.
    Reopened,
    /// It is a new attempt.
    NewAttempt(Attempt),
}

/// Who wants a new attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Attempt {
    /// The retry policy.
    Automatic,
    /// A person, this very job: nobody has to play it and no delay passes.
    ByHand,
    /// A person, the whole run: it waits like the first attempt did.
    WithRun,
}

impl<'a> Processing<'a> {
    pub(crate) fn new(graph: &'a Graph, state: &'a mut RunState) -> Self {
        let RunState { jobs, hold, .. } = state;
        Self {
            graph,
            order: processing_order(graph),
            origins: vec![Origin::Unchanged; jobs.len()],
            jobs,
            hold,
            transitions: Vec::new(),
        }
    }

    /// Moves a job's newest attempt on.
    pub(crate) fn change(&mut self, job: usize, to: Status) {
        let from = std::mem::replace(&mut self.jobs[job].status, to);
        self.transitions.push(Transition::Job {
            job,
            from,
            to,
            reason: self.jobs[job].failure_reason,
            exit_code: self.jobs[job].exit_code,
        });
    }

    /// Ends a job's newest attempt as failed.
    pub(crate) fn fail(&mut self, job: usize, reason: FailureReason, exit_code: Option<i32>) {
        self.jobs[job].failure_reason = Some(reason);
        self.jobs[job].exit_code = exit_code;
        self.change(job, Status::Failed);
    }

    /// Fails every job that has not begun. What is no part of the run stays that.
    pub(crate) fn fail_all(&mut self, reason: FailureReason) {
        for job in self.of_stage(None) {
            let is_left_out = self.graph.jobs[job].when == When::Never;
            if self.jobs[job].status == Status::Created && !is_left_out {
                self.fail(job, reason, None);
            }
        }
    }

    /// Cancels a job, at once or by way of its runner; completed and canceling
    /// jobs stay as they are.
    pub(crate) fn cancel(&mut self, job: usize) {
        let state = &self.jobs[job];
        if !state.status.is_cancelable() {
            return;
        }
        let gracefully = state.status == Status::Running && state.cancels_gracefully;
        self.change(
            job,
            if gracefully {
                Status::Canceling
            } else {
                Status::Canceled
            },
        );
    }

    /// Sends a job to a runner, or lets it wait for a place in its group.
    pub(crate) fn enqueue(&mut self, job: usize) {
        let to = ready(&mut Places::free(self.graph, self.jobs), self.graph, job);
        if self.jobs[job].status != to {
            self.change(job, to);
        }
    }

    /// Cancels every job, or those of one stage, that keeps the run from its end. A
    /// manual job that may be left out does not, so that it can still be played
    /// afterwards (GitLab: `Ci::HasStatus::CANCELABLE_STATUSES`, which has no
    /// `manual` at all).
    pub(crate) fn cancel_all(&mut self, stage: Option<usize>) {
        for job in self.of_stage(stage) {
            let is_optional = self.jobs[job].status == Status::Manual
                && is_allowed_failure(&self.graph.jobs[job], None);
            if !is_optional {
                self.cancel(job);
            }
        }
    }

    /// Cancels the legs that a failed one takes with it.
    pub(crate) fn give_up_siblings(&mut self, job: usize) {
        for other in given_up_with(self.graph, job) {
            self.cancel(other);
        }
    }

    /// Replaces a job's ended attempt by a new one.
    pub(crate) fn begin_attempt(&mut self, job: usize, attempt: Attempt) {
        let old = &self.jobs[job];
        self.jobs[job] = JobState {
            attempt: old.attempt + 1,
            automatic_retries: match attempt {
                Attempt::Automatic => old.automatic_retries + 1,
                Attempt::ByHand | Attempt::WithRun => 0,
            },
            ..JobState::created()
        };
        self.origins[job] = Origin::NewAttempt(attempt);
        if *self.hold == RunHold::GivenUp {
            *self.hold = RunHold::None;
        }
    }

    /// Gives each of these jobs a new attempt if it has ended in one of these ways,
    /// and each skipped one another look. A job that is decided was skipped on
    /// account of what it needs, or will be again.
    pub(crate) fn repeat(&mut self, stage: Option<usize>, ended: &[Status]) {
        let repeated: Vec<usize> = self
            .of_stage(stage)
            .filter(|&job| ended.contains(&self.jobs[job].status))
            .collect();
        for &job in &repeated {
            self.begin_attempt(job, Attempt::WithRun);
        }
        let after = dependants(self.graph, &self.order, &repeated);
        for job in self.of_stage(stage) {
            if after[job] || self.graph.jobs[job].when != When::Decided {
                self.reopen(job);
            }
        }
        // Nobody decides about a job while what it needs runs again, whosever it is.
        for job in (0..self.jobs.len()).filter(|&job| after[job]) {
            if self.jobs[job].status == Status::WaitingForCallback {
                self.change(job, Status::Created);
            }
        }
    }

    /// Has another look at the skipped jobs after `job`.
    pub(crate) fn reopen_dependants(&mut self, job: usize) {
        let after = dependants(self.graph, &self.order, &[job]);
        for job in (0..self.jobs.len()).filter(|&job| after[job]) {
            self.reopen(job);
        }
    }

    /// Has another look at a skipped job, and does not decide about one before what
    /// it needs is over again.
    fn reopen(&mut self, job: usize) {
        match self.jobs[job].status {
            Status::Skipped => {
                self.jobs[job].status = Status::Created;
                self.origins[job] = Origin::Reopened;
            }
            Status::WaitingForCallback => self.change(job, Status::Created),
            _ => {}
        }
    }

    fn of_stage(&self, stage: Option<usize>) -> impl Iterator<Item = usize> + use<'a> {
        let graph = self.graph;
        (0..graph.jobs.len())
            .filter(move |&job| stage.is_none_or(|stage| graph.jobs[job].stage == stage))
    }

    /// Lets every job that can go on do so and returns all that happened.
    pub(crate) fn finish(mut self) -> Vec<Transition> {
        let graph = self.graph;
        let mut places = Places::free(graph, self.jobs);
        self.fill(&mut places);
        let mut earlier = StatusSet::default();
        let mut stage = StatusSet::default();
        let mut stage_number = None;
        for job in std::mem::take(&mut self.order) {
            let fixed = &graph.jobs[job];
            if stage_number.replace(fixed.stage) != Some(fixed.stage) {
                earlier = earlier.union(std::mem::take(&mut stage));
            }
            if self.jobs[job].status == Status::Created {
                let previous = match &fixed.needs {
                    // What is decided waits for every need, be others skipped or not.
                    Some(needs) => statuses(graph, self.jobs, needs.iter().copied())
                        .status(fixed.when != When::Decided),
                    None => earlier.status(false),
                };
                self.decide(job, previous.unwrap_or(Status::Success), &mut places);
            }
            stage = stage.union(statuses(graph, self.jobs, [job]));
        }
        self.transitions
    }

    /// Lets jobs that wait for a place in their group have what is free.
    fn fill(&mut self, places: &mut Places) {
        for job in 0..self.jobs.len() {
            let fixed = &self.graph.jobs[job];
            if self.jobs[job].status == Status::WaitingForResource
                && fixed.group.is_some()
                && places.take(fixed)
            {
                self.change(job, Status::Pending);
            }
        }
    }

    fn decide(&mut self, job: usize, previous: Status, places: &mut Places) {
        let fixed = &self.graph.jobs[job];
        let origin = self.origins[job];
        let gate = match *self.hold {
            RunHold::Held => Gate::Wait,
            RunHold::None | RunHold::GivenUp => gate(fixed.when, fixed.needs.is_some(), previous),
        };
        let to = match gate {
            Gate::Wait => Status::Created,
            Gate::Skip => Status::Skipped,
            Gate::Run => {
                let starts_at_once = matches!(
                    origin,
                    Origin::NewAttempt(Attempt::Automatic | Attempt::ByHand)
                );
                match ready_status(fixed.when) {
                    Status::Pending => ready(places, self.graph, job),
                    _ if starts_at_once => ready(places, self.graph, job),
                    held => held,
                }
            }
        };
        match origin {
            Origin::NewAttempt(attempt) => {
                self.jobs[job].status = to;
                self.transitions.push(Transition::NewAttempt {
                    job,
                    number: self.jobs[job].attempt,
                    status: to,
                    automatic: attempt == Attempt::Automatic,
                });
            }
            Origin::Reopened if to == Status::Skipped => self.jobs[job].status = to,
            Origin::Reopened => {
                self.jobs[job].status = Status::Skipped;
                self.change(job, Status::Created);
                if to != Status::Created {
                    self.change(job, to);
                }
            }
            Origin::Unchanged if to == Status::Created => {}
            Origin::Unchanged => self.change(job, to),
        }
    }
}

/// Where a job goes that may start now.
fn ready(places: &mut Places, graph: &Graph, job: usize) -> Status {
    if places.take(&graph.jobs[job]) {
        Status::Pending
    } else {
        Status::WaitingForResource
    }
}

/// The statuses of some jobs of a run.
pub(crate) fn statuses(
    graph: &Graph,
    jobs: &[JobState],
    which: impl IntoIterator<Item = usize>,
) -> StatusSet {
    which
        .into_iter()
        .map(|job| {
            let state = &jobs[job];
            let allowed = is_allowed_failure(&graph.jobs[job], state.exit_code);
            (state.status, allowed)
        })
        .collect()
}

/// The same as a run or a workflow counts them. A decision is made at once:
/// meanwhile the job counts as one that still waits for others, so that the whole
/// does not seem to stop.
pub(crate) fn counted(
    graph: &Graph,
    jobs: &[JobState],
    which: impl IntoIterator<Item = usize>,
) -> StatusSet {
    which
        .into_iter()
        .map(|job| {
            let (fixed, state) = (&graph.jobs[job], &jobs[job]);
            let status = match state.status {
                Status::WaitingForCallback if fixed.when == When::Decided => Status::Created,
                status => status,
            };
            (status, is_allowed_failure(fixed, state.exit_code))
        })
        .collect()
}
