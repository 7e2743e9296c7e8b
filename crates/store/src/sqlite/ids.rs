//! Ids of runs and attempts, rising and never used twice: they are parts of
//! addresses and tokens, and those of a deleted run must not lead to another.

use super::session::Session;
use super::statement::statements;
use crate::StoreResult;

statements! {
    LAST_RUN = "SELECT max(coalesce((SELECT max(id) FROM runs), 0),
                coalesce((SELECT id FROM last_deleted WHERE kind = 'run'), 0))";
    LAST_ATTEMPT = "SELECT max(coalesce((SELECT max(id) FROM attempts), 0),
                    coalesce((SELECT id FROM last_deleted WHERE kind = 'attempt'), 0))";
}

/// The id of the next run.
pub(super) fn next_run(session: &mut Session) -> StoreResult<i64> {
    let last = match session.last_run {
        Some(last) => last,
        None => last(session, LAST_RUN)?,
    };
    session.last_run = Some(last + 1);
    Ok(last + 1)
}

/// The id of the next attempt.
pub(super) fn next_attempt(session: &mut Session) -> StoreResult<i64> {
    let last = match session.last_attempt {
        Some(last) => last,
        None => last(session, LAST_ATTEMPT)?,
    };
    session.last_attempt = Some(last + 1);
    Ok(last + 1)
}

fn last(session: &Session, sql: &str) -> StoreResult<i64> {
    Ok(session
        .conn
        .prepare_cached(sql)?
        .query_row([], |row| row.get(0))?)
}
