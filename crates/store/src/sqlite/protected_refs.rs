//! Protected branches and tags.

use rusqlite::Row;
use tappet_model::{ProjectId, ProtectedRefId, RefKind};

use super::SqliteStore;
use super::content::Db;
use super::statement::statements;
use super::value::{Col, RowExt};
use crate::{ProtectedRef, StoreResult, Verb};

statements! {
    OF_PROJECT = "SELECT id, project_id, kind, name, push_level, merge_level, allow_force_push,
                  created_at FROM protected_refs WHERE project_id = ?1 AND kind = ?2 ORDER BY id";
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

impl crate::ProtectedRefs for SqliteStore {
    fn protected_refs(&self, project: ProjectId, kind: RefKind) -> Verb<'_, Vec<ProtectedRef>> {
        Box::pin(async move { self.readers.read(|db| of_project(db, project, kind)) })
    }
}
