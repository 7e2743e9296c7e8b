//! Secrets and variables of workflows.

use rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
use rusqlite::{OptionalExtension, Params, Row};
use tappet_model::{Timestamp, WorkflowSettingId, WorkflowVariantId};

use super::SqliteStore;
use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt};
use crate::{
    IfPresent, KeptVariant, NewWorkflowVariant, SettingKind, SettingLookup, StoreError,
    StoreResult, VariantAttributes, Verb, WorkflowSetting, WorkflowVariant, WorkflowVariantChange,
};

/// Settings with their variants, a row for each variant.
macro_rules! select {
    () => {
        "SELECT s.id, s.kind, s.name, s.updated_at, v.id, v.name, v.sealed_value, v.description,
         v.attributes, v.updated_at
         FROM workflow_settings s JOIN workflow_variants v ON v.setting_id = s.id"
    };
}

statements! {
    ALL_KINDS = concat!(select!(), " ORDER BY s.kind, s.name, v.id");
    OF_KIND = concat!(select!(), " WHERE s.kind = ?1 ORDER BY s.name, v.id");
    BY_ID = concat!(select!(), " WHERE s.id = ?1 ORDER BY v.id");
    BY_NAME = concat!(select!(), " WHERE s.kind = ?1 AND s.name = ?2 ORDER BY v.id");
    SETTING_ID = "SELECT id FROM workflow_settings WHERE kind = ?1 AND name = ?2";
    SETTING_OF = "SELECT setting_id FROM workflow_variants WHERE id = ?1";
    ADD_SETTING = "INSERT INTO workflow_settings (kind, name, updated_at) VALUES (?1, ?2, ?3)";
    TOUCH_SETTING = "UPDATE workflow_settings SET updated_at = ?2 WHERE id = ?1";
    VARIANT_ID = "SELECT id FROM workflow_variants
                  WHERE setting_id = ?1 AND name = ?2 AND attributes = ?3";
    ADD_VARIANT = "INSERT INTO workflow_variants (setting_id, name, attributes, sealed_value,
                   description, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    REPLACE_VALUE = "UPDATE workflow_variants SET sealed_value = ?2,
                     description = coalesce(?3, description), updated_at = ?4 WHERE id = ?1";
    CHANGE_VARIANT = "UPDATE workflow_variants SET sealed_value = coalesce(?2, sealed_value),
                      name = coalesce(?3, name),
                      description = CASE WHEN ?4 THEN ?5 ELSE description END,
                      attributes = coalesce(?6, attributes), updated_at = ?7 WHERE id = ?1";
    DELETE_VARIANT = "DELETE FROM workflow_variants WHERE id = ?1";
    DELETE_EMPTY = "DELETE FROM workflow_settings WHERE id = ?1 AND NOT EXISTS
                    (SELECT 1 FROM workflow_variants WHERE setting_id = ?1)";
    DELETE_SETTING = "DELETE FROM workflow_settings WHERE id = ?1";
}

fn kind_text(kind: SettingKind) -> &'static str {
    match kind {
        SettingKind::Secret => "secret",
        SettingKind::Variable => "variable",
    }
}

fn attributes_text(attributes: &VariantAttributes) -> String {
    serde_json::to_string(attributes).expect("words and numbers are always valid JSON")
}

/// A setting with the one variant of this row.
fn stored(row: &Row<'_>) -> rusqlite::Result<WorkflowSetting> {
    let kind = match row.get_ref(1)?.as_str()? {
        "secret" => SettingKind::Secret,
        _ => SettingKind::Variable,
    };
    let variant = WorkflowVariant {
        id: WorkflowVariantId(row.get(4)?),
        name: row.get(5)?,
        sealed_value: row.get(6)?,
        description: row.get(7)?,
        attributes: row.json(8)?,
        updated_at: row.col(9)?,
    };
    Ok(WorkflowSetting {
        id: WorkflowSettingId(row.get(0)?),
        kind,
        name: row.get(2)?,
        updated_at: row.col(3)?,
        variants: vec![variant],
    })
}

/// Rows of one setting stand together.
fn list(db: &Db<'_>, sql: &str, params: impl Params) -> StoreResult<Vec<WorkflowSetting>> {
    let mut statement = db.conn.prepare_cached(sql)?;
    let mut settings: Vec<WorkflowSetting> = Vec::new();
    for row in statement.query_map(params, stored)? {
        let row = row?;
        match settings.last_mut() {
            Some(last) if last.id == row.id => last.variants.extend(row.variants),
            _ => settings.push(row),
        }
    }
    Ok(settings)
}

fn by_id(db: &Db<'_>, id: i64) -> StoreResult<Option<WorkflowSetting>> {
    Ok(list(db, BY_ID, [id])?.pop())
}

fn setting_of(db: &Db<'_>, variant: WorkflowVariantId) -> StoreResult<Option<i64>> {
    let mut statement = db.conn.prepare_cached(SETTING_OF)?;
    Ok(statement
        .query_row([variant.0], |row| row.get(0))
        .optional()?)
}

fn one(
    db: &Db<'_>,
    kind: SettingKind,
    lookup: &SettingLookup,
) -> StoreResult<Option<WorkflowSetting>> {
    let found = match lookup {
        SettingLookup::Id(id) => by_id(db, id.0)?,
        SettingLookup::Name(name) => list(db, BY_NAME, (kind_text(kind), name))?.pop(),
        SettingLookup::Variant(id) => match setting_of(db, *id)? {
            Some(setting) => by_id(db, setting)?,
            None => None,
        },
    };
    Ok(found.filter(|setting| setting.kind == kind))
}

fn keep(
    session: &Session,
    new: &NewWorkflowVariant,
    if_present: IfPresent,
    now: Timestamp,
) -> StoreResult<KeptVariant> {
    let conn = &session.conn;
    let kind = kind_text(new.kind);
    let known: Option<i64> = conn
        .prepare_cached(SETTING_ID)?
        .query_row((kind, &new.setting), |row| row.get(0))
        .optional()?;
    let setting = match known {
        Some(id) => {
            conn.prepare_cached(TOUCH_SETTING)?
                .execute((id, Col(now)))?;
            id
        }
        None => {
            conn.prepare_cached(ADD_SETTING)?
                .execute((kind, &new.setting, Col(now)))?;
            conn.last_insert_rowid()
        }
    };
    let attributes = attributes_text(&new.attributes);
    let present: Option<i64> = conn
        .prepare_cached(VARIANT_ID)?
        .query_row((setting, &new.name, &attributes), |row| row.get(0))
        .optional()?;
    let variant = match (present, if_present) {
        (Some(_), IfPresent::Refuse) => return Err(StoreError::Taken { field: "variant" }),
        (Some(id), IfPresent::Replace) => {
            conn.prepare_cached(REPLACE_VALUE)?.execute((
                id,
                &new.sealed_value,
                &new.description,
                Col(now),
            ))?;
            id
        }
        (None, _) => {
            conn.prepare_cached(ADD_VARIANT)?.execute((
                setting,
                &new.name,
                &attributes,
                &new.sealed_value,
                &new.description,
                Col(now),
            ))?;
            conn.last_insert_rowid()
        }
    };
    Ok(KeptVariant {
        setting: by_id(&session.db(), setting)?.ok_or(StoreError::NotFound("setting"))?,
        variant: WorkflowVariantId(variant),
        created_setting: known.is_none(),
        created_variant: present.is_none(),
    })
}

fn change(
    session: &Session,
    change: &WorkflowVariantChange,
) -> StoreResult<Option<WorkflowSetting>> {
    let Some(setting) = setting_of(&session.db(), change.id)? else {
        return Ok(None);
    };
    let conn = &session.conn;
    let changed = conn.prepare_cached(CHANGE_VARIANT)?.execute((
        change.id.0,
        &change.sealed_value,
        &change.name,
        change.description.is_some(),
        change.description.as_ref().and_then(Option::as_ref),
        change.attributes.as_ref().map(attributes_text),
        Col(change.now),
    ));
    changed.map_err(|error| match error.sqlite_error() {
        Some(cause) if cause.extended_code == SQLITE_CONSTRAINT_UNIQUE => {
            StoreError::Taken { field: "variant" }
        }
        _ => error.into(),
    })?;
    conn.prepare_cached(TOUCH_SETTING)?
        .execute((setting, Col(change.now)))?;
    by_id(&session.db(), setting)
}

fn delete_variant(
    session: &Session,
    id: WorkflowVariantId,
    now: Timestamp,
) -> StoreResult<Option<bool>> {
    let Some(setting) = setting_of(&session.db(), id)? else {
        return Ok(None);
    };
    let conn = &session.conn;
    conn.prepare_cached(DELETE_VARIANT)?.execute([id.0])?;
    let is_gone = conn.prepare_cached(DELETE_EMPTY)?.execute([setting])? > 0;
    if !is_gone {
        conn.prepare_cached(TOUCH_SETTING)?
            .execute((setting, Col(now)))?;
    }
    Ok(Some(is_gone))
}

impl crate::WorkflowSettings for SqliteStore {
    fn keep_workflow_variants(
        &self,
        new: Vec<NewWorkflowVariant>,
        if_present: IfPresent,
        now: Timestamp,
    ) -> Verb<'_, Vec<KeptVariant>> {
        Box::pin(self.writer.write(move |session| {
            new.iter()
                .map(|one| keep(session, one, if_present, now))
                .collect()
        }))
    }

    fn workflow_settings(&self, kind: Option<SettingKind>) -> Verb<'_, Vec<WorkflowSetting>> {
        Box::pin(async move {
            self.readers.read(|db| match kind {
                Some(kind) => list(db, OF_KIND, [kind_text(kind)]),
                None => list(db, ALL_KINDS, []),
            })
        })
    }

    fn workflow_setting(
        &self,
        kind: SettingKind,
        lookup: SettingLookup,
    ) -> Verb<'_, Option<WorkflowSetting>> {
        Box::pin(async move { self.readers.read(|db| one(db, kind, &lookup)) })
    }

    fn change_workflow_variant(
        &self,
        new: WorkflowVariantChange,
    ) -> Verb<'_, Option<WorkflowSetting>> {
        Box::pin(self.writer.write(move |session| change(session, &new)))
    }

    fn delete_workflow_variant(
        &self,
        id: WorkflowVariantId,
        now: Timestamp,
    ) -> Verb<'_, Option<bool>> {
        Box::pin(
            self.writer
                .write(move |session| delete_variant(session, id, now)),
        )
    }

    fn delete_workflow_setting(&self, id: WorkflowSettingId) -> Verb<'_, bool> {
        Box::pin(self.writer.write(move |session| {
            let count = session
                .conn
                .prepare_cached(DELETE_SETTING)?
                .execute([id.0])?;
            Ok(count > 0)
        }))
    }
}
