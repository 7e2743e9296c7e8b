//! Protected branches and tags.

use rusqlite::{OptionalExtension, Row};
use tappet_model::{ProjectId, ProtectedRefId, RefKind};

use super::SqliteStore;
use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt};
use crate::{NewProtectedRef, ProtectedRef, ProtectedRefChange, StoreError, StoreResult, Verb};

macro_rules! select {
    () => {
        "SELECT id, project_id, kind, name, push_level, merge_level, allow_force_push,
         created_at FROM protected_refs"
    };
}

statements! {
    OF_PROJECT = concat!(select!(), " WHERE project_id = ?1 AND kind = ?2 ORDER BY id");
    ONE = concat!(select!(), " WHERE id = ?1");
    ADD = "INSERT INTO protected_refs (project_id, kind, name, push_level, merge_level,
           allow_force_push, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
           ON CONFLICT (project_id, kind, name) DO NOTHING";
    UPDATE = "UPDATE protected_refs SET push_level = coalesce(?2, push_level),
              merge_level = coalesce(?3, merge_level),
              allow_force_push = coalesce(?4, allow_force_push) WHERE id = ?1";
    REMOVE = "DELETE FROM protected_refs WHERE id = ?1";
}

fn stored(row: &Row<'_>) -> rusqlite::Result<ProtectedRef> {
    Ok(ProtectedRef {
        id: ProtectedRefId(row.get(0)?),
        project_id: ProjectId(row.get(1)?),
        kind: row.col(2)?,
        name: row.get(3)?,
        push_level: row.count(4)?,
        merge_level: row.count(5)?,
        allow_force_push: row.get(6)?,
        created_at: row.col(7)?,
    })
}

fn of_project(db: &Db<'_>, project: ProjectId, kind: RefKind) -> StoreResult<Vec<ProtectedRef>> {
    let mut statement = db.conn.prepare_cached(OF_PROJECT)?;
    let rows = statement.query_map((project.0, Col(kind)), stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn one(session: &Session, id: ProtectedRefId) -> StoreResult<ProtectedRef> {
    session
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], stored)
        .optional()?
        .ok_or(StoreError::NotFound("protected ref"))
}

fn add(session: &Session, new: &NewProtectedRef) -> StoreResult<ProtectedRef> {
    let count = session.conn.prepare_cached(ADD)?.execute((
        new.project_id.0,
        Col(new.kind),
        &new.name,
        new.push_level,
        new.merge_level,
        new.allow_force_push,
        Col(new.now),
    ))?;
    if count == 0 {
        return Err(StoreError::Taken { field: "name" });
    }
    one(session, ProtectedRefId(session.conn.last_insert_rowid()))
}

fn update(
    session: &Session,
    id: ProtectedRefId,
    change: ProtectedRefChange,
) -> StoreResult<ProtectedRef> {
    session.conn.prepare_cached(UPDATE)?.execute((
        id.0,
        change.push_level,
        change.merge_level,
        change.allow_force_push,
    ))?;
    one(session, id)
}

impl crate::ProtectedRefs for SqliteStore {
    fn protected_refs(&self, project: ProjectId, kind: RefKind) -> Verb<'_, Vec<ProtectedRef>> {
        Box::pin(async move { self.readers.look_up(|db| of_project(db, project, kind)) })
    }

    fn protect_ref(&self, new: NewProtectedRef) -> Verb<'_, ProtectedRef> {
        Box::pin(self.writer.write(move |session| add(session, &new)))
    }

    fn update_protected_ref(
        &self,
        id: ProtectedRefId,
        change: ProtectedRefChange,
    ) -> Verb<'_, ProtectedRef> {
        Box::pin(
            self.writer
                .write(move |session| update(session, id, change)),
        )
    }

    fn unprotect_ref(&self, id: ProtectedRefId) -> Verb<'_, bool> {
        Box::pin(self.writer.write(move |session| {
            let count = session.conn.prepare_cached(REMOVE)?.execute([id.0])?;
            Ok(count > 0)
        }))
    }
}
