//! How runs of pull requests change: what they wait for follows what the engine says
//! of them, newer ones take the place of older ones, and holds end.

use std::time::Duration;

use rusqlite::OptionalExtension;
use tappet_engine::{Event, Refused, RunEvent, RunHold, Transition};
use tappet_model::{CiConfigId, FailureReason, RunId, Status, Timestamp};

use super::content::Db;
use super::forge_reports;
use super::pull_requests::{self, Wait, active, add, one};
use super::runs;
use super::session::Session;
use super::statement::statements;
use super::transition::{self, LiveRun};
use super::value::Col;
use crate::{
    Action, Advance, Hold, NewPullRequestRun, Run, StoreError, StoreResult, Submitted, Target,
};

statements! {
    STANDING = "SELECT wait, is_active, is_repeated FROM pull_request_runs WHERE run_id = ?1";
    SETTLE = "UPDATE pull_request_runs SET wait = ?2, is_active = ?3, is_repeated = ?4,
              superseded_by = CASE WHEN ?3 THEN NULL ELSE superseded_by END WHERE run_id = ?1";
    SUPERSEDE = "UPDATE pull_request_runs SET superseded_by = ?2 WHERE run_id = ?1";
    SET_DIFFS = "UPDATE pull_request_runs SET diffs = ?2 WHERE run_id = ?1";
    WAIT_FOR_DIFFS = "UPDATE pull_request_runs SET wait = 'diffs', wait_until = ?2
                      WHERE run_id = ?1";
}

/// How a run of a pull request stands, beside its jobs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    wait: Option<Wait>,
    is_active: bool,
    is_repeated: bool,
}

impl Standing {
    /// What the engine has to know of it.
    pub fn hold(self) -> RunHold {
        match self.wait {
            None => RunHold::None,
            Some(Wait::Diffs | Wait::Approval) => RunHold::Held,
            Some(Wait::Overdue) => RunHold::GivenUp,
        }
    }

    fn after(self, hold: RunHold, status: Status, transitions: &[Transition]) -> Self {
        let is_active = is_active(status);
        let wait = match (hold, self.wait) {
            (RunHold::None, _) => None,
            (RunHold::GivenUp, _) => Some(Wait::Overdue),
            // Nobody has vouched for what was canceled, so a retry waits for that again.
            (RunHold::Held, Some(Wait::Approval)) => Some(Wait::Approval),
            (RunHold::Held, wait) => wait.filter(|_| is_active),
        };
        let repeats = |transition: &Transition| {
            let by_hand = false;
            matches!(transition, Transition::NewAttempt { automatic, .. } if *automatic == by_hand)
        };
        Self {
            wait,
            is_active,
            is_repeated: self.is_repeated || transitions.iter().any(repeats),
        }
    }
}

fn is_active(status: Status) -> bool {
    !status.is_completed() && status != Status::Canceling
}

/// How the run of a pull request stands; none for other runs.
pub(super) fn standing(db: &Db<'_>, run: RunId) -> StoreResult<Option<Standing>> {
    let mut statement = db.conn.prepare_cached(STANDING)?;
    let found = statement.query_row([run.0], |row| {
        Ok(Standing {
            wait: row.get(0)?,
            is_active: row.get(1)?,
            is_repeated: row.get(2)?,
        })
    });
    Ok(found.optional()?)
}

/// Follows a change of the run.
pub(super) fn settle(
    session: &Session,
    live: &mut LiveRun,
    transitions: &[Transition],
) -> StoreResult<()> {
    let Some(before) = live.pull_request else {
        return Ok(());
    };
    let after = before.after(live.state.hold, live.run.status, transitions);
    if after != before {
        session.conn.prepare_cached(SETTLE)?.execute((
            live.run.id.0,
            after.wait,
            after.is_active,
            after.is_repeated,
        ))?;
        live.pull_request = Some(after);
    }
    Ok(())
}

/// The active run for the same commits of the pull request.
pub(super) fn same(session: &Session, new: &NewPullRequestRun) -> StoreResult<Option<Run>> {
    let db = session.db();
    let wanted = &new.pull_request;
    let active = active(&db, new.config_id, &wanted.number)?;
    let same = active.into_iter().find(|run| {
        let run = &run.pull_request;
        run.head_sha == wanted.head_sha && run.base_sha == wanted.base_sha
    });
    match same {
        Some(same) => runs::run(&db, same.run_id),
        None => Ok(None),
    }
}

/// Writes that a new run is of a pull request, and cancels those whose place it takes.
pub(super) fn begin(
    session: &mut Session,
    run: &Run,
    new: &NewPullRequestRun,
) -> StoreResult<Vec<Advance>> {
    add(session, run.id, run.project_id, new, is_active(run.status))?;
    if !new.supersedes {
        return Ok(Vec::new());
    }
    let older = active(&session.db(), new.config_id, &new.pull_request.number)?;
    let older = older
        .into_iter()
        .filter(|older| older.pull_request.head_sha != new.pull_request.head_sha);
    let mut canceled = Vec::new();
    for older in older {
        let cancel = Action::Run(RunEvent::Cancel);
        let target = Target::Run(older.run_id);
        canceled.push(transition::act(session, target, cancel, run.created_at)?);
        session
            .conn
            .prepare_cached(SUPERSEDE)?
            .execute((older.run_id.0, run.id.0))?;
    }
    Ok(canceled)
}

/// Keeps pairs of tables with the newest active run of a pull request.
pub(super) fn submit(
    session: &mut Session,
    config: CiConfigId,
    number: &str,
    diffs: &str,
    now: Timestamp,
) -> StoreResult<Option<Submitted>> {
    let newest = active(&session.db(), config, number)?.into_iter().next();
    let Some(newest) = newest else {
        return Ok(None);
    };
    session
        .conn
        .prepare_cached(SET_DIFFS)?
        .execute((newest.run_id.0, diffs))?;
    let released = match newest.hold {
        Some(Hold::Diffs { .. }) => Some(Box::new(end_hold(
            session,
            newest.run_id,
            RunEvent::Release,
            now,
        )?)),
        Some(Hold::Approval { .. }) | None => None,
    };
    Ok(Some(Submitted {
        run_id: newest.run_id,
        released,
    }))
}

/// Lets the runs of a commit go that wait for pairs of tables.
pub(super) fn release_head(
    session: &mut Session,
    config: CiConfigId,
    head_sha: &str,
    now: Timestamp,
) -> StoreResult<Vec<Advance>> {
    let waiting: Vec<RunId> = session
        .conn
        .prepare_cached(pull_requests::WAITING_OF_HEAD)?
        .query_map((config.0, head_sha), |row| row.get(0).map(RunId))?
        .collect::<Result<_, _>>()?;
    waiting
        .into_iter()
        .map(|run| end_hold(session, run, RunEvent::Release, now))
        .collect()
}

/// Approves a run that waits for that.
pub(super) fn approve(session: &mut Session, id: RunId, now: Timestamp) -> StoreResult<Advance> {
    let run = one(&session.db(), id)?.ok_or(StoreError::NotFound("run"))?;
    let Some(Hold::Approval { then_diffs_s }) = run.hold else {
        return Err(Refused::NotPossible.into());
    };
    match then_diffs_s {
        Some(seconds) if run.diffs.is_none() => {
            let until = now.plus(Duration::from_secs(u64::from(seconds)));
            session
                .conn
                .prepare_cached(WAIT_FOR_DIFFS)?
                .execute((id.0, Col(until)))?;
            let mut live = take(session, id)?;
            live.pull_request = standing(&session.db(), id)?;
            forge_reports::note(session, &live.run, now)?;
            transition::follow(session, live, Vec::new(), Vec::new(), now)
        }
        _ => end_hold(session, id, RunEvent::Release, now),
    }
}

/// Fails a run that has waited for pairs of tables for too long.
pub(super) fn fail_overdue(
    session: &mut Session,
    id: RunId,
    now: Timestamp,
) -> StoreResult<Option<Advance>> {
    let run = one(&session.db(), id)?;
    match run.and_then(|run| run.hold) {
        Some(Hold::Diffs { until }) if until <= now => {
            let reason = FailureReason::StuckOrTimeoutFailure;
            end_hold(session, id, RunEvent::GiveUp { reason }, now).map(Some)
        }
        _ => Ok(None),
    }
}

fn end_hold(
    session: &mut Session,
    id: RunId,
    event: RunEvent,
    now: Timestamp,
) -> StoreResult<Advance> {
    let live = take(session, id)?;
    transition::step(session, live, Event::Run(event), now)
}

fn take(session: &mut Session, id: RunId) -> StoreResult<LiveRun> {
    transition::take_live(session, id)?.ok_or(StoreError::NotFound("run"))
}
