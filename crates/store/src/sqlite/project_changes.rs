//! Which projects somebody sees, and what becomes of a project.

use rusqlite::OptionalExtension;
use rusqlite::types::Value;
use tappet_model::{ProjectId, RunId, Timestamp};

use super::SqliteStore;
use super::content::Db;
use super::filter::{Filter, anywhere};
use super::forges;
use super::projects;
use super::schedules;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, integer};
use super::webhooks;
use crate::{
    Listing, PageRequest, Project, ProjectChange, ProjectFilter, ProjectOrder, RepositorySource,
    StoreError, StoreResult, Verb, Viewer,
};

statements! {
    MOVED = "SELECT m.project_id FROM moved_projects m JOIN projects p ON p.id = m.project_id
             WHERE m.path = ?1 AND p.deleted_at IS NULL";
    WITH_PATH = "SELECT id FROM projects WHERE path = ?1";
    REMEMBER_PATH = "INSERT INTO moved_projects (path, project_id)
                     SELECT path, id FROM projects WHERE id = ?1
                     ON CONFLICT (path) DO UPDATE SET project_id = excluded.project_id";
    FORGET_PATH = "DELETE FROM moved_projects WHERE path = ?1";
    UPDATE = "UPDATE projects SET path = coalesce(?2, path), name = coalesce(?3, name),
              description = coalesce(?4, description),
              source_kind = coalesce(?5, source_kind),
              source_address = coalesce(?6, source_address),
              default_branch = CASE WHEN ?7 THEN ?8 ELSE default_branch END,
              visibility = coalesce(?9, visibility),
              ci_config_path = coalesce(?10, ci_config_path),
              timeout_s = coalesce(?11, timeout_s), settings = coalesce(?12, settings),
              updated_at = ?13
              WHERE id = ?1 AND deleted_at IS NULL";
    HIDE = "UPDATE projects SET deleted_at = ?2, path = 'deleted:' || id || ':' || path
            WHERE id = ?1 AND deleted_at IS NULL";
    REVOKE_TRIGGERS = "UPDATE triggers SET revoked_at = ?2
                       WHERE project_id = ?1 AND revoked_at IS NULL";
    DROP_MEMBERS = "DELETE FROM members WHERE project_id = ?1";
    DROP_OLD_PATHS = "DELETE FROM moved_projects WHERE project_id = ?1";
    UNFINISHED_RUNS = "SELECT id FROM runs WHERE project_id = ?1
                       AND status IN ('created', 'waiting_for_resource', 'preparing',
                       'waiting_for_callback', 'pending', 'running', 'manual', 'scheduled')
                       ORDER BY id";
    DELETED = "SELECT id FROM projects p WHERE deleted_at IS NOT NULL AND (source_address <> ''
               OR EXISTS (SELECT 1 FROM runs WHERE project_id = p.id)) ORDER BY deleted_at";
    BLANK = "UPDATE projects SET description = '', source_address = ''
             WHERE id = ?1 AND deleted_at IS NOT NULL";
    DROP_VARIABLES = "DELETE FROM settings_variables WHERE project_id = ?1";
    DROP_PUSH_HOOK = "DELETE FROM push_hooks WHERE project_id = ?1";
    DROP_PROTECTIONS = "DELETE FROM protected_refs WHERE project_id = ?1";
    DROP_GRANTS = "DELETE FROM job_token_grants WHERE project_id = ?1 OR source_id = ?1";
    DROP_SCOPE = "DELETE FROM open_job_token_scopes WHERE project_id = ?1";
    /// What names the project alone. What names others too stays theirs.
    DROP_WORKFLOW_VARIANTS = "DELETE FROM workflow_variants WHERE EXISTS (SELECT 1
                              FROM json_each(attributes) WHERE value ->> 'repository' = ?1)
                              AND NOT EXISTS (SELECT 1
                              FROM json_each(attributes) WHERE value ->> 'repository' <> ?1)";
    DROP_EMPTY_WORKFLOW_SETTINGS = "DELETE FROM workflow_settings WHERE NOT EXISTS (SELECT 1
                                    FROM workflow_variants v WHERE v.setting_id = workflow_settings.id)";
}

/// Memberships that count, of one person.
const LIVE: &str = "user_id = ? AND (expires_at IS NULL OR expires_at > ?)";

fn list(
    db: &Db<'_>,
    wanted: &ProjectFilter,
    now: Timestamp,
    request: PageRequest,
) -> StoreResult<Listing<Project>> {
    let mut filter = Filter::default();
    filter.and("p.deleted_at IS NULL", []);
    match (wanted.member, wanted.viewer) {
        // Whoever belongs to a project sees it.
        (Some((member, level)), Viewer::Person { id, .. }) if member == id => {
            members_only(&mut filter, (member.0, level), now);
        }
        (member, viewer) => {
            if let Some((id, level)) = member {
                members_only(&mut filter, (id.0, level), now);
            }
            seen_by(&mut filter, viewer, now);
        }
    }
    if let Some(text) = &wanted.search {
        let pattern = anywhere(text);
        filter.and(
            "(p.path LIKE ? ESCAPE '\\' OR p.name LIKE ? ESCAPE '\\'
             OR p.description LIKE ? ESCAPE '\\')",
            [pattern.clone(), pattern.clone(), pattern].map(Value::Text),
        );
    }
    filter
        .maybe("p.visibility = ?", wanted.visibility.clone())
        .maybe(
            "coalesce(json_extract(p.settings, '$.is_archived'), 0) = ?",
            wanted.is_archived,
        )
        .maybe("p.id > ?", wanted.id_after.map(|id| id.0))
        .maybe("p.id < ?", wanted.id_before.map(|id| id.0));
    let order = match (wanted.order_by, wanted.ascending) {
        (ProjectOrder::Id, true) => "p.id",
        (ProjectOrder::Id, false) => "p.id DESC",
        (ProjectOrder::Name, true) => "p.name COLLATE NOCASE, p.id",
        (ProjectOrder::Name, false) => "p.name COLLATE NOCASE DESC, p.id DESC",
        (ProjectOrder::Path, true) => "p.path, p.id",
        (ProjectOrder::Path, false) => "p.path DESC, p.id DESC",
        (ProjectOrder::UpdatedAt, true) => "coalesce(p.updated_at, p.created_at), p.id",
        (ProjectOrder::UpdatedAt, false) => "coalesce(p.updated_at, p.created_at) DESC, p.id DESC",
    };
    filter.list(
        db,
        (projects::columns!(), "projects p"),
        order,
        request,
        projects::stored,
    )
}

fn members_only(filter: &mut Filter, (user, level): (i64, u32), now: Timestamp) {
    filter.and(
        format!("p.id IN (SELECT project_id FROM members WHERE {LIVE} AND level >= ?)"),
        [user, now.0, i64::from(level)].map(Value::Integer),
    );
}

/// Ids first, through the indexes, so that nobody waits for projects that they
/// do not see.
fn seen_by(filter: &mut Filter, viewer: Viewer, now: Timestamp) {
    const OPEN: &str = "SELECT id FROM projects WHERE deleted_at IS NULL AND visibility";
    match viewer {
        Viewer::Everything => {}
        Viewer::Anybody => {
            filter.and("p.visibility = 'public'", []);
        }
        Viewer::Person { id, is_external } => {
            let open = if is_external {
                "IN ('public')"
            } else {
                "IN ('public', 'internal')"
            };
            filter.and(
                format!(
                    "p.id IN ({OPEN} {open} UNION ALL SELECT project_id FROM members WHERE {LIVE})"
                ),
                [id.0, now.0].map(Value::Integer),
            );
        }
    }
}

fn moved(db: &Db<'_>, path: &str) -> StoreResult<Option<Project>> {
    let id: Option<i64> = db
        .conn
        .prepare_cached(MOVED)?
        .query_row([path], |row| row.get(0))
        .optional()?;
    match id {
        Some(id) => projects::project(db, ProjectId(id)),
        None => Ok(None),
    }
}

/// Fails when another project has the path; else the old path leads here.
fn rename(session: &Session, id: ProjectId, path: &str) -> StoreResult<()> {
    let conn = &session.conn;
    let holder: Option<i64> = conn
        .prepare_cached(WITH_PATH)?
        .query_row([path], |row| row.get(0))
        .optional()?;
    match holder {
        Some(holder) if holder == id.0 => Ok(()),
        Some(_) => Err(StoreError::Taken { field: "path" }),
        None => {
            conn.prepare_cached(REMEMBER_PATH)?.execute([id.0])?;
            conn.prepare_cached(FORGET_PATH)?.execute([path])?;
            Ok(())
        }
    }
}

fn update(
    session: &Session,
    id: ProjectId,
    change: &ProjectChange,
    now: Timestamp,
) -> StoreResult<Project> {
    if let Some(path) = &change.path {
        rename(session, id, path)?;
    }
    let (kind, address) = match &change.source {
        Some(RepositorySource::Local(path)) => (Some("local"), Some(path)),
        Some(RepositorySource::Remote(url)) => (Some("remote"), Some(url)),
        None => (None, None),
    };
    let settings = change
        .settings
        .as_ref()
        .map(|settings| serde_json::to_string(settings).expect("settings are plain data"));
    session.conn.prepare_cached(UPDATE)?.execute((
        id.0,
        &change.path,
        &change.name,
        &change.description,
        kind,
        address,
        change.default_branch.is_some(),
        change.default_branch.as_ref().and_then(Option::as_ref),
        &change.visibility,
        &change.ci_config_path,
        change.timeout_s.map(integer),
        settings,
        Col(now),
    ))?;
    projects::project(&session.db(), id)?.ok_or(StoreError::NotFound("project"))
}

fn delete(session: &mut Session, id: ProjectId, now: Timestamp) -> StoreResult<bool> {
    let conn = &session.conn;
    let count = conn.prepare_cached(HIDE)?.execute((id.0, Col(now)))?;
    if count > 0 {
        conn.prepare_cached(REVOKE_TRIGGERS)?
            .execute((id.0, Col(now)))?;
        conn.prepare_cached(DROP_MEMBERS)?.execute([id.0])?;
        conn.prepare_cached(DROP_OLD_PATHS)?.execute([id.0])?;
        schedules::drop_of_project(session, id)?;
        webhooks::drop_of_project(session, id)?;
        forges::unbind(session, id)?;
    }
    Ok(count > 0)
}

fn empty(session: &Session, id: ProjectId) -> StoreResult<()> {
    let conn = &session.conn;
    if conn.prepare_cached(BLANK)?.execute([id.0])? == 0 {
        return Ok(());
    }
    for sql in [
        DROP_VARIABLES,
        DROP_PUSH_HOOK,
        DROP_PROTECTIONS,
        DROP_GRANTS,
        DROP_SCOPE,
        DROP_WORKFLOW_VARIANTS,
    ] {
        conn.prepare_cached(sql)?.execute([id.0])?;
    }
    conn.prepare_cached(DROP_EMPTY_WORKFLOW_SETTINGS)?
        .execute([])?;
    Ok(())
}

fn unfinished_runs(db: &Db<'_>, id: ProjectId) -> StoreResult<Vec<RunId>> {
    let mut statement = db.conn.prepare_cached(UNFINISHED_RUNS)?;
    let rows = statement.query_map([id.0], |row| row.get(0).map(RunId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn deleted(db: &Db<'_>) -> StoreResult<Vec<ProjectId>> {
    let mut statement = db.conn.prepare_cached(DELETED)?;
    let rows = statement.query_map([], |row| row.get(0).map(ProjectId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl crate::Projects for SqliteStore {
    fn visible_projects(
        &self,
        filter: ProjectFilter,
        now: Timestamp,
        page: PageRequest,
    ) -> Verb<'_, Listing<Project>> {
        Box::pin(async move { self.readers.read(|db| list(db, &filter, now, page)) })
    }

    fn project_by_any_path(&self, path: &str) -> Verb<'_, Option<Project>> {
        let path = path.to_owned();
        Box::pin(async move {
            self.readers.read(|db| {
                let present = projects::by_path(db, &path)?;
                let moved = moved(db, &path)?;
                Ok(present.or(moved))
            })
        })
    }

    fn update_project(
        &self,
        id: ProjectId,
        change: ProjectChange,
        now: Timestamp,
    ) -> Verb<'_, Project> {
        Box::pin(
            self.writer
                .write(move |session| update(session, id, &change, now)),
        )
    }

    fn delete_project(&self, id: ProjectId, now: Timestamp) -> Verb<'_, bool> {
        Box::pin(self.writer.write(move |session| delete(session, id, now)))
    }

    fn unfinished_runs_in(&self, id: ProjectId) -> Verb<'_, Vec<RunId>> {
        Box::pin(async move { self.readers.read(|db| unfinished_runs(db, id)) })
    }

    fn empty_project(&self, id: ProjectId) -> Verb<'_, ()> {
        Box::pin(self.writer.write(move |session| empty(session, id)))
    }

    fn deleted_projects(&self) -> Verb<'_, Vec<ProjectId>> {
        Box::pin(async move { self.readers.read(deleted) })
    }
}
