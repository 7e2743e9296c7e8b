//! Creates a run with everything that belongs to it in one transaction.

use tappet_engine::{RunState, Transition};
use tappet_model::{RefKind, RunId, Source, Status, WorkflowId};

use super::attempts;
use super::audit;
use super::content::{NewPlan, StoredPlan};
use super::creation_time;
use super::events;
use super::idempotency::{self, Known};
use super::pull_request_changes;
use super::queue;
use super::runs;
use super::schedules;
use super::session::Session;
use super::transition::{LiveAttempt, changed, is_ended, warnings};
use super::triggers;
use super::webhooks;
use super::workflows;
use crate::{
    Advance, ChangedAttempt, Creation, NewAuditEntry, NewPullRequestRun, NewRun, NewRunContent,
    Run, StoreError, StoreResult,
};

/// A run to be, after all work that needs no database.
pub(super) struct PreparedRun {
    new: NewRun,
    run: Run,
    content: Option<PreparedContent>,
}

struct PreparedContent {
    plan: NewPlan,
    state: RunState,
    transitions: Vec<Transition>,
}

impl PreparedRun {
    /// Serialises the plan and computes the first transitions, on the caller's
    /// thread.
    pub fn of(mut new: NewRun) -> StoreResult<Self> {
        if new.pull_request.is_some() && new.ref_kind != RefKind::PullRequest {
            return Err(StoreError::Database(
                "a new run is of a pull request, but its ref is not".to_owned(),
            ));
        }
        let mut run = Run {
            id: RunId(0),
            iid: 0,
            project_id: new.project_id,
            workflow_id: WorkflowId(0),
            source: new.source,
            ref_name: std::mem::take(&mut new.ref_name),
            ref_kind: new.ref_kind,
            sha: new.sha.clone(),
            commit_title: std::mem::take(&mut new.commit_title),
            status: Status::Failed,
            has_warnings: false,
            name: None,
            trigger_id: new.trigger_id,
            trigger_short_token: None,
            origin: std::mem::take(&mut new.origin),
            user_id: new.user_id,
            yaml_errors: None,
            failure_reason: None,
            stages: Vec::new(),
            created_at: new.now,
            updated_at: new.now,
            started_at: None,
            finished_at: None,
            busy_micros: None,
        };
        let nothing = NewRunContent::Invalid {
            errors: String::new(),
            reason: tappet_model::FailureReason::ConfigError,
        };
        let content = match std::mem::replace(&mut new.content, nothing) {
            NewRunContent::Planned(mut workflow) => {
                if workflow.jobs.len() != workflow.graph.jobs.len() {
                    return Err(StoreError::Database(
                        "the jobs of a new run do not match its graph".to_owned(),
                    ));
                }
                run.name = workflow.name.take();
                run.stages.clone_from(&workflow.stages);
                let plan = NewPlan::of(*workflow)?;
                let graph = &plan.plan().graph;
                let is_held = hold_back(&mut new.pull_request, !graph.jobs.is_empty());
                let (state, transitions) = match run.source {
                    _ if is_held => (RunState::held(graph), Vec::new()),
                    // Its first foreign status decides.
                    Source::External => (RunState::without_jobs(), Vec::new()),
                    _ => RunState::start(graph),
                };
                run.status = state.status;
                run.has_warnings = warnings(plan.plan(), &state);
                Some(PreparedContent {
                    plan,
                    state,
                    transitions,
                })
            }
            NewRunContent::Invalid { errors, reason } => {
                hold_back(&mut new.pull_request, false);
                run.yaml_errors = Some(errors);
                run.failure_reason = Some(reason);
                None
            }
        };
        if is_ended(run.status) {
            run.finished_at = Some(new.now);
            run.busy_micros = Some(0);
        }
        Ok(Self { new, run, content })
    }

    /// Writes the run, or finds the one that its idempotency key started.
    pub fn write(self, session: &mut Session) -> StoreResult<Creation> {
        let Self {
            new,
            mut run,
            content,
        } = self;
        if let Some((key, fingerprint)) = &new.idempotency {
            match idempotency::look_up(&session.db(), key, new.now)? {
                Known::Nothing => {}
                Known::Outdated(row) => idempotency::forget(session, row)?,
                Known::Run(known) if known.fingerprint != *fingerprint => {
                    return Err(StoreError::KeyReused);
                }
                Known::Run(known) => {
                    return Ok(Creation::Replayed(Box::new(known.load(&session.db())?)));
                }
            }
        }
        if let Some(pull_request) = &new.pull_request
            && let Some(active) = pull_request_changes::same(session, pull_request)?
        {
            if let Some((key, fingerprint)) = &new.idempotency {
                idempotency::remember(session, key, fingerprint, active.id, new.now)?;
            }
            return Ok(Creation::Replayed(Box::new(active)));
        }
        if let Some(slot) = &new.slot
            && !schedules::take(session, slot)?
        {
            return Err(StoreError::Taken { field: "slot" });
        }
        run.created_at = creation_time::of_next(session, run.created_at)?;
        run.updated_at = run.created_at;
        run.finished_at = run.finished_at.map(|_| run.created_at);
        let plan_id = match &content {
            Some(content) => Some(content.plan.intern(session)?),
            None => None,
        };
        runs::add(session, &mut run, new.sealed_variables.as_deref())?;
        let planned = content.as_ref().zip(plan_id);
        let planned = planned.map(|(content, id)| (id, &**content.plan.plan(), &content.state));
        workflows::add(session, &mut run, planned)?;
        if let Some(sealed) = &new.sealed_event {
            runs::add_event(session, run.id, sealed)?;
        }
        creation_time::follow(session, run.id, run.created_at)?;
        webhooks::lead(session, run.id, &new.hooks)?;
        if let Some(trigger) = run.trigger_id {
            run.trigger_short_token = Some(triggers::mark_used(session, trigger, new.now)?);
        }
        audit::add(session, &started(&run, new.credential))?;
        let (attempts, changed, transitions) = match content {
            Some(content) => {
                let (attempts, changed) =
                    add_jobs(session, &run, content.plan.plan(), &content.state)?;
                (attempts, changed, content.transitions)
            }
            None => (Vec::new(), Vec::new(), Vec::new()),
        };
        let events = first_events(&run, &attempts, &transitions);
        let last_event = events::add(session, &run, &events, new.now)?;
        if let Some((key, fingerprint)) = &new.idempotency {
            idempotency::remember(session, key, fingerprint, run.id, new.now)?;
        }
        let superseded = match &new.pull_request {
            Some(pull_request) => pull_request_changes::begin(session, &run, pull_request)?,
            None => Vec::new(),
        };
        Ok(Creation::Created {
            advance: Box::new(Advance {
                run,
                changed,
                transitions,
                last_event,
            }),
            superseded,
        })
    }
}

/// Whether the jobs of a run have to wait. Without jobs there is nothing to wait with.
fn hold_back(pull_request: &mut Option<NewPullRequestRun>, has_jobs: bool) -> bool {
    let hold = pull_request.as_mut().map(|of| &mut of.hold);
    hold.is_some_and(|hold| {
        *hold = hold.filter(|_| has_jobs);
        hold.is_some()
    })
}

/// Who started the run with what, for the audit log.
fn started(run: &Run, credential: String) -> NewAuditEntry {
    let details = serde_json::json!({
        "run_id": run.id,
        "ref": run.ref_name,
        "source": run.source,
    });
    NewAuditEntry {
        action: "run_started".to_owned(),
        actor_id: run.user_id,
        credential,
        project_id: Some(run.project_id),
        details: details.to_string(),
        created_at: run.created_at,
    }
}

fn add_jobs(
    session: &mut Session,
    run: &Run,
    plan: &StoredPlan,
    state: &RunState,
) -> StoreResult<(Vec<LiveAttempt>, Vec<ChangedAttempt>)> {
    let mut attempts = Vec::with_capacity(state.jobs.len());
    let mut list = Vec::with_capacity(state.jobs.len());
    for (position, job) in state.jobs.iter().enumerate() {
        let mut attempt = LiveAttempt::new(None, &plan.graph, position, job.status, run.created_at);
        attempts::add(session, run, &mut attempt, job)?;
        queue::follow(session, run, plan, &attempt)?;
        list.push(changed(plan, &attempt, true));
        attempts.push(attempt);
    }
    Ok((attempts, list))
}

/// The run's creation, then its first transitions.
fn first_events(
    run: &Run,
    attempts: &[LiveAttempt],
    transitions: &[Transition],
) -> Vec<(i64, Status)> {
    let first = if run.yaml_errors.is_some() {
        Status::Failed
    } else {
        Status::Created
    };
    let mut events = vec![(0, first)];
    events.extend(
        transitions
            .iter()
            .filter_map(|transition| match *transition {
                Transition::Job { job, to, .. } => Some((attempts[job].id.0, to)),
                Transition::Run { to, .. } => Some((0, to)),
                Transition::NewAttempt { .. } => None,
            }),
    );
    events
}
