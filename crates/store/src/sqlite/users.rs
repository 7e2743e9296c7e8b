//! People and their access tokens.

use rusqlite::{OptionalExtension, Row};
use tappet_model::{Timestamp, TokenId, UserId};

use super::access_tokens;
use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt};
use crate::{AccessToken, StoreResult, TokenHash, User};

macro_rules! columns {
    () => {
        "u.id, u.username, u.name, u.email, u.is_admin, u.is_blocked, u.created_at, u.is_external"
    };
}

pub(super) use columns;

/// How many columns a person has.
pub(super) const COLUMNS: usize = 8;

statements! {
    ONE = concat!("SELECT ", columns!(), " FROM users u WHERE u.id = ?1");
    ID_BY_NAME = "SELECT id FROM users WHERE username = ?1";
    ROOT = concat!("SELECT ", columns!(), " FROM users u WHERE u.username = 'root'");
    ROOT_WITH_TOKEN = concat!("SELECT ", columns!(), " FROM users u
                      JOIN access_tokens t ON t.user_id = u.id
                      WHERE u.username = 'root' AND t.token_hash = ?1 AND t.is_root
                      AND t.revoked_at IS NULL");
    ADD_ROOT = "INSERT INTO users (username, name, email, is_admin, is_blocked, created_at)
                VALUES ('root', 'Administrator', '', 1, 0, ?1)
                ON CONFLICT DO NOTHING";
    REVOKE_ROOT_TOKENS = "UPDATE access_tokens SET revoked_at = ?2
                          WHERE user_id = ?1 AND is_root AND revoked_at IS NULL";
    ADD_ROOT_TOKEN = "INSERT INTO access_tokens
                      (user_id, name, scopes, token_hash, is_root, created_at)
                      VALUES (?1, 'root token', '[\"api\",\"sudo\"]', ?2, 1, ?3)
                      ON CONFLICT DO UPDATE SET revoked_at = NULL";
    BY_TOKEN = concat!("SELECT ", columns!(), ", ", access_tokens::columns!(), "
               FROM access_tokens t JOIN users u ON u.id = t.user_id
               WHERE t.token_hash = ?1 AND t.revoked_at IS NULL
               AND (t.expires_at IS NULL OR t.expires_at > ?2)");
    LAST_USED = "SELECT last_used_at FROM access_tokens WHERE id = ?1";
    TOUCH = "UPDATE access_tokens SET last_used_at = ?2 WHERE id = ?1";
}

/// Reads the columns that every query of this kind starts with.
pub(super) fn stored(row: &Row<'_>) -> rusqlite::Result<User> {
    stored_from(row, 0)
}

/// Reads a person's columns from `first` on.
pub(super) fn stored_from(row: &Row<'_>, first: usize) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId(row.get(first)?),
        username: row.get(first + 1)?,
        name: row.get(first + 2)?,
        email: row.get(first + 3)?,
        is_admin: row.get(first + 4)?,
        is_blocked: row.get(first + 5)?,
        created_at: row.col(first + 6)?,
        is_external: row.get(first + 7)?,
    })
}

/// One user.
pub(super) fn user(db: &Db<'_>, id: UserId) -> StoreResult<Option<User>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], stored)
        .optional()?)
}

/// The id of a login name.
pub(super) fn id_by_name(db: &Db<'_>, username: &str) -> StoreResult<Option<i64>> {
    Ok(db
        .conn
        .prepare_cached(ID_BY_NAME)?
        .query_row([username], |row| row.get(0))
        .optional()?)
}

/// The administrator, if this is the root token in use.
pub(super) fn root_with_token(db: &Db<'_>, hash: TokenHash) -> StoreResult<Option<User>> {
    Ok(db
        .conn
        .prepare_cached(ROOT_WITH_TOKEN)?
        .query_row([Col(hash)], stored)
        .optional()?)
}

/// Makes the administrator where missing, and this token the only root token.
pub(super) fn ensure_root(session: &Session, hash: TokenHash, now: Timestamp) -> StoreResult<User> {
    let conn = &session.conn;
    conn.prepare_cached(ADD_ROOT)?.execute([Col(now)])?;
    let user = conn.prepare_cached(ROOT)?.query_row([], stored)?;
    conn.prepare_cached(REVOKE_ROOT_TOKENS)?
        .execute((user.id.0, Col(now)))?;
    conn.prepare_cached(ADD_ROOT_TOKEN)?
        .execute((user.id.0, Col(hash), Col(now)))?;
    Ok(user)
}

/// The user of a valid access token, with the token.
pub(super) fn by_token(
    db: &Db<'_>,
    hash: TokenHash,
    now: Timestamp,
) -> StoreResult<Option<(User, AccessToken)>> {
    Ok(db
        .conn
        .prepare_cached(BY_TOKEN)?
        .query_row((Col(hash), Col(now)), |row| {
            Ok((stored(row)?, access_tokens::stored(row, COLUMNS)?))
        })
        .optional()?)
}

/// When a token was last used, as stored.
pub(super) fn last_used(db: &Db<'_>, id: TokenId) -> StoreResult<Option<Timestamp>> {
    let found = db
        .conn
        .prepare_cached(LAST_USED)?
        .query_row([id.0], |row| row.opt(0))
        .optional()?;
    Ok(found.flatten())
}

/// Notes a use.
pub(super) fn touch(session: &Session, id: TokenId, now: Timestamp) -> StoreResult<()> {
    session
        .conn
        .prepare_cached(TOUCH)?
        .execute((id.0, Col(now)))?;
    Ok(())
}
