//! The one place that writes changes of status.
//!
//! A run is loaded with the newest attempt of each job, the engine says what
//! follows from an event, and attempts, run, queue and the event row are
//! written together.

use std::sync::Arc;
use std::time::Duration;

use tappet_engine::{
    Event, Graph, JobEvent, Refused, RunEvent, RunHold, RunState, StageEvent, Transition,
    has_warnings, is_allowed_failure,
};
use tappet_model::plan::When;
use tappet_model::{AttemptId, FailureReason, JobId, RefKind, RunId, Status, Timestamp};

use super::attempts::{self, AttemptPlace};
use super::commit_statuses;
use super::content::{Db, StoredPlan};
use super::events;
use super::pull_request_changes::{self, Standing};
use super::queue;
use super::runs;
use super::session::Session;
use super::workflows::{self, LiveWorkflow};
use crate::busy_time::busy_micros;
use crate::{Action, Advance, ChangedAttempt, Run, StoreError, StoreResult, Target};

/// A run with all that the engine needs.
pub(super) struct LiveRun {
    /// As stored.
    pub run: Run,
    /// What it consists of.
    pub plan: Arc<StoredPlan>,
    /// As the engine sees it; parallel to `attempts`.
    pub state: RunState,
    /// The newest attempt of each job, by position.
    pub attempts: Vec<LiveAttempt>,
    /// Its workflows; none when the run is one workflow.
    pub workflows: Vec<LiveWorkflow>,
    /// That it is of a pull request.
    pub pull_request: Option<Standing>,
}

/// An attempt between two writes.
#[derive(Clone, Debug)]
pub(super) struct LiveAttempt {
    /// Id.
    pub id: AttemptId,
    /// Of which job; `None` until the job's first attempt is stored.
    pub job_id: Option<JobId>,
    /// Position of the job.
    pub position: usize,
    /// Status now.
    pub status: Status,
    /// Status in the database.
    pub stored: Status,
    /// A newer attempt of the job exists.
    pub is_retried: bool,
    /// Why it failed.
    pub failure_reason: Option<FailureReason>,
    /// Code of the failing command.
    pub exit_code: Option<i32>,
    /// Made.
    pub created_at: Timestamp,
    /// Its delay ends then; only while it is scheduled.
    pub starts_at: Option<Timestamp>,
    /// Became pending.
    pub queued_at: Option<Timestamp>,
    /// A runner took it.
    pub started_at: Option<Timestamp>,
    /// Ended.
    pub finished_at: Option<Timestamp>,
}

impl LiveAttempt {
    /// An attempt that is not stored yet, of the job at this position of the
    /// graph.
    pub fn new(
        job_id: Option<JobId>,
        graph: &Graph,
        position: usize,
        status: Status,
        now: Timestamp,
    ) -> Self {
        let mut attempt = Self {
            id: AttemptId(0),
            job_id,
            position,
            status: Status::Created,
            stored: Status::Created,
            is_retried: false,
            failure_reason: None,
            exit_code: None,
            created_at: now,
            starts_at: None,
            queued_at: None,
            started_at: None,
            finished_at: None,
        };
        attempt.enter(graph, status, now);
        attempt
    }

    fn enter(&mut self, graph: &Graph, status: Status, now: Timestamp) {
        self.status = status;
        self.starts_at = match (status, graph.jobs[self.position].when) {
            (Status::Scheduled, When::Delayed { start_in_s }) => {
                Some(now.plus(Duration::from_secs(start_in_s)))
            }
            _ => None,
        };
        match status {
            Status::Pending => self.queued_at = Some(now),
            Status::Running => self.started_at = Some(now),
            _ => {}
        }
        self.finished_at = is_ended(status).then_some(now);
    }
}

/// Success, failed or canceled: the statuses with a time of ending. Skipped
/// has none, as in GitLab.
pub(super) fn is_ended(status: Status) -> bool {
    status.is_completed() && status != Status::Skipped
}

/// Applies an action to its target.
pub(super) fn act(
    session: &mut Session,
    target: Target,
    action: Action,
    now: Timestamp,
) -> StoreResult<Advance> {
    match (target, action) {
        (Target::Attempt(id), Action::Job(event)) => {
            // Only a claim starts an attempt, because it also names the holder.
            let (live, position) = take_newest(session, id)?
                .filter(|_| !matches!(event, JobEvent::Run { .. }))
                .ok_or_else(|| refusal(&event))?;
            let event = Event::Job {
                job: position,
                event,
            };
            step(session, live, event, now)
        }
        (Target::Run(id), Action::Run(event)) => match take_live(session, id)? {
            Some(mut live) => {
                if event == RunEvent::Cancel {
                    live.state.external = commit_statuses::cancel(session, id, now)?;
                }
                step(session, live, Event::Run(event), now)
            }
            None => {
                let run = runs::run(&session.db(), id)?.ok_or(StoreError::NotFound("run"))?;
                Ok(nothing_changed(session, run))
            }
        },
        (Target::Workflow(id), Action::Workflow(event)) => {
            let (run_id, position) =
                workflows::place(&session.db(), id)?.ok_or(StoreError::NotFound("workflow"))?;
            let Some(mut live) = take_live(session, run_id)? else {
                let run = runs::run(&session.db(), run_id)?.ok_or(StoreError::NotFound("run"))?;
                return Ok(nothing_changed(session, run));
            };
            let stage = (!live.workflows.is_empty()).then_some(position);
            if event == StageEvent::Cancel && stage.is_none() {
                live.state.external = commit_statuses::cancel(session, run_id, now)?;
            }
            step(session, live, Event::Stage { stage, event }, now)
        }
        _ => Err(Refused::NotPossible.into()),
    }
}

/// The run of an attempt and the position of its job, if it is the job's newest.
pub(super) fn take_newest(
    session: &mut Session,
    id: AttemptId,
) -> StoreResult<Option<(LiveRun, usize)>> {
    let AttemptPlace { run_id, position } =
        attempts::place(&session.db(), id)?.ok_or(StoreError::NotFound("attempt"))?;
    let live = take_live(session, run_id)?.ok_or(StoreError::NotFound("run"))?;
    Ok((live.attempts[position].id == id).then_some((live, position)))
}

/// What the engine would say of this event on an attempt that is not its job's
/// newest.
fn refusal(event: &JobEvent) -> Refused {
    match event {
        JobEvent::Run { .. } => Refused::NotPending,
        JobEvent::Success | JobEvent::Drop { .. } => Refused::NotRunning,
        JobEvent::Play => Refused::NotPlayable,
        JobEvent::Retry => Refused::NotRetryable,
        JobEvent::Cancel | JobEvent::ForceCancel | JobEvent::Skip | JobEvent::Enqueue => {
            Refused::NotPossible
        }
    }
}

/// The run out of the writer's memory or the database; `None` when there is no
/// such run or it has no jobs. It comes back into memory after its next change.
pub(super) fn take_live(session: &mut Session, id: RunId) -> StoreResult<Option<LiveRun>> {
    match session.live.take(&id) {
        Some(live) => Ok(Some(live)),
        None => load(&session.db(), id),
    }
}

fn load(db: &Db<'_>, id: RunId) -> StoreResult<Option<LiveRun>> {
    let Some((run, Some(plan))) = runs::run_with_plan(db, id)? else {
        return Ok(None);
    };
    let (attempts, jobs) = attempts::live(db, id)?.into_iter().unzip();
    let pull_request = match run.ref_kind {
        RefKind::PullRequest => pull_request_changes::standing(db, id)?,
        RefKind::Branch | RefKind::Tag | RefKind::Commit => None,
    };
    let state = RunState {
        jobs,
        status: run.status,
        external: commit_statuses::counting(db, id)?,
        hold: pull_request.map_or(RunHold::None, Standing::hold),
    };
    let workflows = workflows::live(db, id, &plan)?;
    Ok(Some(LiveRun {
        run,
        plan,
        state,
        attempts,
        workflows,
        pull_request,
    }))
}

/// Asks the engine what follows from `event` and writes it.
pub(super) fn step(
    session: &mut Session,
    mut live: LiveRun,
    event: Event,
    now: Timestamp,
) -> StoreResult<Advance> {
    let is_repetition = matches!(
        event,
        Event::Run(RunEvent::Retry)
            | Event::Stage {
                event: StageEvent::Retry | StageEvent::Rerun,
                ..
            }
    );
    let transitions = live.state.step(&live.plan.graph, event)?;
    if is_repetition {
        workflows::begin_executions(session, &mut live, &transitions, now)?;
    }
    follow(session, live, transitions, Vec::new(), now)
}

/// Writes what the engine said of a run; `new` are attempts made before that.
pub(super) fn follow(
    session: &mut Session,
    mut live: LiveRun,
    transitions: Vec<Transition>,
    new: Vec<AttemptId>,
    now: Timestamp,
) -> StoreResult<Advance> {
    let advance = if transitions.is_empty() {
        nothing_changed(session, live.run.clone())
    } else {
        write(session, &mut live, transitions, new, now)?
    };
    if !live.run.status.is_completed() {
        session.live.insert(live.run.id, live);
    }
    Ok(advance)
}

fn nothing_changed(session: &Session, run: Run) -> Advance {
    Advance {
        run,
        changed: Vec::new(),
        transitions: Vec::new(),
        last_event: session.last_event,
    }
}

fn write(
    session: &mut Session,
    live: &mut LiveRun,
    transitions: Vec<Transition>,
    new: Vec<AttemptId>,
    now: Timestamp,
) -> StoreResult<Advance> {
    let mut changes = Changes {
        new,
        ..Changes::default()
    };
    for transition in &transitions {
        match *transition {
            Transition::Job {
                job,
                to,
                reason,
                exit_code,
                ..
            } => {
                let attempt = &mut live.attempts[job];
                attempt.enter(&live.plan.graph, to, now);
                attempt.failure_reason = reason;
                attempt.exit_code = exit_code;
                changes.note(attempt);
            }
            Transition::NewAttempt { job, status, .. } => {
                let job_id = live.attempts[job].job_id;
                let mut attempt = LiveAttempt::new(job_id, &live.plan.graph, job, status, now);
                attempts::add(session, &live.run, &mut attempt, &live.state.jobs[job])?;
                attempts::copy_variables(session, attempt.id, live.attempts[job].id)?;
                changes.new.push(attempt.id);
                let mut older = std::mem::replace(&mut live.attempts[job], attempt);
                older.is_retried = true;
                changes.superseded.push(older);
                changes.note(&live.attempts[job]);
            }
            Transition::Run { to, .. } => {
                live.run.status = to;
                changes.events.push((0, to));
            }
        }
    }
    changes.write_attempts(session, live)?;
    settle_run(session, live, now)?;
    pull_request_changes::settle(session, live, &transitions)?;
    workflows::settle(
        session,
        &mut live.workflows,
        &live.plan,
        &live.state,
        &live.attempts,
        now,
    )?;
    let last_event = events::add(session, &live.run, &changes.events, now)?;
    Ok(Advance {
        run: live.run.clone(),
        changed: changes.list(live),
        transitions,
        last_event,
    })
}

/// Brings the run's own row in line with its attempts.
fn settle_run(session: &Session, live: &mut LiveRun, now: Timestamp) -> StoreResult<()> {
    let started = live
        .attempts
        .iter()
        .any(|attempt| attempt.started_at == Some(now));
    let run = &mut live.run;
    run.updated_at = now.max(run.created_at);
    run.has_warnings = warnings(&live.plan, &live.state);
    let is_external = live.attempts.is_empty() && run.status == Status::Running;
    if (started || is_external) && run.started_at.is_none() {
        run.started_at = Some(now);
    }
    if !is_ended(run.status) {
        run.finished_at = None;
        run.busy_micros = None;
    } else if run.finished_at.is_none() {
        run.finished_at = Some(now);
        run.busy_micros = Some(busy_micros(attempts::running_times(&session.db(), run.id)?));
    }
    runs::update(session, run)
}

/// Whether the run shows "passed with warnings" when it passes.
pub(super) fn warnings(plan: &StoredPlan, state: &RunState) -> bool {
    has_warnings(
        plan.graph
            .jobs
            .iter()
            .zip(&state.jobs)
            .map(|(job, state)| (state.status, is_allowed_failure(job, state.exit_code))),
    )
}

/// What one step changes, collected before it is written.
#[derive(Default)]
struct Changes {
    /// Attempts in the order in which they first changed.
    order: Vec<AttemptId>,
    /// Attempts that a newer one of the same job replaced.
    superseded: Vec<LiveAttempt>,
    /// Attempts made by this step.
    new: Vec<AttemptId>,
    /// As [`events::add`] takes them.
    events: Vec<(i64, Status)>,
}

impl Changes {
    fn note(&mut self, attempt: &LiveAttempt) {
        self.events.push((attempt.id.0, attempt.status));
        if !self.order.contains(&attempt.id) {
            self.order.push(attempt.id);
        }
    }

    fn write_attempts(&self, session: &Session, live: &mut LiveRun) -> StoreResult<()> {
        for older in &self.superseded {
            attempts::update(session, older)?;
            queue::follow(session, &live.run, &live.plan, older)?;
        }
        for attempt in &mut live.attempts {
            if self.order.contains(&attempt.id) {
                attempts::update(session, attempt)?;
                queue::follow(session, &live.run, &live.plan, attempt)?;
                attempt.stored = attempt.status;
            }
        }
        Ok(())
    }

    fn list(&self, live: &LiveRun) -> Vec<ChangedAttempt> {
        let find = |id: &AttemptId| {
            live.attempts
                .iter()
                .chain(&self.superseded)
                .find(|attempt| attempt.id == *id)
        };
        self.order
            .iter()
            .filter_map(find)
            .map(|attempt| changed(&live.plan, attempt, self.new.contains(&attempt.id)))
            .collect()
    }
}

/// How an attempt looks from outside after a change.
pub(super) fn changed(plan: &StoredPlan, attempt: &LiveAttempt, is_new: bool) -> ChangedAttempt {
    let job = &plan.jobs[attempt.position];
    ChangedAttempt {
        id: attempt.id,
        name: job.name.clone(),
        status: attempt.status,
        tags: job.tags.clone(),
        has_steps: job.key.is_some(),
        is_new,
    }
}
