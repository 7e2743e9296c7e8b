//! Runs of pull requests: their rows, and the lists of them.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Params, Row};
use tappet_model::{CiConfigId, ProjectId, PullRequest, PullRequestDetails, RunId, Timestamp};

use super::SqliteStore;
use super::content::Db;
use super::page;
use super::pull_request_changes as changes;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, integer, opt};
use crate::{
    Advance, COUNT_LIMIT, CiRun, CiRunFilter, Hold, Listing, NewPullRequestRun, PageRequest,
    PullRequestRun, StoreResult, Submitted, Verb,
};

/// What both kinds of reading begin with.
macro_rules! brief {
    () => {
        "p.run_id, p.number, p.head_sha, p.base_sha, p.head_branch, p.base_branch, p.merge_base,
         p.is_from_forge, p.is_active, p.is_repeated, p.wait, p.wait_until, p.then_diffs_s"
    };
}

macro_rules! whole {
    () => {
        concat!(
            "SELECT ",
            brief!(),
            ", p.config_id, p.project_id, p.superseded_by, p.details, p.diffs "
        )
    };
}

/// A page of the list. The rows before it are passed over in the index.
macro_rules! listed {
    ($index:literal, $which:literal) => {
        concat!(
            "SELECT ",
            brief!(),
            ", r.status FROM (SELECT run_id FROM pull_request_runs INDEXED BY ",
            $index,
            " WHERE config_id = ?1",
            $which,
            " ORDER BY run_id DESC LIMIT ?2 OFFSET ?3) k
             CROSS JOIN pull_request_runs p ON p.run_id = k.run_id
             CROSS JOIN runs r ON r.id = k.run_id ORDER BY k.run_id DESC"
        )
    };
}

statements! {
    ADD = "INSERT INTO pull_request_runs (run_id, config_id, project_id, number, head_sha, base_sha,
           head_branch, base_branch, merge_base, is_from_forge, is_active, wait, wait_until,
           then_diffs_s, details)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
    ONE = concat!(whole!(), "FROM pull_request_runs p WHERE p.run_id = ?1");
    LIST = listed!("pull_request_runs_by_config", "");
    LIST_OF_NUMBER = listed!("pull_request_runs_by_number", " AND number = ?4");
    LIST_OF_HEAD = listed!("pull_request_runs_by_head", " AND head_sha = ?4");
    LIST_OF_BOTH = listed!("pull_request_runs_by_head", " AND head_sha = ?4 AND number = ?5");
    ACTIVE = concat!(whole!(), "FROM pull_request_runs p INDEXED BY active_pull_request_runs
             WHERE p.config_id = ?1 AND p.number = ?2 AND p.is_active = 1
             ORDER BY p.run_id DESC");
    WAITING_OF_HEAD = "SELECT run_id FROM pull_request_runs INDEXED BY pull_request_runs_by_head
                       WHERE config_id = ?1 AND head_sha = ?2 AND wait = 'diffs'
                       ORDER BY run_id";
    NEWEST = concat!(whole!(), "FROM ci_configs c JOIN pull_request_runs p
             ON p.run_id = (SELECT max(n.run_id) FROM pull_request_runs n
             WHERE n.config_id = c.id AND n.number = ?2)
             WHERE c.project_id = ?1 AND c.deleted_at IS NULL ORDER BY c.id");
    UNAPPROVED = concat!(whole!(), "FROM pull_request_runs p INDEXED BY waits_for_approval
                 WHERE p.project_id = ?1 AND p.wait = 'approval' AND p.is_active = 1
                 ORDER BY p.run_id DESC LIMIT ?2 OFFSET ?3");
    COUNT_UNAPPROVED = "SELECT count(*) FROM (SELECT 1 FROM pull_request_runs
                        INDEXED BY waits_for_approval
                        WHERE project_id = ?1 AND wait = 'approval' AND is_active = 1 LIMIT ?2)";
    NEXT_OVERDUE = "SELECT run_id, wait_until FROM pull_request_runs INDEXED BY waits_for_diffs
                    WHERE wait = 'diffs' ORDER BY wait_until, run_id LIMIT 1";
}

/// What keeps a run from its jobs, or did so for too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wait {
    /// Somebody has to submit pairs of tables.
    Diffs,
    /// Somebody has to approve it; canceled runs may wait for that, too, once they
    /// are retried.
    Approval,
    /// Nobody submitted anything in time.
    Overdue,
}

impl ToSql for Wait {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let word = match self {
            Wait::Diffs => "diffs",
            Wait::Approval => "approval",
            Wait::Overdue => "overdue",
        };
        Ok(word.into())
    }
}

impl FromSql for Wait {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "diffs" => Ok(Wait::Diffs),
            "approval" => Ok(Wait::Approval),
            "overdue" => Ok(Wait::Overdue),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

/// What [`brief()`] selects.
struct Brief {
    run_id: RunId,
    pull_request: PullRequest,
    is_from_forge: bool,
    is_repeated: bool,
    wait: Option<Wait>,
    hold: Option<Hold>,
}

fn brief(row: &Row<'_>) -> rusqlite::Result<Brief> {
    let is_active: bool = row.get(8)?;
    let wait = row.get(10)?;
    let hold = match wait {
        Some(Wait::Diffs) if is_active => Some(Hold::Diffs {
            until: row.col(11)?,
        }),
        Some(Wait::Approval) if is_active => Some(Hold::Approval {
            then_diffs_s: row.get(12)?,
        }),
        _ => None,
    };
    Ok(Brief {
        run_id: RunId(row.get(0)?),
        pull_request: PullRequest {
            number: row.get(1)?,
            head_sha: row.get(2)?,
            base_sha: row.get(3)?,
            head_branch: row.get(4)?,
            base_branch: row.get(5)?,
            merge_base: row.opt(6)?,
            details: PullRequestDetails::default(),
        },
        is_from_forge: row.get(7)?,
        is_repeated: row.get(9)?,
        wait,
        hold,
    })
}

fn listed(row: &Row<'_>) -> rusqlite::Result<CiRun> {
    let brief = brief(row)?;
    Ok(CiRun {
        id: brief.run_id,
        pull_request: brief.pull_request,
        status: row.col(13)?,
        is_from_forge: brief.is_from_forge,
        is_repeated: brief.is_repeated,
        hold: brief.hold,
    })
}

fn stored(row: &Row<'_>) -> rusqlite::Result<PullRequestRun> {
    let mut brief = brief(row)?;
    brief.pull_request.details = row.json(16)?;
    Ok(PullRequestRun {
        run_id: brief.run_id,
        config_id: CiConfigId(row.get(13)?),
        project_id: ProjectId(row.get(14)?),
        pull_request: brief.pull_request,
        is_from_forge: brief.is_from_forge,
        hold: brief.hold,
        is_overdue: brief.wait == Some(Wait::Overdue),
        is_repeated: brief.is_repeated,
        superseded_by: row.get::<_, Option<i64>>(15)?.map(RunId),
        diffs: row.get(17)?,
    })
}

/// Writes that a new run is of a pull request.
pub(super) fn add(
    session: &Session,
    run: RunId,
    project: ProjectId,
    new: &NewPullRequestRun,
    is_active: bool,
) -> StoreResult<()> {
    let (wait, until, then_diffs_s) = match new.hold {
        Some(Hold::Diffs { until }) => (Some(Wait::Diffs), Some(until), None),
        Some(Hold::Approval { then_diffs_s }) => (Some(Wait::Approval), None, then_diffs_s),
        None => (None, None, None),
    };
    let PullRequest {
        number,
        head_branch,
        head_sha,
        base_branch,
        base_sha,
        merge_base,
        details,
    } = &new.pull_request;
    let details = serde_json::to_string(details).expect("details are plain data");
    session
        .conn
        .prepare_cached(ADD)?
        .execute(rusqlite::params![
            run.0,
            new.config_id.0,
            project.0,
            number,
            head_sha,
            base_sha,
            head_branch,
            base_branch,
            merge_base.as_ref().map(Col),
            new.is_from_forge,
            is_active,
            wait,
            opt(until),
            then_diffs_s,
            details,
        ])?;
    Ok(())
}

/// That a run is of a pull request.
pub(super) fn one(db: &Db<'_>, run: RunId) -> StoreResult<Option<PullRequestRun>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row([run.0], stored)
        .optional()?)
}

fn all(db: &Db<'_>, sql: &str, parameters: impl Params) -> StoreResult<Vec<PullRequestRun>> {
    let mut statement = db.conn.prepare_cached(sql)?;
    let rows = statement.query_map(parameters, stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Active runs of a CI config and pull request, the newest first.
pub(super) fn active(
    db: &Db<'_>,
    config: CiConfigId,
    number: &str,
) -> StoreResult<Vec<PullRequestRun>> {
    all(db, ACTIVE, (config.0, number))
}

fn list(
    db: &Db<'_>,
    config: CiConfigId,
    filter: &CiRunFilter,
    limit: u32,
    offset: u64,
) -> StoreResult<Vec<CiRun>> {
    let place = (config.0, limit, integer(offset));
    let CiRunFilter { head_sha, number } = filter;
    let (sql, values) = match (head_sha, number) {
        (None, None) => (LIST, vec![]),
        (None, Some(number)) => (LIST_OF_NUMBER, vec![number]),
        (Some(head), None) => (LIST_OF_HEAD, vec![head]),
        (Some(head), Some(number)) => (LIST_OF_BOTH, vec![head, number]),
    };
    let mut statement = db.conn.prepare_cached(sql)?;
    let mut parameters: Vec<&dyn ToSql> = vec![&place.0, &place.1, &place.2];
    parameters.extend(values.into_iter().map(|value| value as &dyn ToSql));
    let rows = statement.query_map(&*parameters, listed)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn unapproved(
    db: &Db<'_>,
    project: ProjectId,
    request: PageRequest,
) -> StoreResult<Listing<PullRequestRun>> {
    let place = (project.0, page::limit(request), page::offset(request));
    let rows = all(db, UNAPPROVED, place)?;
    let count: u64 = db
        .conn
        .prepare_cached(COUNT_UNAPPROVED)?
        .query_row((project.0, integer(COUNT_LIMIT + 1)), |row| row.count(0))?;
    Ok(page::listing(rows, request, page::total(count)))
}

fn next_overdue(db: &Db<'_>) -> StoreResult<Option<(RunId, Timestamp)>> {
    Ok(db
        .conn
        .prepare_cached(NEXT_OVERDUE)?
        .query_row([], |row| Ok((RunId(row.get(0)?), row.col(1)?)))
        .optional()?)
}

impl crate::PullRequests for SqliteStore {
    fn pull_request_run(&self, run: RunId) -> Verb<'_, Option<PullRequestRun>> {
        Box::pin(async move { self.readers.look_up(|db| one(db, run)) })
    }

    fn ci_runs(
        &self,
        config: CiConfigId,
        filter: CiRunFilter,
        limit: u32,
        offset: u64,
    ) -> Verb<'_, Vec<CiRun>> {
        Box::pin(async move {
            self.readers
                .look_up(|db| list(db, config, &filter, limit, offset))
        })
    }

    fn active_pull_request_runs(
        &self,
        config: CiConfigId,
        number: String,
    ) -> Verb<'_, Vec<PullRequestRun>> {
        Box::pin(async move { self.readers.look_up(|db| active(db, config, &number)) })
    }

    fn newest_pull_request_runs(
        &self,
        project: ProjectId,
        number: String,
    ) -> Verb<'_, Vec<PullRequestRun>> {
        Box::pin(async move {
            self.readers
                .look_up(|db| all(db, NEWEST, (project.0, &number)))
        })
    }

    fn unapproved_runs(
        &self,
        project: ProjectId,
        page: PageRequest,
    ) -> Verb<'_, Listing<PullRequestRun>> {
        Box::pin(async move { self.readers.read(|db| unapproved(db, project, page)) })
    }

    fn submit_diffs(
        &self,
        config: CiConfigId,
        number: String,
        diffs: String,
        now: Timestamp,
    ) -> Verb<'_, Option<Submitted>> {
        Box::pin(
            self.writer
                .write(move |session| changes::submit(session, config, &number, &diffs, now)),
        )
    }

    fn release_head(
        &self,
        config: CiConfigId,
        head_sha: String,
        now: Timestamp,
    ) -> Verb<'_, Vec<Advance>> {
        Box::pin(
            self.writer
                .write(move |session| changes::release_head(session, config, &head_sha, now)),
        )
    }

    fn approve_run(&self, run: RunId, now: Timestamp) -> Verb<'_, Advance> {
        Box::pin(
            self.writer
                .write(move |session| changes::approve(session, run, now)),
        )
    }

    fn next_overdue_hold(&self) -> Verb<'_, Option<(RunId, Timestamp)>> {
        Box::pin(async move { self.readers.look_up(next_overdue) })
    }

    fn fail_overdue_hold(&self, run: RunId, now: Timestamp) -> Verb<'_, Option<Advance>> {
        Box::pin(
            self.writer
                .write(move |session| changes::fail_overdue(session, run, now)),
        )
    }
}

#[cfg(test)]
mod tests;
