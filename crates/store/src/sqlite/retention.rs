//! What goes when its time is over.

use std::collections::BTreeSet;

use rusqlite::OptionalExtension;
use tappet_model::{ArtifactId, AttemptId, RunId, Timestamp};

use super::SqliteStore;
use super::artifacts;
use super::content::Db;
use super::old_events;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt};
use crate::{AgedRun, Aging, Amount, Expired, OldEvents, StoreResult, Verb};

/// Files to look at with what decides about them.
macro_rules! due {
    () => {
        " FROM artifacts f JOIN attempts a ON a.id = f.attempt_id JOIN runs r ON r.id = a.run_id
         JOIN projects p ON p.id = r.project_id
         WHERE f.expires_at IS NOT NULL AND coalesce(f.recheck_at, f.expires_at) <= ?1"
    };
}

/// Whether a file is of the newest success of its ref in a project that keeps those.
macro_rules! is_kept {
    () => {
        "(r.status = 'success'
          AND NOT coalesce(json_extract(p.settings, '$.drops_latest_artifact'), 0)
          AND NOT EXISTS (SELECT 1 FROM runs n WHERE n.project_id = r.project_id
          AND n.ref_name = r.ref_name AND n.ref_kind = r.ref_kind AND n.status = 'success'
          AND n.id > r.id))"
    };
}

statements! {
    DUE = concat!("SELECT f.id, ", is_kept!(), due!(),
          " ORDER BY coalesce(f.recheck_at, f.expires_at) LIMIT ?2");
    DUE_AMOUNT = concat!("SELECT count(*), coalesce(sum(f.size_bytes), 0)", due!(),
                 " AND NOT ", is_kept!());
    RECHECK = "UPDATE artifacts SET recheck_at = ?2 WHERE id = ?1";
    NEXT_DUE = "SELECT coalesce(recheck_at, expires_at) FROM artifacts
                WHERE expires_at IS NOT NULL ORDER BY coalesce(recheck_at, expires_at) LIMIT 1";
    RUNS = "SELECT id, status, created_at FROM runs WHERE id > ?1 ORDER BY id LIMIT ?2";
    FINISHED_AT = "SELECT finished_at FROM attempts WHERE id = ?1";
    DELETE_AUDIT = "DELETE FROM audit_entries WHERE id IN (SELECT id FROM audit_entries
                    WHERE created_at < ?1 ORDER BY created_at LIMIT ?2)";
    COUNT_AUDIT = "SELECT count(*) FROM audit_entries WHERE created_at < ?1";
    DELETE_KEYS = "DELETE FROM idempotency_keys WHERE created_at < ?1 AND id IN
                   (SELECT id FROM idempotency_keys ORDER BY id LIMIT ?2)";
    COUNT_KEYS = "SELECT count(*) FROM idempotency_keys WHERE created_at < ?1";
    DELETE_SESSIONS = "DELETE FROM sessions WHERE token_hash IN
                       (SELECT token_hash FROM sessions WHERE expires_at < ?1 LIMIT ?2)";
    DELETE_SIGN_INS = "DELETE FROM sign_ins WHERE token_hash IN
                       (SELECT token_hash FROM sign_ins WHERE expires_at < ?1 LIMIT ?2)";
    COUNT_SESSIONS = "SELECT (SELECT count(*) FROM sessions WHERE expires_at < ?1)
                      + (SELECT count(*) FROM sign_ins WHERE expires_at < ?1)";
}

fn expire_due(
    session: &Session,
    now: Timestamp,
    again_at: Timestamp,
    limit: u32,
) -> StoreResult<Expired> {
    let conn = &session.conn;
    let due: Vec<(ArtifactId, bool)> = conn
        .prepare_cached(DUE)?
        .query_map((Col(now), limit), |row| {
            Ok((ArtifactId(row.get(0)?), row.get(1)?))
        })?
        .collect::<Result<_, _>>()?;
    let mut expired = Expired {
        removed: Vec::new(),
        has_more: due.len() == usize::try_from(limit).unwrap_or(usize::MAX),
    };
    for (id, is_kept) in due {
        if is_kept {
            conn.prepare_cached(RECHECK)?
                .execute((id.0, Col(again_at)))?;
        } else {
            expired.removed.extend(artifacts::delete(session, id)?);
        }
    }
    Ok(expired)
}

fn next_due(db: &Db<'_>) -> StoreResult<Option<Timestamp>> {
    Ok(db
        .conn
        .prepare_cached(NEXT_DUE)?
        .query_row([], |row| row.col(0))
        .optional()?)
}

fn amount_due(db: &Db<'_>, now: Timestamp) -> StoreResult<Amount> {
    Ok(db
        .conn
        .prepare_cached(DUE_AMOUNT)?
        .query_row([Col(now)], |row| {
            Ok(Amount {
                count: row.count(0)?,
                bytes: row.count(1)?,
            })
        })?)
}

fn runs(db: &Db<'_>, after: RunId, limit: u32) -> StoreResult<Vec<AgedRun>> {
    let mut statement = db.conn.prepare_cached(RUNS)?;
    let rows = statement.query_map((after.0, limit), |row| {
        Ok(AgedRun {
            id: RunId(row.get(0)?),
            status: row.col(1)?,
            created_at: row.col(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn ended(db: &Db<'_>, ids: Vec<AttemptId>, before: Timestamp) -> StoreResult<BTreeSet<AttemptId>> {
    let mut statement = db.conn.prepare_cached(FINISHED_AT)?;
    let mut ended = BTreeSet::new();
    for id in ids {
        let found: Option<Option<Timestamp>> =
            statement.query_row([id.0], |row| row.opt(0)).optional()?;
        // One that waits or runs has no end yet; one that is unknown was deleted.
        let is_over = match found {
            Some(finished_at) => finished_at.is_some_and(|at| at < before),
            None => true,
        };
        if is_over {
            ended.insert(id);
        }
    }
    Ok(ended)
}

fn delete_aged(session: &Session, kind: Aging, before: Timestamp, limit: u32) -> StoreResult<u64> {
    let statements: &[&str] = match kind {
        Aging::AuditEntries => &[DELETE_AUDIT],
        Aging::IdempotencyKeys => &[DELETE_KEYS],
        Aging::Sessions => &[DELETE_SESSIONS, DELETE_SIGN_INS],
    };
    let mut count = 0;
    for statement in statements {
        let mut statement = session.conn.prepare_cached(statement)?;
        count += statement.execute((Col(before), limit))? as u64;
    }
    Ok(count)
}

fn count_aged(db: &Db<'_>, kind: Aging, before: Timestamp) -> StoreResult<u64> {
    let statement = match kind {
        Aging::AuditEntries => COUNT_AUDIT,
        Aging::IdempotencyKeys => COUNT_KEYS,
        Aging::Sessions => COUNT_SESSIONS,
    };
    Ok(db
        .conn
        .prepare_cached(statement)?
        .query_row([Col(before)], |row| row.count(0))?)
}

impl crate::Retention for SqliteStore {
    fn expire_artifacts_due(
        &self,
        now: Timestamp,
        again_at: Timestamp,
        limit: u32,
    ) -> Verb<'_, Expired> {
        Box::pin(
            self.writer
                .write(move |session| expire_due(session, now, again_at, limit)),
        )
    }

    fn next_artifact_due(&self) -> Verb<'_, Option<Timestamp>> {
        Box::pin(async move { self.readers.read(next_due) })
    }

    fn artifacts_due(&self, now: Timestamp) -> Verb<'_, Amount> {
        Box::pin(async move { self.readers.read(|db| amount_due(db, now)) })
    }

    fn aged_runs(&self, after: RunId, limit: u32) -> Verb<'_, Vec<AgedRun>> {
        Box::pin(async move { self.readers.read(|db| runs(db, after, limit)) })
    }

    fn ended_before(
        &self,
        ids: Vec<AttemptId>,
        before: Timestamp,
    ) -> Verb<'_, BTreeSet<AttemptId>> {
        Box::pin(async move { self.readers.read(|db| ended(db, ids, before)) })
    }

    fn delete_aged(&self, kind: Aging, before: Timestamp, limit: u32) -> Verb<'_, u64> {
        Box::pin(
            self.writer
                .write(move |session| delete_aged(session, kind, before, limit)),
        )
    }

    fn count_aged(&self, kind: Aging, before: Timestamp) -> Verb<'_, u64> {
        Box::pin(async move { self.readers.read(|db| count_aged(db, kind, before)) })
    }

    fn delete_old_events(&self, after: i64, before: Timestamp, limit: u32) -> Verb<'_, OldEvents> {
        Box::pin(
            self.writer
                .write(move |session| old_events::delete(session, after, before, limit)),
        )
    }

    fn count_old_events(&self, after: i64, before: Timestamp, limit: u32) -> Verb<'_, OldEvents> {
        Box::pin(async move {
            self.readers
                .read(|db| old_events::count(db, after, before, limit))
        })
    }
}
