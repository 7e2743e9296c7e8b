//! A copy of a database as it stood at one moment, for backups.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tappet_model::{ArtifactId, AttemptId};

use super::artifacts;
use super::cache_entries;
use super::connection::{self, APPLICATION_ID};
use super::statement::statements;
use crate::{Artifact, CacheEntryId, StoreError, StoreResult};

statements! {
    FILES = concat!(artifacts::select!(), " WHERE id > ?1 ORDER BY id LIMIT ?2");
    FORGET = "DELETE FROM artifacts WHERE id = ?1";
    CACHED = "SELECT id FROM cache_entries WHERE id > ?1 AND finished_at IS NOT NULL
              ORDER BY id LIMIT ?2";
    FORGET_CACHED = "DELETE FROM cache_entries WHERE id = ?1";
    FORGET_UPLOADS = "DELETE FROM cache_entries WHERE finished_at IS NULL";
    UPLOADED = "SELECT DISTINCT sha256 FROM dbt_uploads WHERE sha256 > ?1 ORDER BY sha256 LIMIT ?2";
    FORGET_UPLOADED = "DELETE FROM dbt_uploads WHERE sha256 = ?1";
    LAST_ATTEMPT = "SELECT coalesce(max(id), 0) FROM attempts";
}

/// A copy may be of an earlier version, which has fewer tables.
const HAS_TABLE: &str = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
const PAUSE_SCHEDULES: &str = "UPDATE schedules SET is_active = 0 WHERE is_active <> 0";

/// A copy that nobody else uses.
pub struct Snapshot {
    conn: Connection,
}

impl Snapshot {
    /// Copies the database at `from`, which may be in use, into the new file `to`.
    /// The copy is of one moment and holds nothing that was deleted.
    pub fn take(from: &Path, to: &Path) -> StoreResult<Self> {
        let source = open(from)?;
        let to_text = to.to_str().ok_or_else(|| {
            StoreError::Database(format!("{} is not a name in UTF-8", to.display()))
        })?;
        source.execute("VACUUM INTO ?1", [to_text])?;
        Ok(Self { conn: open(to)? })
    }

    /// Opens a copy that was made earlier.
    pub fn open(path: &Path) -> StoreResult<Self> {
        Ok(Self { conn: open(path)? })
    }

    /// Files after the file `after` in order of id, at most `limit`.
    pub fn artifacts(&self, after: ArtifactId, limit: u32) -> StoreResult<Vec<Artifact>> {
        let mut statement = self.conn.prepare_cached(FILES)?;
        let rows = statement.query_map((after.0, limit), artifacts::stored)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Takes a file out of the copy.
    pub fn forget_artifact(&self, id: ArtifactId) -> StoreResult<()> {
        self.conn.prepare_cached(FORGET)?.execute([id.0])?;
        Ok(())
    }

    /// Complete cached files after the one with the id `after`, empty for the first,
    /// in order of id, at most `limit`.
    pub fn cache_entries(&self, after: &str, limit: u32) -> StoreResult<Vec<CacheEntryId>> {
        if !self.has_table("cache_entries")? {
            return Ok(Vec::new());
        }
        let mut statement = self.conn.prepare_cached(CACHED)?;
        let rows = statement.query_map((after, limit), |row| cache_entries::id(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Takes a cached file out of the copy.
    pub fn forget_cache_entry(&self, id: &CacheEntryId) -> StoreResult<()> {
        self.conn
            .prepare_cached(FORGET_CACHED)?
            .execute([id.as_str()])?;
        Ok(())
    }

    /// Takes unfinished uploads of cached files out of the copy: nobody could go on
    /// with them.
    pub fn forget_cache_uploads(&self) -> StoreResult<()> {
        if self.has_table("cache_entries")? {
            self.conn.execute(FORGET_UPLOADS, [])?;
        }
        Ok(())
    }

    /// Digests of archives of dbt after the one of `after`, in their order, at most
    /// `limit`.
    pub fn dbt_archives(&self, after: Option<[u8; 32]>, limit: u32) -> StoreResult<Vec<[u8; 32]>> {
        if !self.has_table("dbt_uploads")? {
            return Ok(Vec::new());
        }
        let after = after.as_ref().map_or(&[][..], |digest| &digest[..]);
        let mut statement = self.conn.prepare_cached(UPLOADED)?;
        let rows = statement.query_map((after, limit), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Takes an archive of dbt out of the copy.
    pub fn forget_dbt_archive(&self, digest: &[u8; 32]) -> StoreResult<()> {
        self.conn
            .prepare_cached(FORGET_UPLOADED)?
            .execute([digest])?;
        Ok(())
    }

    /// The newest attempt that the copy knows; later ones will use later ids again.
    pub fn last_attempt(&self) -> StoreResult<AttemptId> {
        Ok(self
            .conn
            .prepare_cached(LAST_ATTEMPT)?
            .query_row([], |row| Ok(AttemptId(row.get(0)?)))?)
    }

    /// Pauses every schedule of the copy; how many were active.
    pub fn pause_schedules(&self) -> StoreResult<u64> {
        if self.has_table("schedules")? {
            Ok(self.conn.execute(PAUSE_SCHEDULES, [])? as u64)
        } else {
            Ok(0)
        }
    }

    fn has_table(&self, name: &str) -> StoreResult<bool> {
        let found = self.conn.query_row(HAS_TABLE, [name], |_| Ok(()));
        Ok(found.optional()?.is_some())
    }

    /// Closes the copy; everything is in its one file then.
    pub fn close(self) -> StoreResult<()> {
        self.conn.close().map_err(|(_, error)| error.into())
    }
}

/// Opens a database of ours without changing its schema.
fn open(path: &Path) -> StoreResult<Connection> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(|error| connection::unusable(path, &error))?;
    conn.busy_timeout(connection::BUSY_TIMEOUT)?;
    let id: i32 = conn
        .query_row(
            "SELECT application_id FROM pragma_application_id",
            [],
            |row| row.get(0),
        )
        .map_err(|error| connection::unusable(path, &error))?;
    if id != APPLICATION_ID {
        return Err(StoreError::Database(format!(
            "{} is not a database of Tappet",
            path.display()
        )));
    }
    Ok(conn)
}
