//! Ids of runs rise with their times of creation, so that bounds on times are
//! bounds on ids.
//!
//! Callers read the clock before the writer's turn comes, so times may arrive
//! out of order by a moment: those are moved up. A clock that was set back by
//! more is believed, and remembered, because from then on bounds on times are no
//! bounds on ids any more.

use std::time::Duration;

use rusqlite::OptionalExtension;
use tappet_model::{ProjectId, RunId, Timestamp};

use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::RowExt;
use crate::StoreResult;

statements! {
    NEWEST = "SELECT created_at FROM runs ORDER BY id DESC LIMIT 1";
    REMEMBER = "INSERT INTO clock_setbacks (run_id) VALUES (?1)";
    HAS_SETBACKS = "SELECT EXISTS (SELECT 1 FROM clock_setbacks)";
    AT_OR_AFTER = "SELECT id, iid, created_at FROM runs INDEXED BY runs_by_iid
                   WHERE project_id = ?1 AND iid >= ?2 ORDER BY iid LIMIT 1";
    BEFORE = "SELECT id, iid, created_at FROM runs INDEXED BY runs_by_iid
              WHERE project_id = ?1 AND iid < ?2 ORDER BY iid DESC LIMIT 1";
}

/// Nobody waits this long for the writer's turn.
const MOMENT: Duration = Duration::from_mins(1);

/// The time of creation of a run whose caller read `now`.
pub(super) fn of_next(session: &mut Session, now: Timestamp) -> StoreResult<Timestamp> {
    Ok(next(last(session)?, now))
}

/// Follows a run that was written.
pub(super) fn follow(session: &mut Session, run: RunId, created_at: Timestamp) -> StoreResult<()> {
    if created_at < last(session)? {
        session.conn.prepare_cached(REMEMBER)?.execute([run.0])?;
    }
    session.last_creation = Some(created_at);
    Ok(())
}

fn last(session: &mut Session) -> StoreResult<Timestamp> {
    if let Some(known) = session.last_creation {
        return Ok(known);
    }
    let newest = session
        .conn
        .prepare_cached(NEWEST)?
        .query_row([], |row| row.col(0))
        .optional()?;
    let last = newest.unwrap_or(Timestamp(i64::MIN));
    session.last_creation = Some(last);
    Ok(last)
}

fn next(last: Timestamp, now: Timestamp) -> Timestamp {
    if now < last && last.since(now) <= MOMENT {
        last
    } else {
        now
    }
}

/// Whether some run has an earlier time than a run before it.
pub(super) fn has_setbacks(db: &Db<'_>) -> StoreResult<bool> {
    Ok(db
        .conn
        .prepare_cached(HAS_SETBACKS)?
        .query_row([], |row| row.get(0))?)
}

/// Where a run stands in the order of creation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct RunPlace {
    /// Among all runs.
    pub(super) id: i64,
    /// In its project.
    pub(super) iid: i64,
}

/// The first run of a project that was created after `time`, as long as there are
/// no setbacks.
pub(super) fn first_after(
    db: &Db<'_>,
    project: ProjectId,
    time: Timestamp,
) -> StoreResult<Option<RunPlace>> {
    first(db, project, |created_at| created_at > time)
}

/// The last run of a project that was created before `time`, as long as there are
/// no setbacks.
pub(super) fn last_before(
    db: &Db<'_>,
    project: ProjectId,
    time: Timestamp,
) -> StoreResult<Option<RunPlace>> {
    let first = first(db, project, |created_at| created_at >= time)?;
    let end = first.map_or(i64::MAX, |place| place.iid);
    Ok(neighbour(db, BEFORE, project, end)?.map(|(place, _)| place))
}

/// The first run whose time is wanted, where all later ones are as well: half of
/// the runs that are left are ruled out at each look.
fn first(
    db: &Db<'_>,
    project: ProjectId,
    is_wanted: impl Fn(Timestamp) -> bool,
) -> StoreResult<Option<RunPlace>> {
    let Some((newest, _)) = neighbour(db, BEFORE, project, i64::MAX)? else {
        return Ok(None);
    };
    let (mut low, mut high) = (0, newest.iid + 1);
    let mut found = None;
    while low < high {
        let middle = low + (high - low) / 2;
        match neighbour(db, AT_OR_AFTER, project, middle)? {
            // Some numbers belong to runs that were deleted.
            Some((run, created_at)) if !is_wanted(created_at) => low = run.iid + 1,
            run => {
                found = run.map(|(place, _)| place);
                high = middle;
            }
        }
    }
    Ok(found)
}

fn neighbour(
    db: &Db<'_>,
    sql: &str,
    project: ProjectId,
    iid: i64,
) -> StoreResult<Option<(RunPlace, Timestamp)>> {
    Ok(db
        .conn
        .prepare_cached(sql)?
        .query_row((project.0, iid), |row| {
            let place = RunPlace {
                id: row.get(0)?,
                iid: row.get(1)?,
            };
            Ok((place, row.col(2)?))
        })
        .optional()?)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SECOND: i64 = 1_000_000;

    #[rstest]
    #[case::later(5, 5)]
    #[case::a_moment_earlier(-1, 0)]
    #[case::a_minute_earlier(-60 * SECOND, 0)]
    #[case::set_back(-61 * SECOND, -61 * SECOND)]
    fn a_moment_is_moved_up_and_a_setback_is_believed(#[case] now: i64, #[case] expected: i64) {
        let base = 1_000_000 * SECOND;
        let next = next(Timestamp(base), Timestamp(base + now));
        assert_eq!(next.0 - base, expected);
    }
}
