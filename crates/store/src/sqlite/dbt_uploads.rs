//! Which artifacts of dbt were uploaded.

use rusqlite::OptionalExtension;
use tappet_model::{CiConfigId, ProjectId};

use super::SqliteStore;
use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, integer};
use crate::{DbtUpload, StoreResult, Verb};

statements! {
    ONE = "SELECT config_id, commit_sha, run_type, run_key, size_bytes, sha256, created_at
           FROM dbt_uploads WHERE config_id = ?1 AND run_type = ?2 AND commit_sha = ?3";
    FORGET = "DELETE FROM dbt_uploads WHERE config_id = ?1 AND run_type = ?2 AND commit_sha = ?3
              RETURNING sha256";
    ADD = "INSERT INTO dbt_uploads
           (config_id, run_type, commit_sha, run_key, size_bytes, sha256, created_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    OLDER = "SELECT commit_sha FROM dbt_uploads WHERE config_id = ?1 AND run_type = ?2
             ORDER BY created_at DESC, commit_sha DESC LIMIT -1 OFFSET ?3";
    CLEAR_CONFIG = "DELETE FROM dbt_uploads WHERE config_id = ?1 RETURNING sha256";
    CLEAR_PROJECT = "DELETE FROM dbt_uploads
                     WHERE config_id IN (SELECT id FROM ci_configs WHERE project_id = ?1)
                     RETURNING sha256";
    IS_USED = "SELECT EXISTS (SELECT 1 FROM dbt_uploads WHERE sha256 = ?1)";
}

fn add(session: &Session, upload: &DbtUpload, keep: u32) -> StoreResult<Vec<[u8; 32]>> {
    let conn = &session.conn;
    let (config, run_type) = (upload.config_id.0, &upload.run_type);
    let mut forgotten = forget(session, upload, &upload.commit_sha)?;
    conn.prepare_cached(ADD)?.execute((
        config,
        run_type,
        &upload.commit_sha,
        &upload.run_key,
        integer(upload.size_bytes),
        upload.sha256,
        Col(upload.created_at),
    ))?;
    let older: Vec<String> = conn
        .prepare_cached(OLDER)?
        .query_map((config, run_type, keep.max(1)), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for commit_sha in older {
        forgotten.extend(forget(session, upload, &commit_sha)?);
    }
    unused(session, forgotten)
}

/// Forgets the upload of a commit of the same config and type.
fn forget(session: &Session, like: &DbtUpload, commit_sha: &str) -> StoreResult<Vec<[u8; 32]>> {
    let mut statement = session.conn.prepare_cached(FORGET)?;
    let rows = statement.query_map((like.config_id.0, &like.run_type, commit_sha), |row| {
        row.get(0)
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn clear(session: &Session, sql: &str, id: i64) -> StoreResult<Vec<[u8; 32]>> {
    let forgotten = session
        .conn
        .prepare_cached(sql)?
        .query_map([id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    unused(session, forgotten)
}

/// Those of the digests that no upload has any more, each once.
fn unused(session: &Session, mut digests: Vec<[u8; 32]>) -> StoreResult<Vec<[u8; 32]>> {
    digests.sort_unstable();
    digests.dedup();
    let mut statement = session.conn.prepare_cached(IS_USED)?;
    let mut unused = Vec::new();
    for digest in digests {
        if !statement.query_row([digest], |row| row.get(0))? {
            unused.push(digest);
        }
    }
    Ok(unused)
}

fn one(
    db: &Db<'_>,
    config: CiConfigId,
    commit_sha: &str,
    run_type: &str,
) -> StoreResult<Option<DbtUpload>> {
    let mut statement = db.conn.prepare_cached(ONE)?;
    let found = statement.query_row((config.0, run_type, commit_sha), |row| {
        Ok(DbtUpload {
            config_id: CiConfigId(row.get(0)?),
            commit_sha: row.get(1)?,
            run_type: row.get(2)?,
            run_key: row.get(3)?,
            size_bytes: row.count(4)?,
            sha256: row.get(5)?,
            created_at: row.col(6)?,
        })
    });
    Ok(found.optional()?)
}

impl crate::DbtUploads for SqliteStore {
    fn add_dbt_upload(&self, upload: DbtUpload, keep: u32) -> Verb<'_, Vec<[u8; 32]>> {
        Box::pin(
            self.writer
                .write(move |session| add(session, &upload, keep)),
        )
    }

    fn dbt_upload(
        &self,
        config: CiConfigId,
        commit_sha: String,
        run_type: String,
    ) -> Verb<'_, Option<DbtUpload>> {
        Box::pin(async move {
            self.readers
                .look_up(|db| one(db, config, &commit_sha, &run_type))
        })
    }

    fn delete_dbt_uploads(&self, config: CiConfigId) -> Verb<'_, Vec<[u8; 32]>> {
        Box::pin(
            self.writer
                .write(move |session| clear(session, CLEAR_CONFIG, config.0)),
        )
    }

    fn unused_dbt_digests(&self, digests: Vec<[u8; 32]>) -> Verb<'_, Vec<[u8; 32]>> {
        Box::pin(self.writer.write(move |session| unused(session, digests)))
    }

    fn delete_dbt_uploads_of_project(&self, project: ProjectId) -> Verb<'_, Vec<[u8; 32]>> {
        Box::pin(
            self.writer
                .write(move |session| clear(session, CLEAR_PROJECT, project.0)),
        )
    }
}
