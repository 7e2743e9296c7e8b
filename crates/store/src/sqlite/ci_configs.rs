//! CI configs of projects.

use rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
use rusqlite::{OptionalExtension, Row};
use tappet_model::{CiConfigId, ProjectId, Timestamp};

use super::SqliteStore;
use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt};
use crate::{CiConfig, CiConfigSettings, StoreError, StoreResult, Verb};

macro_rules! columns {
    () => {
        "c.id, c.project_id, c.settings, c.name, c.created_at, c.updated_at"
    };
}

statements! {
    ONE = concat!("SELECT ", columns!(), " FROM ci_configs c JOIN projects p ON p.id = c.project_id
          WHERE c.id = ?1 AND c.deleted_at IS NULL AND p.deleted_at IS NULL");
    LIST = concat!("SELECT ", columns!(), " FROM ci_configs c
           WHERE c.project_id = ?1 AND c.deleted_at IS NULL ORDER BY c.id");
    COUNT = "SELECT count(*) FROM ci_configs WHERE project_id = ?1 AND deleted_at IS NULL";
    ADD = "INSERT INTO ci_configs (project_id, settings, name, created_at, updated_at)
           VALUES (?1, ?2, ?3, ?4, ?4)";
    UPDATE = "UPDATE ci_configs SET settings = ?2, name = ?3, updated_at = ?4 WHERE id = ?1";
    HIDE = "UPDATE ci_configs SET deleted_at = ?2 WHERE id = ?1";
}

fn stored(row: &Row<'_>) -> rusqlite::Result<CiConfig> {
    Ok(CiConfig {
        id: CiConfigId(row.get(0)?),
        project_id: ProjectId(row.get(1)?),
        settings: CiConfigSettings {
            name: row.get(3)?,
            ..row.json(2)?
        },
        created_at: row.col(4)?,
        updated_at: row.col(5)?,
    })
}

fn one(db: &Db<'_>, id: CiConfigId) -> StoreResult<Option<CiConfig>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], stored)
        .optional()?)
}

fn list(db: &Db<'_>, project: ProjectId) -> StoreResult<Vec<CiConfig>> {
    let mut statement = db.conn.prepare_cached(LIST)?;
    let rows = statement.query_map([project.0], stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn count(db: &Db<'_>, project: ProjectId) -> StoreResult<u64> {
    Ok(db
        .conn
        .prepare_cached(COUNT)?
        .query_row([project.0], |row| row.count(0))?)
}

/// Adds the CI config that a new project has.
pub(super) fn add_first(
    session: &Session,
    project: ProjectId,
    now: Timestamp,
) -> StoreResult<CiConfigId> {
    insert(session, project, &CiConfigSettings::default(), now)
}

fn insert(
    session: &Session,
    project: ProjectId,
    settings: &CiConfigSettings,
    now: Timestamp,
) -> StoreResult<CiConfigId> {
    let mut statement = session.conn.prepare_cached(ADD)?;
    or_taken(statement.execute((project.0, text(settings), &settings.name, Col(now))))?;
    Ok(CiConfigId(session.conn.last_insert_rowid()))
}

fn text(settings: &CiConfigSettings) -> String {
    serde_json::to_string(settings).expect("settings are plain data")
}

/// The only unique value beside the id is the name in the project.
fn or_taken(result: rusqlite::Result<usize>) -> StoreResult<usize> {
    result.map_err(|error| match error.sqlite_error() {
        Some(cause) if cause.extended_code == SQLITE_CONSTRAINT_UNIQUE => {
            StoreError::Taken { field: "name" }
        }
        _ => error.into(),
    })
}

fn add(
    session: &Session,
    project: ProjectId,
    settings: &CiConfigSettings,
    limit: u64,
    now: Timestamp,
) -> StoreResult<CiConfig> {
    if count(&session.db(), project)? >= limit {
        return Err(StoreError::Taken { field: "limit" });
    }
    let id = insert(session, project, settings, now)?;
    one(&session.db(), id)?.ok_or(StoreError::NotFound("project"))
}

fn update(
    session: &Session,
    id: CiConfigId,
    settings: &CiConfigSettings,
    now: Timestamp,
) -> StoreResult<Option<CiConfig>> {
    if one(&session.db(), id)?.is_none() {
        return Ok(None);
    }
    let mut statement = session.conn.prepare_cached(UPDATE)?;
    or_taken(statement.execute((id.0, text(settings), &settings.name, Col(now))))?;
    one(&session.db(), id)
}

fn delete(session: &Session, id: CiConfigId, now: Timestamp) -> StoreResult<bool> {
    let Some(config) = one(&session.db(), id)? else {
        return Ok(false);
    };
    if count(&session.db(), config.project_id)? <= 1 {
        return Err(StoreError::Taken { field: "last" });
    }
    session
        .conn
        .prepare_cached(HIDE)?
        .execute((id.0, Col(now)))?;
    Ok(true)
}

impl crate::CiConfigs for SqliteStore {
    fn ci_config(&self, id: CiConfigId) -> Verb<'_, Option<CiConfig>> {
        Box::pin(async move { self.readers.look_up(|db| one(db, id)) })
    }

    fn ci_configs(&self, project: ProjectId) -> Verb<'_, Vec<CiConfig>> {
        Box::pin(async move { self.readers.look_up(|db| list(db, project)) })
    }

    fn add_ci_config(
        &self,
        project: ProjectId,
        settings: CiConfigSettings,
        limit: u64,
        now: Timestamp,
    ) -> Verb<'_, CiConfig> {
        Box::pin(
            self.writer
                .write(move |session| add(session, project, &settings, limit, now)),
        )
    }

    fn update_ci_config(
        &self,
        id: CiConfigId,
        settings: CiConfigSettings,
        now: Timestamp,
    ) -> Verb<'_, Option<CiConfig>> {
        Box::pin(
            self.writer
                .write(move |session| update(session, id, &settings, now)),
        )
    }

    fn delete_ci_config(&self, id: CiConfigId, now: Timestamp) -> Verb<'_, bool> {
        Box::pin(self.writer.write(move |session| delete(session, id, now)))
    }
}
