//! Opens connections with the settings that the promises of the store rest on.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::migrate;
use crate::{StoreError, StoreResult};

/// "tppt" in the file's header tells our files from other programs'.
pub(super) const APPLICATION_ID: i32 = 0x7470_7074;

/// How long a statement waits for a lock that another process holds.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a database without tables.
const SMALLEST_DATABASE: u64 = 512;

/// More than a busy server has in use, so that none of those is prepared twice.
const STATEMENT_CACHE: usize = 512;

/// The only connection that writes.
pub(super) struct WriterConnection {
    /// Migrated and ready.
    pub conn: Connection,
    /// The same file. It stays open as long as `conn`: closing any descriptor of
    /// a file drops the process's locks on it, SQLite's included.
    pub file: File,
    /// Made just now without a sync: `file` has to be synced once before the
    /// first commit counts as durable.
    pub is_unsynced: bool,
}

/// Opens or creates the database and brings its schema up to date.
pub(super) fn open_writer(path: &Path) -> StoreResult<WriterConnection> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        // SQLite gives the files beside it the same mode.
        .mode(0o600)
        .open(path)
        .map_err(|error| unusable(path, &error))?;
    let length = file
        .metadata()
        .map_err(|error| unusable(path, &error))?
        .len();
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    prepare_statements_once(&conn)?;
    let is_new = length == 0 || !has_our_schema(&conn, path, length)?;
    if is_new {
        // Nothing is promised yet, so nothing is synced; `is_unsynced` makes up for it.
        conn.pragma_update(None, "synchronous", "OFF")?;
    }
    conn.pragma_update(None, "journal_mode", "WAL")?;
    migrate::migrate(&conn)?;
    conn.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -4096;
         PRAGMA wal_autocheckpoint = 2000;
         PRAGMA journal_size_limit = 33554432;",
    )?;
    Ok(WriterConnection {
        conn,
        file,
        is_unsynced: is_new,
    })
}

/// Opens a connection that can only read. The database exists already.
pub(super) fn open_reader(path: &Path) -> StoreResult<Connection> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    prepare_statements_once(&conn)?;
    conn.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1024;")?;
    // Rows all over a long history are read in place; SQLite maps no more than 2 GiB.
    conn.pragma_update(None, "mmap_size", i32::MAX)?;
    Ok(conn)
}

/// Keeps statements between uses, with the plan they got at first: left alone,
/// SQLite compiles many a statement with `ORDER BY` or `LIMIT` again for each new
/// value that is bound to it.
fn prepare_statements_once(conn: &Connection) -> StoreResult<()> {
    conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Whether a file that holds something has a schema of ours; an error when it
/// belongs to somebody else. A first start that was killed leaves an empty one.
fn has_our_schema(conn: &Connection, path: &Path, length: u64) -> StoreResult<bool> {
    let (application_id, is_empty): (i32, bool) = conn
        .query_row(
            "SELECT (SELECT application_id FROM pragma_application_id),
             NOT EXISTS (SELECT 1 FROM sqlite_schema)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(|error| unusable(path, &error))?;
    if application_id == APPLICATION_ID {
        return Ok(true);
    }
    if application_id == 0 && is_empty && length >= SMALLEST_DATABASE {
        return Ok(false);
    }
    Err(StoreError::Database(format!(
        "{} is not a database of Tappet: name another data directory, or move the file away",
        path.display()
    )))
}

/// An error of the file itself, with what to do.
pub(super) fn unusable(path: &Path, error: &dyn std::error::Error) -> StoreError {
    StoreError::Database(format!(
        "cannot open {}: {error}: check that the file is a readable, writable and undamaged \
         database, or restore a backup",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_statement_is_compiled_once_whatever_is_bound_to_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tappet.db");
        let writer = open_writer(&path).unwrap();
        let reader = open_reader(&path).unwrap();
        for conn in [&writer.conn, &reader] {
            let sql = "SELECT id FROM users WHERE is_admin = ?1 ORDER BY id LIMIT ?2";
            for (is_admin, limit) in [(true, 1), (false, 20), (true, 0)] {
                let mut statement = conn.prepare_cached(sql).unwrap();
                let rows = statement.query_map((is_admin, limit), |row| row.get::<_, i64>(0));
                rows.unwrap().count();
                assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
            }
        }
    }
}
