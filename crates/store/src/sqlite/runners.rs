//! What executes attempts.

use rusqlite::{OptionalExtension, Row};
use tappet_model::{RunnerId, Timestamp};

use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt};
use crate::{Runner, StoreResult, TokenHash};

macro_rules! select {
    () => {
        "SELECT id, description, is_embedded, tags, run_untagged, is_paused, created_at
         FROM runners"
    };
}

statements! {
    ONE = concat!(select!(), " WHERE id = ?1");
    BY_TOKEN = concat!(select!(), " WHERE token_hash = ?1");
    EVERY = concat!(select!(), " ORDER BY id");
    EMBEDDED = concat!(select!(), " WHERE is_embedded ORDER BY id LIMIT 1");
    ADD_EMBEDDED = "INSERT INTO runners (description, is_embedded, tags, run_untagged, is_paused,
                    token_hash, created_at) VALUES ('embedded', 1, '[]', 1, 0, ?1, ?2)";
    SET_TOKEN = "UPDATE runners SET token_hash = ?2 WHERE id = ?1";
    IS_PAUSED = "SELECT is_paused FROM runners WHERE id = ?1";
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Runner> {
    Ok(Runner {
        id: RunnerId(row.get(0)?),
        description: row.get(1)?,
        is_embedded: row.get(2)?,
        tags: row.list(3)?,
        run_untagged: row.get(4)?,
        is_paused: row.get(5)?,
        created_at: row.col(6)?,
    })
}

/// One runner.
pub(super) fn runner(db: &Db<'_>, id: RunnerId) -> StoreResult<Option<Runner>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], stored)
        .optional()?)
}

/// All runners, the oldest first.
pub(super) fn all(db: &Db<'_>) -> StoreResult<Vec<Runner>> {
    let mut statement = db.conn.prepare_cached(EVERY)?;
    let runners = statement.query_map([], stored)?;
    Ok(runners.collect::<Result<_, _>>()?)
}

/// The runner of a token.
pub(super) fn by_token(db: &Db<'_>, hash: TokenHash) -> StoreResult<Option<Runner>> {
    Ok(db
        .conn
        .prepare_cached(BY_TOKEN)?
        .query_row([Col(hash)], stored)
        .optional()?)
}

/// Whether a runner gets nothing for now; an unknown one gets nothing either.
pub(super) fn is_paused(db: &Db<'_>, id: RunnerId) -> StoreResult<bool> {
    let found: Option<bool> = db
        .conn
        .prepare_cached(IS_PAUSED)?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(true))
}

/// The embedded runner, made where missing, with this token.
pub(super) fn ensure_embedded(
    session: &Session,
    hash: TokenHash,
    now: Timestamp,
) -> StoreResult<Runner> {
    let conn = &session.conn;
    let known = conn
        .prepare_cached(EMBEDDED)?
        .query_row([], stored)
        .optional()?;
    if let Some(runner) = known {
        conn.prepare_cached(SET_TOKEN)?
            .execute((runner.id.0, Col(hash)))?;
        return Ok(runner);
    }
    conn.prepare_cached(ADD_EMBEDDED)?
        .execute((Col(hash), Col(now)))?;
    Ok(conn.prepare_cached(EMBEDDED)?.query_row([], stored)?)
}
