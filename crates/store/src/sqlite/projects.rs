//! Projects.

use rusqlite::{OptionalExtension, Row};
use tappet_model::{ProjectId, RunId, UserId};

use super::ci_configs;
use super::content::Db;
use super::members;
use super::runs;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, integer};
use crate::{Member, NewProject, OWNER_LEVEL, Project, RepositorySource, StoreError, StoreResult};

macro_rules! columns {
    () => {
        "p.id, p.path, p.name, p.description, p.source_kind, p.source_address,
         p.default_branch, p.visibility, p.creator_id, p.ci_config_path, p.timeout_s,
         (SELECT json_group_array(json_object('id', c.id, 'name', c.name)) FROM (SELECT id, name
         FROM ci_configs WHERE project_id = p.id AND deleted_at IS NULL ORDER BY id) c),
         p.created_at, p.settings,
         coalesce(p.updated_at, p.created_at)"
    };
}

pub(super) use columns;

statements! {
    ADD = "INSERT INTO projects (path, name, description, source_kind, source_address,
           default_branch, visibility, creator_id, ci_config_path, timeout_s, created_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
           ON CONFLICT (path) DO NOTHING";
    ADD_COUNTER = "INSERT INTO run_counters (project_id, last_iid) VALUES (?1, 0)";
    FORGET_MOVED = "DELETE FROM moved_projects WHERE path = ?1";
    ANY = concat!("SELECT ", columns!(), " FROM projects p WHERE p.id = ?1");
    ONE = concat!("SELECT ", columns!(), " FROM projects p
          WHERE p.id = ?1 AND p.deleted_at IS NULL");
    BY_PATH = concat!("SELECT ", columns!(), " FROM projects p
              WHERE p.path = ?1 AND p.deleted_at IS NULL");
}

/// Where a project's pipeline file is unless somebody says otherwise (GitLab's default).
const CI_CONFIG_PATH: &str = ".gitlab-ci.yml";

/// A job's time limit unless somebody says otherwise, in seconds (GitLab's default).
const TIMEOUT_S: u64 = 3600;

/// Reads the columns that every query of this kind starts with.
pub(super) fn stored(row: &Row<'_>) -> rusqlite::Result<Project> {
    let address = row.get(5)?;
    let source = match row.get_ref(4)?.as_str()? {
        "local" => RepositorySource::Local(address),
        _ => RepositorySource::Remote(address),
    };
    Ok(Project {
        id: ProjectId(row.get(0)?),
        path: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        source,
        default_branch: row.get(6)?,
        visibility: row.get(7)?,
        creator_id: UserId(row.get(8)?),
        ci_config_path: row.get(9)?,
        timeout_s: row.count(10)?,
        ci_configs: row.json(11)?,
        created_at: row.col(12)?,
        settings: row.json(13)?,
        updated_at: row.col(14)?,
    })
}

/// Adds a project with its CI config.
pub(super) fn add(session: &Session, new: &NewProject) -> StoreResult<Project> {
    let conn = &session.conn;
    let (kind, address) = match &new.source {
        RepositorySource::Local(path) => ("local", path),
        RepositorySource::Remote(url) => ("remote", url),
    };
    let count = conn.prepare_cached(ADD)?.execute((
        &new.path,
        &new.name,
        &new.description,
        kind,
        address,
        &new.default_branch,
        &new.visibility,
        new.creator_id.0,
        CI_CONFIG_PATH,
        integer(TIMEOUT_S),
        Col(new.now),
    ))?;
    if count == 0 {
        return Err(StoreError::Taken { field: "path" });
    }
    let id = conn.last_insert_rowid();
    ci_configs::add_first(session, ProjectId(id), new.now)?;
    conn.prepare_cached(ADD_COUNTER)?.execute([id])?;
    conn.prepare_cached(FORGET_MOVED)?.execute([&new.path])?;
    members::add(
        session,
        &Member {
            project_id: ProjectId(id),
            user_id: new.creator_id,
            level: OWNER_LEVEL,
            expires_at: None,
            created_by: Some(new.creator_id),
            created_at: new.now,
        },
    )?;
    project(&session.db(), ProjectId(id))?.ok_or(StoreError::NotFound("project"))
}

/// One project, deleted or not: its attempts end under its rules.
pub(super) fn any(db: &Db<'_>, id: ProjectId) -> StoreResult<Option<Project>> {
    Ok(db
        .conn
        .prepare_cached(ANY)?
        .query_row([id.0], stored)
        .optional()?)
}

/// One project.
pub(super) fn project(db: &Db<'_>, id: ProjectId) -> StoreResult<Option<Project>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], stored)
        .optional()?)
}

/// By full path, ASCII case ignored.
pub(super) fn by_path(db: &Db<'_>, path: &str) -> StoreResult<Option<Project>> {
    Ok(db
        .conn
        .prepare_cached(BY_PATH)?
        .query_row([path], stored)
        .optional()?)
}

/// The time limit of the job at `position` of a run, in seconds.
pub(super) fn time_limit(db: &Db<'_>, run: RunId, position: usize) -> StoreResult<u64> {
    let (project_id, _, plan) =
        runs::place_and_plan(db, run)?.ok_or(StoreError::NotFound("run"))?;
    if let Some(job) = plan.jobs.get(position)
        && let Some(limit) = db.spec(&job.spec)?.timeout_s
    {
        return Ok(limit);
    }
    let project = any(db, project_id)?.ok_or(StoreError::NotFound("project"))?;
    Ok(project.timeout_s)
}
