//! Encrypted values, wherever they are kept.

use super::SqliteStore;
use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::Col;
use crate::{Resealed, SealedPlace, SealedValue, StoreResult, Verb};

/// `?2` is a key's number as a blob of one byte.
macro_rules! others {
    ($table:literal, $column:literal) => {
        concat!(
            "SELECT id, ",
            $column,
            " FROM ",
            $table,
            " WHERE id > ?1 AND ",
            $column,
            " IS NOT NULL AND substr(",
            $column,
            ", 1, 1) <> ?2 ORDER BY id LIMIT ?3"
        )
    };
}

macro_rules! replace {
    ($table:literal, $column:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET ",
            $column,
            " = ?3 WHERE id = ?1 AND ",
            $column,
            " = ?2"
        )
    };
}

statements! {
    OTHER_TRIGGERS = others!("triggers", "sealed_token");
    OTHER_RUNS = others!("runs", "sealed_variables");
    OTHER_SETTINGS = others!("settings_variables", "sealed_value");
    OTHER_SCHEDULES = others!("schedule_variables", "sealed_value");
    OTHER_PUSH_HOOKS = "SELECT project_id, sealed_secret FROM push_hooks WHERE project_id > ?1
                        AND substr(sealed_secret, 1, 1) <> ?2 ORDER BY project_id LIMIT ?3";
    OTHER_HOOKS = others!("hooks", "sealed_secrets");
    REPLACE_TRIGGER = "UPDATE triggers SET sealed_token = ?3, token_hash = coalesce(?4, token_hash)
                       WHERE id = ?1 AND sealed_token = ?2";
    REPLACE_RUN = replace!("runs", "sealed_variables");
    REPLACE_SETTING = replace!("settings_variables", "sealed_value");
    REPLACE_SCHEDULE = replace!("schedule_variables", "sealed_value");
    REPLACE_PUSH_HOOK = "UPDATE push_hooks SET sealed_secret = ?3
                         WHERE project_id = ?1 AND sealed_secret = ?2";
    REPLACE_HOOK = replace!("hooks", "sealed_secrets");
}

fn others(
    db: &Db<'_>,
    place: SealedPlace,
    key_number: u8,
    after: i64,
    limit: u32,
) -> StoreResult<Vec<SealedValue>> {
    let sql = match place {
        SealedPlace::TriggerTokens => OTHER_TRIGGERS,
        SealedPlace::RunVariables => OTHER_RUNS,
        SealedPlace::SettingsVariables => OTHER_SETTINGS,
        SealedPlace::ScheduleVariables => OTHER_SCHEDULES,
        SealedPlace::PushHooks => OTHER_PUSH_HOOKS,
        SealedPlace::Webhooks => OTHER_HOOKS,
    };
    let mut statement = db.conn.prepare_cached(sql)?;
    let rows = statement.query_map((after, [key_number], limit), |row| {
        Ok(SealedValue {
            id: row.get(0)?,
            sealed: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn reseal(session: &Session, place: SealedPlace, values: &[Resealed]) -> StoreResult<()> {
    let (sql, has_hash) = match place {
        SealedPlace::TriggerTokens => (REPLACE_TRIGGER, true),
        SealedPlace::RunVariables => (REPLACE_RUN, false),
        SealedPlace::SettingsVariables => (REPLACE_SETTING, false),
        SealedPlace::ScheduleVariables => (REPLACE_SCHEDULE, false),
        SealedPlace::PushHooks => (REPLACE_PUSH_HOOK, false),
        SealedPlace::Webhooks => (REPLACE_HOOK, false),
    };
    let mut statement = session.conn.prepare_cached(sql)?;
    for Resealed {
        id,
        old,
        new,
        token_hash,
    } in values
    {
        if has_hash {
            statement.execute((id, old, new, token_hash.map(Col)))?;
        } else {
            statement.execute((id, old, new))?;
        }
    }
    Ok(())
}

impl crate::SealedValues for SqliteStore {
    fn sealed_with_other_keys(
        &self,
        place: SealedPlace,
        key_number: u8,
        after: i64,
        limit: u32,
    ) -> Verb<'_, Vec<SealedValue>> {
        Box::pin(async move {
            self.readers
                .read(|db| others(db, place, key_number, after, limit))
        })
    }

    fn reseal(&self, place: SealedPlace, values: Vec<Resealed>) -> Verb<'_, ()> {
        Box::pin(
            self.writer
                .write(move |session| reseal(session, place, &values)),
        )
    }
}
