//! Uploaded files of attempts.

use rusqlite::{OptionalExtension, Row};
use tappet_model::{ArtifactId, AttemptId};

use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, integer, opt};
use super::{artifacts, attempts, reports};
use crate::{Artifact, NewArtifact, StoreError, StoreResult};

/// The columns that [`stored`] reads, each behind the alias of its table.
macro_rules! columns {
    ($of:literal) => {
        concat!(
            $of,
            "id, ",
            $of,
            "attempt_id, ",
            $of,
            "kind, ",
            $of,
            "format, ",
            $of,
            "filename, ",
            $of,
            "size_bytes, ",
            $of,
            "sha256, ",
            $of,
            "expires_at, ",
            $of,
            "created_at, ",
            $of,
            "name"
        )
    };
}

macro_rules! select {
    () => {
        concat!("SELECT ", artifacts::columns!(""), " FROM artifacts")
    };
}

pub(super) use {columns, select};

statements! {
    ADD = "INSERT INTO artifacts (attempt_id, kind, name, format, filename, size_bytes, sha256,
           expires_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    OF_KIND = concat!(select!(), " WHERE attempt_id = ?1 AND kind = ?2 AND name = ?3");
    OF_ATTEMPT = concat!(select!(), " WHERE attempt_id = ?1 ORDER BY id");
    ONE = concat!(select!(), " WHERE id = ?1");
    DELETE = "DELETE FROM artifacts WHERE id = ?1";
    IS_SHARED = "SELECT EXISTS (SELECT 1 FROM artifacts
                 WHERE attempt_id = ?1 AND kind = ?2 AND sha256 = ?3)";
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
        name: Some(row.get::<_, String>(9)?).filter(|name| !name.is_empty()),
    })
}

/// Adds a file, or finds it when it was added before.
pub(super) fn add(session: &Session, new: &NewArtifact) -> StoreResult<Artifact> {
    let conn = &session.conn;
    attempts::place(&session.db(), new.attempt_id)?.ok_or(StoreError::NotFound("attempt"))?;
    let name = new.name.as_deref().unwrap_or_default();
    let known = conn
        .prepare_cached(OF_KIND)?
        .query_row((new.attempt_id.0, &new.kind, name), stored)
        .optional()?;
    match known {
        Some(known) if known.sha256 == new.sha256 => return Ok(known),
        Some(_) => {
            return Err(StoreError::Taken {
                field: match new.name {
                    Some(_) => "artifact name",
                    None => "artifact type",
                },
            });
        }
        None => {}
    }
    conn.prepare_cached(ADD)?.execute((
        new.attempt_id.0,
        &new.kind,
        name,
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
        name: new.name.clone(),
        format: new.format.clone(),
        filename: new.filename.clone(),
        size_bytes: new.size_bytes,
        sha256: new.sha256,
        expires_at: new.expires_at,
        created_at: new.now,
    })
}

/// One file.
pub(super) fn one(db: &Db<'_>, id: ArtifactId) -> StoreResult<Option<Artifact>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], stored)
        .optional()?)
}

/// Files of an attempt, in the order of upload.
pub(super) fn of_attempt(db: &Db<'_>, attempt: AttemptId) -> StoreResult<Vec<Artifact>> {
    let mut statement = db.conn.prepare_cached(OF_ATTEMPT)?;
    let rows = statement.query_map([attempt.0], stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets a file; gives it when it was there and is to be removed: two files of one
/// attempt with the same content are one on the disk.
pub(super) fn delete(session: &Session, id: ArtifactId) -> StoreResult<Option<Artifact>> {
    let conn = &session.conn;
    let found = conn
        .prepare_cached(ONE)?
        .query_row([id.0], stored)
        .optional()?;
    conn.prepare_cached(DELETE)?.execute([id.0])?;
    let Some(file) = found else { return Ok(None) };
    let is_shared: bool = conn
        .prepare_cached(IS_SHARED)?
        .query_row((file.attempt_id.0, &file.kind, file.sha256), |row| {
            row.get(0)
        })?;
    Ok((!is_shared).then_some(file))
}
