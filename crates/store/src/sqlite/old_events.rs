//! Events of runs that ended long ago go, all of a run together.
//!
//! The walk follows the ids of events, which rise with time, so it ends at the
//! first one that is young. The run of the newest event of all keeps its own,
//! because ids go on from there.

use std::collections::BTreeSet;

use tappet_model::{Status, Timestamp};

use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::RowExt;
use crate::{OldEvents, StoreResult};

statements! {
    WALK = "SELECT e.id, e.created_at, e.run_id, r.status, r.updated_at FROM events e
            LEFT JOIN runs r ON r.id = e.run_id
            WHERE e.id > ?1 ORDER BY e.id LIMIT ?2";
    NEWEST = "SELECT run_id FROM events ORDER BY id DESC LIMIT 1";
    DELETE = "DELETE FROM events WHERE run_id = ?1";
}

/// One step of the walk.
struct Step {
    /// Runs whose events may go.
    runs: BTreeSet<i64>,
    /// How many of the rows passed are theirs.
    count: u64,
    /// Where the next step begins, when there is one.
    next: Option<i64>,
}

fn step(db: &Db<'_>, after: i64, before: Timestamp, limit: u32) -> StoreResult<Step> {
    let newest: Vec<i64> = db
        .conn
        .prepare_cached(NEWEST)?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut step = Step {
        runs: BTreeSet::new(),
        count: 0,
        next: None,
    };
    let mut rows = 0;
    let mut statement = db.conn.prepare_cached(WALK)?;
    let mut found = statement.query((after, limit))?;
    while let Some(row) = found.next()? {
        let (id, created_at, run): (i64, Timestamp, i64) = (row.get(0)?, row.col(1)?, row.get(2)?);
        if created_at >= before {
            break;
        }
        rows += 1;
        step.next = Some(id);
        let state = row.opt(3)?.zip(row.opt(4)?);
        if is_over(state, before) && !newest.contains(&run) {
            step.runs.insert(run);
            step.count += 1;
        }
    }
    step.next = step.next.filter(|_| rows == limit);
    Ok(step)
}

/// Whether nobody waits for the next event: the run is gone, or has ended, or has
/// waited for a person, all that time.
fn is_over(state: Option<(Status, Timestamp)>, before: Timestamp) -> bool {
    state.is_none_or(|(status, updated_at)| {
        (status.is_completed() || status == Status::Manual) && updated_at < before
    })
}

/// Deletes those of one step.
pub(super) fn delete(
    session: &Session,
    after: i64,
    before: Timestamp,
    limit: u32,
) -> StoreResult<OldEvents> {
    let step = step(&session.db(), after, before, limit)?;
    let mut statement = session.conn.prepare_cached(DELETE)?;
    let mut count = 0;
    for run in step.runs {
        count += statement.execute([run])? as u64;
    }
    Ok(OldEvents {
        count,
        next: step.next,
    })
}

/// Counts those of one step.
pub(super) fn count(
    db: &Db<'_>,
    after: i64,
    before: Timestamp,
    limit: u32,
) -> StoreResult<OldEvents> {
    let Step { count, next, .. } = step(db, after, before, limit)?;
    Ok(OldEvents { count, next })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::ended(Some((Status::Success, 9)), true)]
    #[case::ended_just_now(Some((Status::Success, 10)), false)]
    #[case::running(Some((Status::Running, 9)), false)]
    #[case::waiting_for_a_person(Some((Status::Manual, 9)), true)]
    #[case::deleted(None, true)]
    fn events_go_when_their_run_is_over(
        #[case] state: Option<(Status, i64)>,
        #[case] expected: bool,
    ) {
        let state = state.map(|(status, time)| (status, Timestamp(time)));
        assert_eq!(is_over(state, Timestamp(10)), expected);
    }
}
