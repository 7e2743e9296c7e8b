//! Trigger tokens, and which jobs led to a run.

use rusqlite::{OptionalExtension, Row};
use tappet_model::{ProjectId, RunId, Timestamp, TriggerId};

use super::SqliteStore;
use super::content::Db;
use super::page;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, integer, opt, user_or_nobody};
use crate::{
    Ancestor, COUNT_LIMIT, Listing, NewTrigger, PageRequest, StoreError, StoreResult, TokenHash,
    Trigger, TriggerChange, TriggerCreation, Verb,
};

macro_rules! select {
    () => {
        "SELECT t.id, t.project_id, t.owner_id, t.description, t.sealed_token, t.short_token,
         t.created_at, t.updated_at, t.expires_at, t.last_used_at, t.revoked_at FROM triggers t"
    };
}

macro_rules! live {
    () => {
        " t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > ?1)"
    };
}

statements! {
    ADD = "INSERT INTO triggers (project_id, owner_id, description, token_hash, sealed_token,
           short_token, expires_at, created_at, updated_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)
           ON CONFLICT (token_hash) DO NOTHING";
    ANY = concat!(select!(), " WHERE t.id = ?1");
    LIVE = concat!(select!(), " WHERE", live!(), " AND t.id = ?2 AND t.project_id = ?3");
    BY_HASH = concat!(select!(), " WHERE t.token_hash = ?1");
    LIST = concat!(select!(), " WHERE", live!(), " AND t.project_id = ?2
           ORDER BY t.id LIMIT ?3 OFFSET ?4");
    COUNT = concat!("SELECT count(*) FROM (SELECT 1 FROM triggers t WHERE", live!(),
            " AND t.project_id = ?2 LIMIT ?3)");
    REVOKE = concat!("UPDATE triggers AS t SET revoked_at = ?1, updated_at = ?1 WHERE", live!(),
             " AND t.id = ?2 AND t.project_id = ?3");
    COUNT_LIVE = concat!("SELECT count(*) FROM triggers t WHERE", live!(), " AND t.project_id = ?2");
    CHANGE = concat!("UPDATE triggers AS t SET description = coalesce(?4, t.description),
             owner_id = coalesce(?5, t.owner_id), updated_at = ?1 WHERE", live!(),
             " AND t.id = ?2 AND t.project_id = ?3");
    ANCESTRY = "WITH RECURSIVE line (id, depth) AS (
                    SELECT ?1, 1
                    UNION ALL
                    SELECT a.run_id, line.depth + 1 FROM line
                    JOIN runs r ON r.id = line.id
                    JOIN attempts a ON a.id = r.source_attempt_id
                    WHERE line.depth < ?2
                )
                SELECT r.id, r.project_id, r.ref_kind, r.ref_name
                FROM line JOIN runs r ON r.id = line.id ORDER BY line.depth";
    OF_RUN = "SELECT trigger_id FROM runs WHERE id = ?1";
    MARK_USED = "UPDATE triggers SET last_used_at = ?2 WHERE id = ?1";
    SHORT_TOKEN = "SELECT short_token FROM triggers WHERE id = ?1";
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Trigger> {
    Ok(Trigger {
        id: TriggerId(row.get(0)?),
        project_id: ProjectId(row.get(1)?),
        owner_id: row.user(2)?,
        description: row.get(3)?,
        sealed_token: row.get(4)?,
        short_token: row.get(5)?,
        created_at: row.col(6)?,
        updated_at: row.col(7)?,
        expires_at: row.opt(8)?,
        last_used_at: row.opt(9)?,
        revoked_at: row.opt(10)?,
    })
}

/// Adds a trigger, unless its project has enough.
fn add(session: &Session, new: &NewTrigger) -> StoreResult<TriggerCreation> {
    let conn = &session.conn;
    let count: u64 = conn
        .prepare_cached(COUNT_LIVE)?
        .query_row((Col(new.now), new.project_id.0), |row| row.count(0))?;
    if count >= new.project_limit {
        return Ok(TriggerCreation::LimitReached);
    }
    let count = conn.prepare_cached(ADD)?.execute((
        new.project_id.0,
        user_or_nobody(new.owner_id),
        &new.description,
        Col(new.token_hash),
        &new.sealed_token,
        &new.short_token,
        opt(new.expires_at),
        Col(new.now),
    ))?;
    if count == 0 {
        return Err(StoreError::Taken { field: "token" });
    }
    let id = TriggerId(conn.last_insert_rowid());
    let trigger = any(&session.db(), id)?.ok_or(StoreError::NotFound("trigger"))?;
    Ok(TriggerCreation::Created(Box::new(trigger)))
}

/// One trigger, revoked or not.
fn any(db: &Db<'_>, id: TriggerId) -> StoreResult<Option<Trigger>> {
    Ok(db
        .conn
        .prepare_cached(ANY)?
        .query_row([id.0], stored)
        .optional()?)
}

/// One live trigger of a project.
fn live(
    db: &Db<'_>,
    project: ProjectId,
    id: TriggerId,
    now: Timestamp,
) -> StoreResult<Option<Trigger>> {
    Ok(db
        .conn
        .prepare_cached(LIVE)?
        .query_row((Col(now), id.0, project.0), stored)
        .optional()?)
}

/// The trigger with this token.
fn by_hash(db: &Db<'_>, hash: TokenHash) -> StoreResult<Option<Trigger>> {
    Ok(db
        .conn
        .prepare_cached(BY_HASH)?
        .query_row([Col(hash)], stored)
        .optional()?)
}

/// One page of a project's live triggers, oldest first.
fn list(
    db: &Db<'_>,
    project: ProjectId,
    now: Timestamp,
    request: PageRequest,
) -> StoreResult<Listing<Trigger>> {
    let rows: Vec<Trigger> = db
        .conn
        .prepare_cached(LIST)?
        .query_map(
            (
                Col(now),
                project.0,
                page::limit(request),
                page::offset(request),
            ),
            stored,
        )?
        .collect::<Result<_, _>>()?;
    let count: u64 = db
        .conn
        .prepare_cached(COUNT)?
        .query_row((Col(now), project.0, integer(COUNT_LIMIT + 1)), |row| {
            row.count(0)
        })?;
    Ok(page::listing(rows, request, page::total(count)))
}

/// Changes a live trigger.
fn change(
    session: &Session,
    project: ProjectId,
    id: TriggerId,
    change: &TriggerChange,
    now: Timestamp,
) -> StoreResult<Option<Trigger>> {
    session.conn.prepare_cached(CHANGE)?.execute((
        Col(now),
        id.0,
        project.0,
        &change.description,
        change.owner_id.map(|id| id.0),
    ))?;
    live(&session.db(), project, id, now)
}

/// Ends a live trigger.
fn revoke(
    session: &Session,
    project: ProjectId,
    id: TriggerId,
    now: Timestamp,
) -> StoreResult<bool> {
    let count = session
        .conn
        .prepare_cached(REVOKE)?
        .execute((Col(now), id.0, project.0))?;
    Ok(count > 0)
}

/// The trigger that started a run, revoked or not.
fn of_run(db: &Db<'_>, run: RunId) -> StoreResult<Option<Trigger>> {
    let id: Option<Option<i64>> = db
        .conn
        .prepare_cached(OF_RUN)?
        .query_row([run.0], |row| row.get(0))
        .optional()?;
    match id.flatten() {
        Some(id) => any(db, TriggerId(id)),
        None => Ok(None),
    }
}

/// Notes that a trigger started a run and returns its short token.
pub(super) fn mark_used(session: &Session, id: TriggerId, now: Timestamp) -> StoreResult<String> {
    let conn = &session.conn;
    conn.prepare_cached(MARK_USED)?.execute((id.0, Col(now)))?;
    conn.prepare_cached(SHORT_TOKEN)?
        .query_row([id.0], |row| row.get(0))
        .optional()?
        .ok_or(StoreError::NotFound("trigger"))
}

/// A run and those that led to it, the nearest first.
fn ancestry(db: &Db<'_>, run: RunId, limit: u32) -> StoreResult<Vec<Ancestor>> {
    let mut statement = db.conn.prepare_cached(ANCESTRY)?;
    let rows = statement.query_map((run.0, limit), |row| {
        Ok(Ancestor {
            run_id: RunId(row.get(0)?),
            project_id: ProjectId(row.get(1)?),
            ref_kind: row.col(2)?,
            ref_name: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl crate::Triggers for SqliteStore {
    fn create_trigger(&self, new: NewTrigger) -> Verb<'_, TriggerCreation> {
        Box::pin(self.writer.write(move |session| add(session, &new)))
    }

    fn trigger(
        &self,
        project: ProjectId,
        id: TriggerId,
        now: Timestamp,
    ) -> Verb<'_, Option<Trigger>> {
        Box::pin(async move { self.readers.read(|db| live(db, project, id, now)) })
    }

    fn trigger_by_hash(&self, hash: TokenHash) -> Verb<'_, Option<Trigger>> {
        Box::pin(async move { self.readers.look_up(|db| by_hash(db, hash)) })
    }

    fn triggers(
        &self,
        project: ProjectId,
        now: Timestamp,
        page: PageRequest,
    ) -> Verb<'_, Listing<Trigger>> {
        Box::pin(async move { self.readers.read(|db| list(db, project, now, page)) })
    }

    fn change_trigger(
        &self,
        project: ProjectId,
        id: TriggerId,
        new: TriggerChange,
        now: Timestamp,
    ) -> Verb<'_, Option<Trigger>> {
        Box::pin(
            self.writer
                .write(move |session| change(session, project, id, &new, now)),
        )
    }

    fn revoke_trigger(&self, project: ProjectId, id: TriggerId, now: Timestamp) -> Verb<'_, bool> {
        Box::pin(
            self.writer
                .write(move |session| revoke(session, project, id, now)),
        )
    }

    fn trigger_of_run(&self, run: RunId) -> Verb<'_, Option<Trigger>> {
        Box::pin(async move { self.readers.read(|db| of_run(db, run)) })
    }

    fn ancestry(&self, run: RunId, limit: u32) -> Verb<'_, Vec<Ancestor>> {
        Box::pin(async move { self.readers.read(|db| ancestry(db, run, limit)) })
    }
}
