//! Personal access tokens: made, listed, revoked, rotated. Whom a valid one
//! stands for is looked up in [`users`](super::users).

use rusqlite::{OptionalExtension, Row};
use tappet_model::{Timestamp, TokenId, UserId};

use super::content::Db;
use super::filter::{Filter, anywhere};
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, list_text, opt};
use crate::{
    AccessToken, Listing, NewAccessToken, PageRequest, StoreError, StoreResult, TokenFilter,
    TokenHash, TokenOrder,
};

macro_rules! columns {
    () => {
        "t.id, t.user_id, t.name, t.description, t.scopes, t.expires_at, t.revoked_at,
         t.last_used_at, t.created_at"
    };
}

pub(super) use columns;

statements! {
    ONE = concat!("SELECT ", columns!(), " FROM access_tokens t WHERE t.id = ?1");
    BY_HASH = concat!("SELECT ", columns!(), " FROM access_tokens t WHERE t.token_hash = ?1");
    ADD = "INSERT INTO access_tokens
           (user_id, name, description, scopes, token_hash, expires_at, created_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (token_hash) DO NOTHING";
    REVOKE = "UPDATE access_tokens SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
}

/// Reads the columns from `first` on.
pub(super) fn stored(row: &Row<'_>, first: usize) -> rusqlite::Result<AccessToken> {
    Ok(AccessToken {
        id: TokenId(row.get(first)?),
        user_id: UserId(row.get(first + 1)?),
        name: row.get(first + 2)?,
        description: row.get(first + 3)?,
        scopes: row.list(first + 4)?,
        expires_at: row.opt(first + 5)?,
        revoked_at: row.opt(first + 6)?,
        last_used_at: row.opt(first + 7)?,
        created_at: row.col(first + 8)?,
    })
}

/// One token, whatever became of it.
pub(super) fn one(db: &Db<'_>, id: TokenId) -> StoreResult<Option<AccessToken>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], |row| stored(row, 0))
        .optional()?)
}

/// The token with this hash, whatever became of it.
pub(super) fn by_hash(db: &Db<'_>, hash: TokenHash) -> StoreResult<Option<AccessToken>> {
    Ok(db
        .conn
        .prepare_cached(BY_HASH)?
        .query_row([Col(hash)], |row| stored(row, 0))
        .optional()?)
}

/// One page of tokens.
pub(super) fn list(
    db: &Db<'_>,
    wanted: &TokenFilter,
    request: PageRequest,
) -> StoreResult<Listing<AccessToken>> {
    let mut filter = Filter::default();
    filter
        .maybe("t.user_id = ?", wanted.user_id.map(|id| id.0))
        .maybe("(t.revoked_at IS NOT NULL) = ?", wanted.is_revoked)
        .maybe(
            "t.name LIKE ? ESCAPE '\\'",
            wanted.search.as_deref().map(anywhere),
        )
        .within("t.created_at", wanted.created)
        .within("t.last_used_at", wanted.last_used)
        .within("t.expires_at", wanted.expires);
    if let Some((is_active, now)) = wanted.is_active {
        filter.and(
            "(t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > ?)) = ?",
            [now.0.into(), is_active.into()],
        );
    }
    let order = match wanted.order {
        TokenOrder::CreatedDesc => "t.id DESC",
        TokenOrder::CreatedAsc => "t.id",
        TokenOrder::ExpiresAsc => "t.expires_at NULLS LAST, t.id",
        TokenOrder::ExpiresDesc => "t.expires_at DESC NULLS LAST, t.id DESC",
        TokenOrder::LastUsedAsc => "t.last_used_at NULLS LAST, t.id",
        TokenOrder::LastUsedDesc => "t.last_used_at DESC NULLS LAST, t.id DESC",
        TokenOrder::NameAsc => "t.name, t.id",
        TokenOrder::NameDesc => "t.name DESC, t.id DESC",
    };
    filter.list(db, (columns!(), "access_tokens t"), order, request, |row| {
        stored(row, 0)
    })
}

/// Adds a token.
pub(super) fn add(session: &Session, new: &NewAccessToken) -> StoreResult<AccessToken> {
    let count = session.conn.prepare_cached(ADD)?.execute((
        new.user_id.0,
        &new.name,
        &new.description,
        list_text(&new.scopes),
        Col(new.hash),
        opt(new.expires_at),
        Col(new.now),
    ))?;
    if count == 0 {
        return Err(StoreError::Taken { field: "token" });
    }
    let id = TokenId(session.conn.last_insert_rowid());
    one(&session.db(), id)?.ok_or(StoreError::NotFound("token"))
}

/// Ends a token.
pub(super) fn revoke(session: &Session, id: TokenId, now: Timestamp) -> StoreResult<bool> {
    let count = session
        .conn
        .prepare_cached(REVOKE)?
        .execute((id.0, Col(now)))?;
    Ok(count > 0)
}

/// Ends a token and adds another.
pub(super) fn rotate(
    session: &Session,
    id: TokenId,
    new: &NewAccessToken,
) -> StoreResult<Option<AccessToken>> {
    if revoke(session, id, new.now)? {
        add(session, new).map(Some)
    } else {
        Ok(None)
    }
}
