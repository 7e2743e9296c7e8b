//! Variables kept in the settings of a project, a group or the instance.

use rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row};
use tappet_model::{ProjectId, Timestamp, UserId, VariableId, VariableKind};

use super::SqliteStore;
use super::content::Db;
use super::page;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt};
use crate::{
    COUNT_LIMIT, GroupProjects, Listing, NewSettingsVariable, PageRequest, Project,
    SettingsVariable, StoreError, StoreResult, VariableChange, VariableChanged, VariableLevel,
    VariableTraits, Verb,
};

macro_rules! select {
    () => {
        "SELECT v.id, v.project_id, v.group_path, v.key, v.environment_scope, v.sealed_value, v.kind,
         v.is_protected, v.is_masked, v.is_hidden, v.is_raw, v.description, v.revision, v.updated_at
         FROM settings_variables v"
    };
}

/// One level, `?1` being its project or group.
macro_rules! of {
    (instance) => {
        " v.project_id IS NULL AND v.group_path IS NULL AND ?1 IS NULL"
    };
    (group) => {
        " v.group_path = ?1"
    };
    (project) => {
        " v.project_id = ?1"
    };
}

statements! {
    ADD = "INSERT INTO settings_variables (project_id, group_path, key, environment_scope,
           sealed_value, kind, is_protected, is_masked, is_hidden, is_raw, description, updated_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    ONE = concat!(select!(), " WHERE v.id = ?1");
    CHANGE = "UPDATE settings_variables SET environment_scope = ?3,
              sealed_value = coalesce(?4, sealed_value), kind = ?5, is_protected = ?6,
              is_masked = ?7, is_raw = ?8, description = ?9, updated_at = ?10,
              revision = revision + 1
              WHERE id = ?1 AND revision = ?2";
    DELETE = "DELETE FROM settings_variables WHERE id = ?1";
    LIST_INSTANCE = concat!(select!(), " WHERE", of!(instance), " ORDER BY v.id LIMIT ?2 OFFSET ?3");
    LIST_GROUP = concat!(select!(), " WHERE", of!(group), " ORDER BY v.id LIMIT ?2 OFFSET ?3");
    LIST_PROJECT = concat!(select!(), " WHERE", of!(project), " ORDER BY v.id LIMIT ?2 OFFSET ?3");
    NAMED_INSTANCE = concat!(select!(), " WHERE", of!(instance), " AND v.key = ?2 ORDER BY v.id");
    NAMED_GROUP = concat!(select!(), " WHERE", of!(group), " AND v.key = ?2 ORDER BY v.id");
    NAMED_PROJECT = concat!(select!(), " WHERE", of!(project), " AND v.key = ?2 ORDER BY v.id");
    COUNT_INSTANCE = concat!("SELECT count(*) FROM settings_variables v WHERE", of!(instance));
    COUNT_GROUP = concat!("SELECT count(*) FROM settings_variables v WHERE", of!(group));
    COUNT_PROJECT = concat!("SELECT count(*) FROM settings_variables v WHERE", of!(project));
    ALL_INSTANCE = concat!(select!(), " WHERE", of!(instance));
    ALL_GROUP = concat!(select!(), " WHERE", of!(group));
    ALL_PROJECT = concat!(select!(), " WHERE", of!(project));
    /// `0` follows `/` in ASCII.
    UNDER = "SELECT DISTINCT p.visibility, m.level FROM projects p
             LEFT JOIN members m ON m.project_id = p.id AND m.user_id = ?2
             AND (m.expires_at IS NULL OR m.expires_at > ?3)
             WHERE p.path > ?1 || '/' AND p.path < ?1 || '0'";
}

/// The statement of a level out of three, and what stands for `?1` in it.
fn pick(
    level: &VariableLevel,
    [instance, group, project]: [&'static str; 3],
) -> (&'static str, Value) {
    match level {
        VariableLevel::Instance => (instance, Value::Null),
        VariableLevel::Group(path) => (group, Value::Text(path.clone())),
        VariableLevel::Project(id) => (project, Value::Integer(id.0)),
    }
}

fn kind_text(kind: VariableKind) -> &'static str {
    match kind {
        VariableKind::EnvVar => "env_var",
        VariableKind::File => "file",
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<SettingsVariable> {
    let level = match (row.get(1)?, row.get(2)?) {
        (Some(project), _) => VariableLevel::Project(ProjectId(project)),
        (None, Some(path)) => VariableLevel::Group(path),
        (None, None) => VariableLevel::Instance,
    };
    let kind = match row.get_ref(6)?.as_str()? {
        "file" => VariableKind::File,
        _ => VariableKind::EnvVar,
    };
    Ok(SettingsVariable {
        id: VariableId(row.get(0)?),
        level,
        key: row.get(3)?,
        sealed_value: row.get(5)?,
        is_hidden: row.get(9)?,
        traits: VariableTraits {
            kind,
            is_protected: row.get(7)?,
            is_masked: row.get(8)?,
            is_raw: row.get(10)?,
            environment_scope: row.get(4)?,
            description: row.get(11)?,
        },
        revision: row.get(12)?,
        updated_at: row.col(13)?,
    })
}

/// A unique index that is violated means a name that is taken.
fn or_taken(result: rusqlite::Result<usize>) -> StoreResult<usize> {
    result.map_err(|error| match error.sqlite_error() {
        Some(cause) if cause.extended_code == SQLITE_CONSTRAINT_UNIQUE => {
            StoreError::Taken { field: "key" }
        }
        _ => error.into(),
    })
}

fn one(conn: &Connection, id: VariableId) -> StoreResult<Option<SettingsVariable>> {
    let mut statement = conn.prepare_cached(ONE)?;
    Ok(statement.query_row([id.0], stored).optional()?)
}

fn add(session: &Session, new: &NewSettingsVariable) -> StoreResult<SettingsVariable> {
    let (project, group) = match &new.level {
        VariableLevel::Instance => (None, None),
        VariableLevel::Group(path) => (None, Some(path)),
        VariableLevel::Project(id) => (Some(id.0), None),
    };
    let traits = &new.traits;
    or_taken(session.conn.prepare_cached(ADD)?.execute((
        project,
        group,
        &new.key,
        &traits.environment_scope,
        &new.sealed_value,
        kind_text(traits.kind),
        traits.is_protected,
        traits.is_masked,
        new.is_hidden,
        traits.is_raw,
        &traits.description,
        Col(new.now),
    )))?;
    let id = VariableId(session.conn.last_insert_rowid());
    one(&session.conn, id)?.ok_or(StoreError::NotFound("variable"))
}

fn change(session: &Session, change: &VariableChange) -> StoreResult<VariableChanged> {
    let traits = &change.traits;
    let count = or_taken(session.conn.prepare_cached(CHANGE)?.execute((
        change.id.0,
        change.revision,
        &traits.environment_scope,
        &change.sealed_value,
        kind_text(traits.kind),
        traits.is_protected,
        traits.is_masked,
        traits.is_raw,
        &traits.description,
        Col(change.now),
    )))?;
    if count == 0 {
        return Ok(VariableChanged::Stale);
    }
    let changed = one(&session.conn, change.id)?.ok_or(StoreError::NotFound("variable"))?;
    Ok(VariableChanged::Changed(Box::new(changed)))
}

fn count(db: &Db<'_>, level: &VariableLevel) -> StoreResult<u64> {
    let (sql, of) = pick(level, [COUNT_INSTANCE, COUNT_GROUP, COUNT_PROJECT]);
    let mut statement = db.conn.prepare_cached(sql)?;
    Ok(statement.query_row([of], |row| row.count(0))?)
}

fn list(
    db: &Db<'_>,
    level: &VariableLevel,
    request: PageRequest,
) -> StoreResult<Listing<SettingsVariable>> {
    let (sql, of) = pick(level, [LIST_INSTANCE, LIST_GROUP, LIST_PROJECT]);
    let mut statement = db.conn.prepare_cached(sql)?;
    let rows = statement.query_map((of, page::limit(request), page::offset(request)), stored)?;
    let rows = rows.collect::<Result<_, _>>()?;
    let total = count(db, level)?.min(COUNT_LIMIT + 1);
    Ok(page::listing(rows, request, page::total(total)))
}

fn named(db: &Db<'_>, level: &VariableLevel, key: &str) -> StoreResult<Vec<SettingsVariable>> {
    let (sql, of) = pick(level, [NAMED_INSTANCE, NAMED_GROUP, NAMED_PROJECT]);
    let mut statement = db.conn.prepare_cached(sql)?;
    let rows = statement.query_map((of, key), stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Every run and job asks, and mostly there is nothing: one seek for each level
/// costs less than one statement over all of them.
fn for_project(db: &Db<'_>, id: ProjectId, path: &str) -> StoreResult<Vec<SettingsVariable>> {
    let groups = path.match_indices('/').map(|(at, _)| &path[..at]);
    let levels = std::iter::once(VariableLevel::Instance)
        .chain(groups.map(|group| VariableLevel::Group(group.to_owned())))
        .chain([VariableLevel::Project(id)]);
    let mut all = Vec::new();
    for level in levels {
        let first = all.len();
        let (sql, of) = pick(&level, [ALL_INSTANCE, ALL_GROUP, ALL_PROJECT]);
        let mut statement = db.conn.prepare_cached(sql)?;
        for row in statement.query_map([of], stored)? {
            all.push(row?);
        }
        all[first..].sort_unstable_by_key(|one: &SettingsVariable| one.id);
    }
    Ok(all)
}

fn under(
    db: &Db<'_>,
    group: &str,
    user: UserId,
    now: Timestamp,
) -> StoreResult<Vec<GroupProjects>> {
    let mut statement = db.conn.prepare_cached(UNDER)?;
    let rows = statement.query_map((group, user.0, Col(now)), |row| {
        let level: Option<i64> = row.get(1)?;
        Ok(GroupProjects {
            visibility: row.get(0)?,
            level: level.and_then(|level| u32::try_from(level).ok()),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl crate::SettingsVariables for SqliteStore {
    fn create_settings_variable(&self, new: NewSettingsVariable) -> Verb<'_, SettingsVariable> {
        Box::pin(self.writer.write(move |session| add(session, &new)))
    }

    fn count_settings_variables(&self, level: &VariableLevel) -> Verb<'_, u64> {
        let level = level.clone();
        Box::pin(async move { self.readers.read(|db| count(db, &level)) })
    }

    fn settings_variables(
        &self,
        level: &VariableLevel,
        page: PageRequest,
    ) -> Verb<'_, Listing<SettingsVariable>> {
        let level = level.clone();
        Box::pin(async move { self.readers.read(|db| list(db, &level, page)) })
    }

    fn settings_variables_named(
        &self,
        level: &VariableLevel,
        key: &str,
    ) -> Verb<'_, Vec<SettingsVariable>> {
        let (level, key) = (level.clone(), key.to_owned());
        Box::pin(async move { self.readers.read(|db| named(db, &level, &key)) })
    }

    fn change_settings_variable(&self, new: VariableChange) -> Verb<'_, VariableChanged> {
        Box::pin(self.writer.write(move |session| change(session, &new)))
    }

    fn delete_settings_variable(&self, id: VariableId) -> Verb<'_, bool> {
        Box::pin(self.writer.write(move |session| {
            let count = session.conn.prepare_cached(DELETE)?.execute([id.0])?;
            Ok(count > 0)
        }))
    }

    fn settings_variables_for(&self, project: &Project) -> Verb<'_, Vec<SettingsVariable>> {
        let found = self
            .readers
            .read(|db| for_project(db, project.id, &project.path));
        Box::pin(std::future::ready(found))
    }

    fn projects_under(
        &self,
        group: &str,
        user: UserId,
        now: Timestamp,
    ) -> Verb<'_, Vec<GroupProjects>> {
        let group = group.to_owned();
        Box::pin(async move { self.readers.read(|db| under(db, &group, user, now)) })
    }
}
