//! Uploaded files of attempts.

use rusqlite::{OptionalExtension, Row};
use tappet_model::{ArtifactId, AttemptId};

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

pub(super) use select;

statements! {
    ADD = "INSERT INTO artifacts (attempt_id, kind, format, filename, size_bytes, sha256,
           expires_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    OF_KIND = concat!(select!(), " WHERE attempt_id = ?1 AND kind = ?2");
    OF_ATTEMPT = concat!(select!(), " WHERE attempt_id = ?1 ORDER BY id");
    ONE = concat!(select!(), " WHERE id = ?1");
    DELETE = "DELETE FROM artifacts WHERE id = ?1";
}

/// The row of a [`select!`].
pub(super) fn stored(row: &Row<'_>) -> rusqlite::Result<Artifact> {
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

/// Forgets a file; gives it when it was there.
pub(super) fn delete(session: &Session, id: ArtifactId) -> StoreResult<Option<Artifact>> {
    let conn = &session.conn;
    let found = conn
        .prepare_cached(ONE)?
        .query_row([id.0], stored)
        .optional()?;
    conn.prepare_cached(DELETE)?.execute([id.0])?;
    Ok(found)
}
