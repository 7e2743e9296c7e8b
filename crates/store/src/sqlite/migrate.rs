//! Brings the schema of a database up to date, and refuses databases that this
//! program must not touch.

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::connection::APPLICATION_ID;
use crate::{StoreError, StoreResult};

/// Schema changes in order; the first has version 1. A published one never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_foundation.sql"),
    include_str!("migrations/0003_people.sql"),
    include_str!("migrations/0004_triggers.sql"),
    include_str!("migrations/0005_jobs.sql"),
    include_str!("migrations/0006_schedules.sql"),
    include_str!("migrations/0007_variables.sql"),
    include_str!("migrations/0008_hooks.sql"),
    include_str!("migrations/0009_reports.sql"),
    include_str!("migrations/0010_retention.sql"),
    include_str!("migrations/0011_audit.sql"),
    include_str!("migrations/0012_hook_chains.sql"),
    include_str!("migrations/0013_settled_attempts.sql"),
    include_str!("migrations/0014_creation.sql"),
    include_str!("migrations/0015_delayed_jobs.sql"),
    include_str!("migrations/0016_workflows.sql"),
    include_str!("migrations/0017_workflow_settings.sql"),
    include_str!("migrations/0018_pull_requests.sql"),
];

/// The schema that the migrations lead to. A new database is made from it, which
/// takes less than half their time.
const SCHEMA: &str = include_str!("schema.sql");

const TABLE: &str = "CREATE TABLE migrations (
    version INTEGER PRIMARY KEY,
    checksum BLOB NOT NULL
) STRICT";

/// Applies what is missing, in one transaction.
pub(super) fn migrate(conn: &Connection) -> StoreResult<()> {
    let applied = applied(conn)?;
    check(&applied)?;
    if applied.len() == MIGRATIONS.len() {
        return Ok(());
    }
    conn.execute_batch("BEGIN IMMEDIATE")?;
    match apply(conn, applied.len()) {
        Ok(()) => Ok(conn.execute_batch("COMMIT")?),
        Err(error) => {
            conn.execute_batch("ROLLBACK")?;
            Err(error)
        }
    }
}

/// Checksums of the migrations that the database has, by version.
fn applied(conn: &Connection) -> StoreResult<Vec<[u8; 32]>> {
    let is_empty: bool = conn.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'migrations')",
        [],
        |row| row.get(0),
    )?;
    if is_empty {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare("SELECT checksum FROM migrations ORDER BY version")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn check(applied: &[[u8; 32]]) -> StoreResult<()> {
    if applied.len() > MIGRATIONS.len() {
        return Err(StoreError::Database(format!(
            "the database has schema version {}, this program knows only {}: start the newer \
             program that wrote it, or restore the backup made before the upgrade",
            applied.len(),
            MIGRATIONS.len()
        )));
    }
    for (index, (found, sql)) in applied.iter().zip(MIGRATIONS).enumerate() {
        if *found != checksum(sql) {
            return Err(StoreError::Database(format!(
                "schema version {} of the database is not the one of this program: start the \
                 program that wrote it, or restore a backup",
                index + 1
            )));
        }
    }
    Ok(())
}

fn apply(conn: &Connection, done: usize) -> StoreResult<()> {
    if done == 0 {
        conn.execute_batch(TABLE)?;
        conn.execute_batch(SCHEMA)?;
        conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    } else {
        for sql in &MIGRATIONS[done..] {
            conn.execute_batch(sql)?;
        }
    }
    note(conn, done)
}

/// Writes down what the database has now, which was `done` before.
fn note(conn: &Connection, done: usize) -> StoreResult<()> {
    let versions = (1_i64..).zip(MIGRATIONS).skip(done);
    for (version, sql) in versions {
        conn.execute(
            "INSERT INTO migrations (version, checksum) VALUES (?1, ?2)",
            (version, checksum(sql)),
        )?;
    }
    let version = i64::try_from(MIGRATIONS.len()).expect("there are few migrations");
    Ok(conn.pragma_update(None, "user_version", version)?)
}

fn checksum(sql: &str) -> [u8; 32] {
    Sha256::digest(sql.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migrated() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        migrate(&conn).unwrap();
        conn
    }

    /// Every object of the schema and the rows that are there from the start,
    /// without comments and line breaks.
    fn contents(conn: &Connection) -> Vec<String> {
        let mut statement = conn
            .prepare(
                "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL
                 UNION ALL SELECT 'user ' || username || is_blocked || profile FROM users",
            )
            .unwrap();
        let texts = statement
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap();
        let mut plain: Vec<String> = texts.map(|text| plain(&text.unwrap())).collect();
        plain.sort();
        plain
    }

    fn plain(sql: &str) -> String {
        let lines = sql.lines().map(|line| line.split("--").next().unwrap());
        let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
        let text = words.join(" ");
        [("( ", "("), (" )", ")"), (" ,", ",")]
            .iter()
            .fold(text, |text, (from, to)| text.replace(from, to))
    }

    #[test]
    fn a_new_database_is_what_the_migrations_lead_to() {
        let grown = Connection::open_in_memory().unwrap();
        grown.execute_batch(TABLE).unwrap();
        for sql in MIGRATIONS {
            grown.execute_batch(sql).unwrap();
        }
        let (new, grown) = (contents(&migrated()), contents(&grown));
        let missing: Vec<_> = grown.iter().filter(|one| !new.contains(*one)).collect();
        let surplus: Vec<_> = new.iter().filter(|one| !grown.contains(*one)).collect();
        assert_eq!((missing, surplus), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_database_of_an_earlier_version_gets_what_is_missing() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(TABLE).unwrap();
        conn.execute_batch(MIGRATIONS[0]).unwrap();
        conn.execute(
            "INSERT INTO migrations (version, checksum) VALUES (1, ?1)",
            [checksum(MIGRATIONS[0])],
        )
        .unwrap();
        migrate(&conn).unwrap();
        assert_eq!(contents(&conn), contents(&migrated()));
        assert_eq!(applied(&conn).unwrap(), applied(&migrated()).unwrap());
    }

    /// A database of the version before a migration, without checks of foreign keys.
    fn before(migration: usize) -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.pragma_update(None, "foreign_keys", false).unwrap();
        conn.execute_batch(TABLE).unwrap();
        let older = &MIGRATIONS[..migration - 1];
        for (version, sql) in (1_i64..).zip(older) {
            conn.execute_batch(sql).unwrap();
            let row = (version, checksum(sql));
            let add = "INSERT INTO migrations (version, checksum) VALUES (?1, ?2)";
            conn.execute(add, row).unwrap();
        }
        conn
    }

    #[test]
    fn ci_configs_of_earlier_versions_keep_their_ids_and_get_a_name() {
        let conn = before(18);
        conn.execute_batch(
            "INSERT INTO projects (id, path, name, description, source_kind, source_address,
                                   visibility, creator_id, ci_config_path, timeout_s, created_at)
             VALUES (5, 'acme/web', '', '', 'local', '', 'private', 0, '', 1, 70);
             INSERT INTO ci_configs (id, project_id) VALUES (9, 5);",
        )
        .unwrap();
        migrate(&conn).unwrap();
        let config: (i64, String, String, i64, i64) = conn
            .query_row(
                "SELECT id, name, settings, created_at, updated_at FROM ci_configs",
                [],
                |row| row.try_into(),
            )
            .unwrap();
        assert_eq!(config, (9, "default".to_owned(), "{}".to_owned(), 70, 70));
    }

    #[test]
    fn files_keep_their_ids_when_they_may_have_names() {
        let conn = before(16);
        conn.execute_batch(
            "INSERT INTO artifacts (id, attempt_id, kind, format, filename, size_bytes, sha256,
                                    created_at)
             VALUES (3, 1, 'archive', 'zip', 'a.zip', 1, zeroblob(32), 1),
                    (8, 2, 'archive', 'zip', 'a.zip', 1, zeroblob(32), 1);
             DELETE FROM artifacts WHERE id = 8;",
        )
        .unwrap();
        migrate(&conn).unwrap();
        conn.execute_batch(
            "INSERT INTO artifacts (attempt_id, kind, name, format, filename, size_bytes, sha256,
                                    created_at)
             VALUES (1, 'artifact', 'logs', 'zip', 'a.zip', 1, zeroblob(32), 1)",
        )
        .unwrap();
        let mut statement = conn
            .prepare("SELECT id FROM artifacts ORDER BY id")
            .unwrap();
        let ids = statement.query_map([], |row| row.get(0)).unwrap();
        let ids: Vec<i64> = ids.map(Result::unwrap).collect();
        assert_eq!(ids, [3, 9]);
    }

    #[test]
    fn a_second_start_changes_nothing() {
        let conn = migrated();
        let before = conn.total_changes();
        migrate(&conn).unwrap();
        assert_eq!(conn.total_changes(), before);
    }

    #[test]
    fn a_changed_migration_is_refused() {
        let conn = migrated();
        conn.execute("UPDATE migrations SET checksum = zeroblob(32)", [])
            .unwrap();
        let error = migrate(&conn).unwrap_err().to_string();
        assert!(
            error.contains("schema version 1 of the database is not"),
            "{error}"
        );
    }

    #[test]
    fn a_newer_schema_is_refused_with_the_way_out() {
        let conn = migrated();
        conn.execute(
            "INSERT INTO migrations SELECT version + 1, checksum FROM migrations
             ORDER BY version DESC LIMIT 1",
            [],
        )
        .unwrap();
        let error = migrate(&conn).unwrap_err().to_string();
        assert!(error.contains("start the newer program"), "{error}");
    }
}
