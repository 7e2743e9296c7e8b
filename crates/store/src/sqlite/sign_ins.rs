//! One-time sign-ins and the browser sessions that they open.

use rusqlite::OptionalExtension;
use tappet_model::{Timestamp, UserId};

use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::users;
use super::value::Col;
use crate::{StoreResult, TokenHash, User};

statements! {
    ADD_SIGN_IN = "INSERT INTO sign_ins (token_hash, user_id, expires_at) VALUES (?1, ?2, ?3)";
    REDEEM = "DELETE FROM sign_ins WHERE token_hash = ?1 AND expires_at > ?2 RETURNING user_id";
    PRUNE_SIGN_INS = "DELETE FROM sign_ins WHERE expires_at <= ?1";
    ADD_SESSION = "INSERT INTO sessions (token_hash, user_id, expires_at) VALUES (?1, ?2, ?3)";
    SESSION_USER = "SELECT user_id FROM sessions WHERE token_hash = ?1 AND expires_at > ?2";
    END_SESSION = "DELETE FROM sessions WHERE token_hash = ?1";
    PRUNE_SESSIONS = "DELETE FROM sessions WHERE expires_at <= ?1";
}

/// Remembers a hash that can be redeemed once.
pub(super) fn add_sign_in(
    session: &Session,
    hash: TokenHash,
    user: UserId,
    expires_at: Timestamp,
) -> StoreResult<()> {
    session
        .conn
        .prepare_cached(ADD_SIGN_IN)?
        .execute((Col(hash), user.0, Col(expires_at)))?;
    Ok(())
}

/// Redeems a hash, and drops those and the sessions that nobody can use any more.
pub(super) fn redeem(
    session: &Session,
    hash: TokenHash,
    now: Timestamp,
) -> StoreResult<Option<User>> {
    let conn = &session.conn;
    let user: Option<i64> = conn
        .prepare_cached(REDEEM)?
        .query_row((Col(hash), Col(now)), |row| row.get(0))
        .optional()?;
    conn.prepare_cached(PRUNE_SIGN_INS)?.execute([Col(now)])?;
    conn.prepare_cached(PRUNE_SESSIONS)?.execute([Col(now)])?;
    match user {
        Some(id) => users::user(&session.db(), UserId(id)),
        None => Ok(None),
    }
}

/// Opens a browser session.
pub(super) fn add_session(
    session: &Session,
    hash: TokenHash,
    user: UserId,
    expires_at: Timestamp,
) -> StoreResult<()> {
    session
        .conn
        .prepare_cached(ADD_SESSION)?
        .execute((Col(hash), user.0, Col(expires_at)))?;
    Ok(())
}

/// The user of a session that has not expired.
pub(super) fn session_user(
    db: &Db<'_>,
    hash: TokenHash,
    now: Timestamp,
) -> StoreResult<Option<User>> {
    let user: Option<i64> = db
        .conn
        .prepare_cached(SESSION_USER)?
        .query_row((Col(hash), Col(now)), |row| row.get(0))
        .optional()?;
    match user {
        Some(id) => users::user(db, UserId(id)),
        None => Ok(None),
    }
}

/// Ends a session.
pub(super) fn end_session(session: &Session, hash: TokenHash) -> StoreResult<()> {
    session
        .conn
        .prepare_cached(END_SESSION)?
        .execute([Col(hash)])?;
    Ok(())
}
