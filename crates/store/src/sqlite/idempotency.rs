//! Which run a client's key started, for 24 hours.

use std::time::Duration;

use rusqlite::OptionalExtension;
use tappet_model::{RunId, Timestamp};

use super::content::Db;
use super::runs;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt};
use crate::{IdempotencyKey, Run, StoreError, StoreResult};

statements! {
    LOOK_UP = "SELECT id, fingerprint, run_id, created_at FROM idempotency_keys
               WHERE project_id = ?1 AND key = ?2 AND credential = ?3";
    REMEMBER = "INSERT INTO idempotency_keys
                (project_id, credential, key, fingerprint, run_id, created_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    FORGET = "DELETE FROM idempotency_keys WHERE id = ?1";
    PRUNE = "DELETE FROM idempotency_keys WHERE created_at <= ?1
             AND id IN (SELECT id FROM idempotency_keys ORDER BY id LIMIT 1000)";
}

/// How long a key is remembered.
const LIFE: Duration = Duration::from_hours(24);

/// How often outdated keys are looked for, at most.
const PRUNE_EVERY: Duration = Duration::from_mins(1);

/// What is known of a key.
pub(super) enum Known {
    /// Nothing.
    Nothing,
    /// A row that no longer counts.
    Outdated(i64),
    /// The run it started.
    Run(KnownRun),
}

/// A key's run.
pub(super) struct KnownRun {
    /// Digest of the request that started it.
    pub fingerprint: [u8; 32],
    run_id: RunId,
}

impl KnownRun {
    /// The run as it stands.
    pub fn load(&self, db: &Db<'_>) -> StoreResult<Run> {
        runs::run(db, self.run_id)?.ok_or(StoreError::NotFound("run"))
    }
}

/// Looks a key up.
pub(super) fn look_up(db: &Db<'_>, key: &IdempotencyKey, now: Timestamp) -> StoreResult<Known> {
    let found = db
        .conn
        .prepare_cached(LOOK_UP)?
        .query_row((key.project_id.0, &key.key, &key.credential), |row| {
            let known = KnownRun {
                fingerprint: row.get(1)?,
                run_id: RunId(row.get(2)?),
            };
            let created_at: Timestamp = row.col(3)?;
            Ok((row.get(0)?, known, created_at))
        })
        .optional()?;
    Ok(match found {
        None => Known::Nothing,
        Some((_, known, created_at)) if created_at > now.minus(LIFE) => Known::Run(known),
        Some((id, ..)) => Known::Outdated(id),
    })
}

/// Remembers which run a key started, and drops keys that are too old.
pub(super) fn remember(
    session: &mut Session,
    key: &IdempotencyKey,
    fingerprint: &[u8; 32],
    run: RunId,
    now: Timestamp,
) -> StoreResult<()> {
    session.conn.prepare_cached(REMEMBER)?.execute((
        key.project_id.0,
        &key.credential,
        &key.key,
        fingerprint,
        run.0,
        Col(now),
    ))?;
    if session.pruned_at <= now.minus(PRUNE_EVERY) {
        session
            .conn
            .prepare_cached(PRUNE)?
            .execute([Col(now.minus(LIFE))])?;
        session.pruned_at = now;
    }
    Ok(())
}

/// Deletes one row.
pub(super) fn forget(session: &Session, row: i64) -> StoreResult<()> {
    session.conn.prepare_cached(FORGET)?.execute([row])?;
    Ok(())
}
