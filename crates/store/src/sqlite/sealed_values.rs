//! Encrypted values, wherever they are kept.

use super::SqliteStore;
use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::Col;
use crate::{Resealed, SealedPlace, SealedValue, StoreResult, Verb};

/// `?2` is a key's number as a blob of one byte.
macro_rules! others {
    ($table:literal, $id:literal, $column:literal) => {
        concat!(
            "SELECT ",
            $id,
            ", ",
            $column,
            " FROM ",
            $table,
            " WHERE ",
            $id,
            " > ?1 AND ",
            $column,
            " IS NOT NULL AND substr(",
            $column,
            ", 1, 1) <> ?2 ORDER BY ",
            $id,
            " LIMIT ?3"
        )
    };
}

macro_rules! replace {
    ($table:literal, $id:literal, $column:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET ",
            $column,
            " = ?3 WHERE ",
            $id,
            " = ?1 AND ",
            $column,
            " = ?2"
        )
    };
}

statements! {
    OTHER_TRIGGERS = others!("triggers", "id", "sealed_token");
    OTHER_RUNS = others!("runs", "id", "sealed_variables");
    OTHER_EVENTS = others!("run_events", "run_id", "sealed_event");
    OTHER_JOBS = others!("attempts", "id", "sealed_variables");
    OTHER_DOTENV = others!("dotenv_variables", "attempt_id", "sealed");
    OTHER_OUTPUTS = others!("steps_reports", "attempt_id", "sealed_outputs");
    OTHER_SETTINGS = others!("settings_variables", "id", "sealed_value");
    OTHER_SCHEDULES = others!("schedule_variables", "id", "sealed_value");
    OTHER_PUSH_HOOKS = others!("push_hooks", "project_id", "sealed_secret");
    OTHER_HOOKS = others!("hooks", "id", "sealed_secrets");
    OTHER_WORKFLOWS = others!("workflow_variants", "id", "sealed_value");
    OTHER_FORGE_TOKENS = others!("forge_bindings", "project_id", "sealed_token");
    OTHER_FORGE_SECRETS = others!("forge_bindings", "project_id", "sealed_webhook_secret");
    REPLACE_TRIGGER = "UPDATE triggers SET sealed_token = ?3, token_hash = coalesce(?4, token_hash)
                       WHERE id = ?1 AND sealed_token = ?2";
    REPLACE_RUN = replace!("runs", "id", "sealed_variables");
    REPLACE_EVENT = replace!("run_events", "run_id", "sealed_event");
    REPLACE_JOB = replace!("attempts", "id", "sealed_variables");
    REPLACE_DOTENV = replace!("dotenv_variables", "attempt_id", "sealed");
    REPLACE_OUTPUTS = replace!("steps_reports", "attempt_id", "sealed_outputs");
    REPLACE_SETTING = replace!("settings_variables", "id", "sealed_value");
    REPLACE_SCHEDULE = replace!("schedule_variables", "id", "sealed_value");
    REPLACE_PUSH_HOOK = replace!("push_hooks", "project_id", "sealed_secret");
    REPLACE_HOOK = replace!("hooks", "id", "sealed_secrets");
    REPLACE_WORKFLOW = replace!("workflow_variants", "id", "sealed_value");
    REPLACE_FORGE_TOKEN = replace!("forge_bindings", "project_id", "sealed_token");
    REPLACE_FORGE_SECRET = replace!("forge_bindings", "project_id", "sealed_webhook_secret");
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
        SealedPlace::RunEvents => OTHER_EVENTS,
        SealedPlace::JobVariables => OTHER_JOBS,
        SealedPlace::DotenvVariables => OTHER_DOTENV,
        SealedPlace::JobOutputs => OTHER_OUTPUTS,
        SealedPlace::SettingsVariables => OTHER_SETTINGS,
        SealedPlace::ScheduleVariables => OTHER_SCHEDULES,
        SealedPlace::PushHooks => OTHER_PUSH_HOOKS,
        SealedPlace::Webhooks => OTHER_HOOKS,
        SealedPlace::WorkflowSettings => OTHER_WORKFLOWS,
        SealedPlace::ForgeTokens => OTHER_FORGE_TOKENS,
        SealedPlace::ForgeSecrets => OTHER_FORGE_SECRETS,
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
    let sql = match place {
        SealedPlace::TriggerTokens => REPLACE_TRIGGER,
        SealedPlace::RunVariables => REPLACE_RUN,
        SealedPlace::RunEvents => REPLACE_EVENT,
        SealedPlace::JobVariables => REPLACE_JOB,
        SealedPlace::DotenvVariables => REPLACE_DOTENV,
        SealedPlace::JobOutputs => REPLACE_OUTPUTS,
        SealedPlace::SettingsVariables => REPLACE_SETTING,
        SealedPlace::ScheduleVariables => REPLACE_SCHEDULE,
        SealedPlace::PushHooks => REPLACE_PUSH_HOOK,
        SealedPlace::Webhooks => REPLACE_HOOK,
        SealedPlace::WorkflowSettings => REPLACE_WORKFLOW,
        SealedPlace::ForgeTokens => REPLACE_FORGE_TOKEN,
        SealedPlace::ForgeSecrets => REPLACE_FORGE_SECRET,
    };
    let has_hash = place == SealedPlace::TriggerTokens;
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

#[cfg(test)]
mod tests {
    use super::super::connection;

    /// What a rotation of keys does not know is lost with the old key.
    #[test]
    fn every_sealed_column_takes_part_in_a_rotation() {
        let directory = tempfile::tempdir().unwrap();
        let database = connection::open_writer(&directory.path().join("tappet.db")).unwrap();
        let mut statement = database
            .conn
            .prepare(
                "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c
                 WHERE t.type = 'table' AND c.name LIKE 'sealed%'",
            )
            .unwrap();
        let columns = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        for column in columns {
            let (table, column): (String, String) = column.unwrap();
            let update = format!("UPDATE {table} SET {column} = ");
            let is_known = super::ALL.iter().any(|(_, sql)| sql.starts_with(&update));
            assert!(is_known, "add {table}.{column} to SealedPlace");
        }
    }
}
