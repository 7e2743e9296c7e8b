//! Statuses that foreign systems set on commits. Every change ends in the engine,
//! which counts them into the status of their run.

use rusqlite::{OptionalExtension, Row};
use tappet_engine::{Event, StatusSet};
use tappet_model::{CommitStatusId, RunId, Status, Timestamp, UserId};

use super::SqliteStore;
use super::content::Db;
use super::create_run::PreparedRun;
use super::session::Session;
use super::statement::statements;
use super::transition::{self, is_ended};
use super::value::{Col, RowExt, opt};
use crate::{CommitStatus, Creation, NewCommitStatus, StatusChange, StoreError, StoreResult, Verb};

macro_rules! select {
    () => {
        "SELECT id, run_id, ref_name, name, status, user_id, target_url, description, coverage,
         is_retried, created_at, started_at, finished_at FROM commit_statuses"
    };
}

statements! {
    OF_RUN = concat!(select!(), " WHERE run_id = ?1 ORDER BY id");
    OPEN = concat!(select!(), " WHERE run_id = ?1 AND name = ?2 AND ref_name = ?3 AND user_id = ?4
           AND status IN ('pending', 'running') AND NOT is_retried ORDER BY id DESC LIMIT 1");
    COUNTING = "SELECT status FROM commit_statuses WHERE run_id = ?1 AND NOT is_retried";
    COUNT = "SELECT count(*) FROM commit_statuses WHERE run_id = ?1";
    NEWEST_RUN = "SELECT id FROM runs WHERE sha = ?2 AND project_id = ?1 AND ref_name = ?3
                  AND yaml_errors IS NULL ORDER BY id DESC LIMIT 1";
    RETIRE = "UPDATE commit_statuses SET is_retried = 1 WHERE run_id = ?1 AND name = ?2";
    ADD = "INSERT INTO commit_statuses (run_id, ref_name, name, status, user_id, target_url,
           description, coverage, created_at, started_at, finished_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    UPDATE = "UPDATE commit_statuses SET status = ?2, target_url = ?3, description = ?4,
              coverage = ?5, started_at = ?6, finished_at = ?7 WHERE id = ?1";
    CANCEL = "UPDATE commit_statuses SET status = 'canceled', finished_at = ?2
              WHERE run_id = ?1 AND status IN ('pending', 'running')";
}

fn stored(row: &Row<'_>) -> rusqlite::Result<CommitStatus> {
    Ok(CommitStatus {
        id: CommitStatusId(row.get(0)?),
        run_id: RunId(row.get(1)?),
        ref_name: row.get(2)?,
        name: row.get(3)?,
        status: row.col(4)?,
        user_id: UserId(row.get(5)?),
        target_url: row.get(6)?,
        description: row.get(7)?,
        coverage: row.get(8)?,
        is_retried: row.get(9)?,
        created_at: row.col(10)?,
        started_at: row.opt(11)?,
        finished_at: row.opt(12)?,
    })
}

/// What counts into the status of a run.
pub(super) fn counting(db: &Db<'_>, run: RunId) -> StoreResult<StatusSet> {
    let mut statement = db.conn.prepare_cached(COUNTING)?;
    let rows = statement.query_map([run.0], |row| row.col(0))?;
    let mut set = StatusSet::default();
    for status in rows {
        set.insert(status?, false);
    }
    Ok(set)
}

/// Cancels what a run waits for; gives what counts from then on.
pub(super) fn cancel(session: &Session, run: RunId, now: Timestamp) -> StoreResult<StatusSet> {
    session
        .conn
        .prepare_cached(CANCEL)?
        .execute((run.0, Col(now)))?;
    counting(&session.db(), run)
}

/// Whether `to` may come after `from` (GitLab: events of `CommitStatus`).
fn may_follow(from: Status, to: Status) -> bool {
    match to {
        Status::Pending => from == Status::Created,
        Status::Running => matches!(from, Status::Created | Status::Pending),
        Status::Skipped => from != Status::Running,
        _ => true,
    }
}

fn set(session: &mut Session, new: NewCommitStatus, run: PreparedRun) -> StoreResult<StatusChange> {
    let run_id = match find_run(session, &new)? {
        Some(id) => id,
        None => match run.write(session)? {
            Creation::Created { advance, .. } => advance.run.id,
            Creation::Replayed(run) => run.id,
        },
    };
    let open = session
        .conn
        .prepare_cached(OPEN)?
        .query_row(
            (run_id.0, &new.name, &new.new_run.ref_name, new.user_id.0),
            stored,
        )
        .optional()?;
    let from = open.as_ref().map_or(Status::Created, |open| open.status);
    if !may_follow(from, new.status) {
        return Ok(StatusChange::NotPossible { from });
    }
    let mut status = match open {
        Some(open) => open,
        None => match add(session, run_id, &new)? {
            Some(status) => status,
            None => return Ok(StatusChange::TooMany),
        },
    };
    status.status = new.status;
    status.target_url = new.target_url.or(status.target_url);
    status.description = new.description.or(status.description);
    status.coverage = new.coverage.or(status.coverage);
    if new.status == Status::Running {
        status.started_at = Some(new.now);
    }
    status.finished_at = is_ended(new.status).then_some(new.now);
    update(session, &status)?;
    let live = transition::take_live(session, run_id)?.ok_or(StoreError::NotFound("run"))?;
    let event = Event::External(counting(&session.db(), run_id)?);
    let advance = transition::step(session, live, event, new.now)?;
    Ok(StatusChange::Done(Box::new(status), Box::new(advance)))
}

fn find_run(session: &Session, new: &NewCommitStatus) -> StoreResult<Option<RunId>> {
    if new.run_id.is_some() {
        return Ok(new.run_id);
    }
    let run = &new.new_run;
    let found: Option<i64> = session
        .conn
        .prepare_cached(NEWEST_RUN)?
        .query_row((run.project_id.0, Col(&run.sha), &run.ref_name), |row| {
            row.get(0)
        })
        .optional()?;
    Ok(found.map(RunId))
}

/// A new status in the place of older ones; `None` when there are too many.
fn add(session: &Session, run: RunId, new: &NewCommitStatus) -> StoreResult<Option<CommitStatus>> {
    let conn = &session.conn;
    let count: u64 = conn
        .prepare_cached(COUNT)?
        .query_row([run.0], |row| row.count(0))?;
    if count >= new.limit {
        return Ok(None);
    }
    conn.prepare_cached(RETIRE)?.execute((run.0, &new.name))?;
    let mut status = CommitStatus {
        id: CommitStatusId(0),
        run_id: run,
        ref_name: new.new_run.ref_name.clone(),
        name: new.name.clone(),
        status: Status::Created,
        user_id: new.user_id,
        target_url: None,
        description: None,
        coverage: None,
        is_retried: false,
        created_at: new.now,
        started_at: None,
        finished_at: None,
    };
    conn.prepare_cached(ADD)?.execute((
        run.0,
        &status.ref_name,
        &status.name,
        Col(status.status),
        status.user_id.0,
        &status.target_url,
        &status.description,
        status.coverage,
        Col(status.created_at),
        opt(status.started_at),
        opt(status.finished_at),
    ))?;
    status.id = CommitStatusId(conn.last_insert_rowid());
    Ok(Some(status))
}

fn update(session: &Session, status: &CommitStatus) -> StoreResult<()> {
    session.conn.prepare_cached(UPDATE)?.execute((
        status.id.0,
        Col(status.status),
        &status.target_url,
        &status.description,
        status.coverage,
        opt(status.started_at),
        opt(status.finished_at),
    ))?;
    Ok(())
}

impl crate::CommitStatuses for SqliteStore {
    fn set_commit_status(&self, new: NewCommitStatus) -> Verb<'_, StatusChange> {
        Box::pin(async move {
            let run = PreparedRun::of(new.new_run.clone())?;
            self.writer
                .write(move |session| set(session, new, run))
                .await
        })
    }

    fn commit_statuses(&self, run: RunId) -> Verb<'_, Vec<CommitStatus>> {
        Box::pin(async move {
            self.readers.read(|db| {
                let mut statement = db.conn.prepare_cached(OF_RUN)?;
                let rows = statement.query_map([run.0], stored)?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
        })
    }
}
