//! Uploaded files of attempts.

use rusqlite::{OptionalExtension, Row};
use tappet_model::{ArtifactId, AttemptId, Timestamp};

use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, integer, opt};
use super::{attempts, reports};
use crate::{Artifact, NewArtifact, StoreError, StoreResult};

macro_rules! select {
    () => {
        "SELECT id, attempt_id, kind, format, filename, size_bytes, sha256, expires_at, created_at
         FROM artifacts"
    };
}

statements! {
    ADD = "INSERT INTO artifacts (attempt_id, kind, format, filename, size_bytes, sha256,
           expires_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    OF_KIND = concat!(select!(), " WHERE attempt_id = ?1 AND kind = ?2");
    OF_ATTEMPT = concat!(select!(), " WHERE attempt_id = ?1 ORDER BY id");
    EXPIRED = concat!(select!(), " WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2");
    NEXT_EXPIRY = "SELECT min(expires_at) FROM artifacts WHERE expires_at IS NOT NULL";
    DELETE = "DELETE FROM artifacts WHERE id = ?1";
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Artifact> {
    Ok(Artifact {
        id: ArtifactId(row.get(0)?),
        attempt_id: AttemptId(row.get(1)?),
        kind: row.get(2)?,
        format: row.get(3)?,
        filename: row.get(4)?,
        size_bytes: row.count(5)?,
        sha256: row.get(6)?,
        expires_at: row.opt(7)?,
        created_at: row.col(8)?,
    })
}

/// Adds a file, or finds it when it was added before.
pub(super) fn add(session: &Session, new: &NewArtifact) -> StoreResult<Artifact> {
    let conn = &session.conn;
    attempts::place(&session.db(), new.attempt_id)?.ok_or(StoreError::NotFound("attempt"))?;
    let known = conn
        .prepare_cached(OF_KIND)?
        .query_row((new.attempt_id.0, &new.kind), stored)
        .optional()?;
    match known {
        Some(known) if known.sha256 == new.sha256 => return Ok(known),
        Some(_) => {
            return Err(StoreError::Taken {
                field: "artifact type",
            });
        }
        None => {}
    }
    conn.prepare_cached(ADD)?.execute((
        new.attempt_id.0,
        &new.kind,
        &new.format,
        &new.filename,
        integer(new.size_bytes),
        new.sha256,
        opt(new.expires_at),
        Col(new.now),
    ))?;
    let id = ArtifactId(conn.last_insert_rowid());
    if let Some(report) = &new.report {
        reports::add(session, new.attempt_id, report)?;
    }
    Ok(Artifact {
        id,
        attempt_id: new.attempt_id,
        kind: new.kind.clone(),
        format: new.format.clone(),
        filename: new.filename.clone(),
        size_bytes: new.size_bytes,
        sha256: new.sha256,
        expires_at: new.expires_at,
        created_at: new.now,
    })
}

/// Files of an attempt, in the order of upload.
pub(super) fn of_attempt(db: &Db<'_>, attempt: AttemptId) -> StoreResult<Vec<Artifact>> {
    let mut statement = db.conn.prepare_cached(OF_ATTEMPT)?;
    let rows = statement.query_map([attempt.0], stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Files whose time is over, the longest over first.
pub(super) fn expired(db: &Db<'_>, now: Timestamp, limit: u32) -> StoreResult<Vec<Artifact>> {
    let mut statement = db.conn.prepare_cached(EXPIRED)?;
    let rows = statement.query_map((Col(now), limit), stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When the next file expires.
pub(super) fn next_expiry(db: &Db<'_>) -> StoreResult<Option<Timestamp>> {
    Ok(db
        .conn
        .prepare_cached(NEXT_EXPIRY)?
        .query_row([], |row| row.opt(0))?)
}

/// Forgets a file.
pub(super) fn delete(session: &Session, id: ArtifactId) -> StoreResult<()> {
    session.conn.prepare_cached(DELETE)?.execute([id.0])?;
    Ok(())
}
