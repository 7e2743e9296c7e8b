//! Outgoing webhooks, and the outbox that tells them of changes.

use rusqlite::{OptionalExtension, Row};
use tappet_model::{AttemptId, HookId, ProjectId, RunId, Status, Timestamp};

use super::SqliteStore;
use super::content::Db;
use super::page;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, integer, opt};
use crate::{
    COUNT_LIMIT, Delivery, DeliveryOutcome, DeliveryState, DueDelivery, Hook, HookHealth,
    HookSettings, Listing, NewHook, PageRequest, Run, StoreError, StoreResult, Verb,
};

macro_rules! hook_columns {
    () => {
        "h.id, h.project_id, h.uuid, h.settings, h.sealed_secrets, h.failures, h.is_disabled,
         h.disabled_until, h.created_at"
    };
}

macro_rules! delivery_columns {
    () => {
        "d.id, d.hook_id, d.run_id, d.attempt_id, d.status, d.state, d.tries, d.body,
         d.response_status, d.error, d.duration_ms, d.created_at"
    };
}

macro_rules! answered {
    () => {
        " FROM hook_deliveries d WHERE d.hook_id = ?1
          AND (?2 IS NULL OR d.response_status BETWEEN ?2 AND ?3)"
    };
}

statements! {
    COUNT_OF_PROJECT = "SELECT count(*) FROM hooks WHERE project_id = ?1";
    ADD = "INSERT INTO hooks (project_id, uuid, sends_runs, sends_jobs, settings,
           sealed_secrets, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    ONE = concat!("SELECT ", hook_columns!(), " FROM hooks h WHERE h.project_id = ?1 AND h.id = ?2");
    LIST = concat!("SELECT ", hook_columns!(), " FROM hooks h WHERE h.project_id = ?1
           ORDER BY h.id LIMIT ?2 OFFSET ?3");
    UPDATE = "UPDATE hooks SET sends_runs = ?2, sends_jobs = ?3, settings = ?4,
              sealed_secrets = ?5, failures = 0, is_disabled = 0, disabled_until = NULL
              WHERE id = ?1";
    DELETE_DELIVERIES = "DELETE FROM hook_deliveries
                         WHERE hook_id IN (SELECT id FROM hooks WHERE project_id = ?1 AND id = ?2)";
    DELETE = "DELETE FROM hooks WHERE project_id = ?1 AND id = ?2";
    DROP_DELIVERIES_OF_PROJECT = "DELETE FROM hook_deliveries
                                  WHERE hook_id IN (SELECT id FROM hooks WHERE project_id = ?1)";
    DROP_OF_PROJECT = "DELETE FROM hooks WHERE project_id = ?1";
    ANY = "SELECT EXISTS (SELECT 1 FROM hooks)";
    LISTENING = "SELECT id, sends_runs, sends_jobs FROM hooks
                 WHERE project_id = ?1 AND NOT is_disabled";
    NOTE = "INSERT INTO hook_deliveries (hook_id, run_id, attempt_id, status, state, created_at)
            VALUES (?1, ?2, ?3, ?4, 'waiting', ?5)";
    DUE = concat!("SELECT ", delivery_columns!(), ", coalesce(h.disabled_until, d.created_at), ",
          hook_columns!(), " FROM hooks h JOIN hook_deliveries d ON d.id = (
          SELECT min(w.id) FROM hook_deliveries w WHERE w.hook_id = h.id AND w.state = 'waiting')
          WHERE NOT h.is_disabled");
    FINISH = "UPDATE hook_deliveries SET state = ?2, tries = tries + 1, response_status = ?3,
              error = ?4, duration_ms = ?5, body = ?6 WHERE id = ?1
              RETURNING hook_id";
    SET_HEALTH = "UPDATE hooks SET failures = ?2, is_disabled = ?3, disabled_until = ?4
                  WHERE id = ?1";
    GIVE_UP = "UPDATE hook_deliveries SET state = 'given up', body = NULL
               WHERE hook_id = ?1 AND state = 'waiting'";
    FORGET = "DELETE FROM hook_deliveries WHERE id IN (
              SELECT id FROM (SELECT id, state, created_at FROM hook_deliveries
              WHERE hook_id = ?1 ORDER BY id LIMIT 20)
              WHERE state <> 'waiting' AND created_at < ?2)";
    BEHIND_RUN = "SELECT hook_id FROM run_hooks WHERE run_id = ?1 ORDER BY hook_id";
    BEHIND_DELIVERY = "SELECT hook_id FROM hook_deliveries WHERE id = ?1 UNION
                       SELECT r.hook_id FROM hook_deliveries d JOIN run_hooks r USING (run_id)
                       WHERE d.id = ?1 ORDER BY 1";
    LEAD = "INSERT OR IGNORE INTO run_hooks (run_id, hook_id)
            SELECT ?1, id FROM hooks WHERE id = ?2";
    DELIVERIES = concat!("SELECT ", delivery_columns!(), answered!(),
                 " ORDER BY d.id DESC LIMIT ?4 OFFSET ?5");
    COUNT = concat!("SELECT count(*) FROM (SELECT 1", answered!(), " LIMIT ?4)");
}

/// Removes the webhooks of a project that is deleted, with what they have not told.
pub(super) fn drop_of_project(session: &Session, project: ProjectId) -> rusqlite::Result<()> {
    for sql in [DROP_DELIVERIES_OF_PROJECT, DROP_OF_PROJECT] {
        session.conn.prepare_cached(sql)?.execute([project.0])?;
    }
    Ok(())
}

/// Remembers the webhooks that led to a run. One that was removed meanwhile will
/// not be told of it anyway.
pub(super) fn lead(session: &Session, run: RunId, hooks: &[HookId]) -> StoreResult<()> {
    for hook in hooks {
        session
            .conn
            .prepare_cached(LEAD)?
            .execute((run.0, hook.0))?;
    }
    Ok(())
}

fn behind(db: &Db<'_>, sql: &str, id: i64) -> StoreResult<Vec<HookId>> {
    let mut statement = db.conn.prepare_cached(sql)?;
    let hooks = statement.query_map([id], |row| row.get(0).map(HookId))?;
    Ok(hooks.collect::<Result<_, _>>()?)
}

/// The columns of a webhook, from `first` on.
fn hook(row: &Row<'_>, first: usize) -> rusqlite::Result<Hook> {
    Ok(Hook {
        id: HookId(row.get(first)?),
        project_id: ProjectId(row.get(first + 1)?),
        uuid: row.get(first + 2)?,
        settings: serde_json::from_str(&row.get::<_, String>(first + 3)?).map_err(|error| {
            let kind = rusqlite::types::Type::Text;
            rusqlite::Error::FromSqlConversionFailure(first + 3, kind, Box::new(error))
        })?,
        sealed_secrets: row.get(first + 4)?,
        health: HookHealth {
            failures: row.count(first + 5)?,
            is_disabled: row.get(first + 6)?,
            disabled_until: row.opt(first + 7)?,
        },
        created_at: row.col(first + 8)?,
    })
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        id: row.get(0)?,
        hook_id: HookId(row.get(1)?),
        run_id: RunId(row.get(2)?),
        attempt_id: row.get::<_, Option<i64>>(3)?.map(AttemptId),
        status: row.col(4)?,
        state: match row.get::<_, String>(5)?.as_str() {
            "waiting" => DeliveryState::Waiting,
            "delivered" => DeliveryState::Delivered,
            _ => DeliveryState::GivenUp,
        },
        tries: row.count(6)?,
        body: row.get(7)?,
        response_status: row.get(8)?,
        error: row.get(9)?,
        duration_ms: row
            .get::<_, Option<i64>>(10)?
            .and_then(|time| time.try_into().ok()),
        created_at: row.col(11)?,
    })
}

fn state_word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Waiting => "waiting",
        DeliveryState::Delivered => "delivered",
        DeliveryState::GivenUp => "given up",
    }
}

/// Lets the webhooks of the run's project tell of changes, given as
/// (attempt id, status) with id 0 for the run. Its creation is no change.
pub(super) fn note(
    session: &Session,
    run: &Run,
    changes: &[(i64, Status)],
    now: Timestamp,
) -> StoreResult<()> {
    let conn = &session.conn;
    let listening: Vec<(i64, bool, bool)> = conn
        .prepare_cached(LISTENING)?
        .query_map([run.project_id.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    for (hook, sends_runs, sends_jobs) in listening {
        for &(attempt, status) in changes {
            let is_run = attempt == 0;
            let told = if is_run {
                sends_runs && status != Status::Created
            } else {
                sends_jobs
            };
            if told {
                let attempt = (!is_run).then_some(attempt);
                conn.prepare_cached(NOTE)?.execute((
                    hook,
                    run.id.0,
                    attempt,
                    Col(status),
                    Col(now),
                ))?;
            }
        }
    }
    Ok(())
}

fn add(session: &Session, new: &NewHook) -> StoreResult<Hook> {
    let conn = &session.conn;
    let count: u64 = conn
        .prepare_cached(COUNT_OF_PROJECT)?
        .query_row([new.project_id.0], |row| row.count(0))?;
    if count >= new.limit {
        return Err(StoreError::Taken { field: "hooks" });
    }
    conn.prepare_cached(ADD)?.execute((
        new.project_id.0,
        &new.uuid,
        new.settings.sends_runs,
        new.settings.sends_jobs,
        settings_text(&new.settings),
        &new.sealed_secrets,
        Col(new.now),
    ))?;
    let id = HookId(conn.last_insert_rowid());
    one(&session.db(), new.project_id, id)?.ok_or(StoreError::NotFound("hook"))
}

fn settings_text(settings: &HookSettings) -> String {
    serde_json::to_string(settings).expect("settings are plain data")
}

fn one(db: &Db<'_>, project: ProjectId, id: HookId) -> StoreResult<Option<Hook>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row((project.0, id.0), |row| hook(row, 0))
        .optional()?)
}

fn list(db: &Db<'_>, project: ProjectId, request: PageRequest) -> StoreResult<Listing<Hook>> {
    let rows: Vec<Hook> = db
        .conn
        .prepare_cached(LIST)?
        .query_map(
            (project.0, page::limit(request), page::offset(request)),
            |row| hook(row, 0),
        )?
        .collect::<Result<_, _>>()?;
    let count: u64 = db
        .conn
        .prepare_cached(COUNT_OF_PROJECT)?
        .query_row([project.0], |row| row.count(0))?;
    Ok(page::listing(rows, request, Some(count)))
}

fn due(db: &Db<'_>) -> StoreResult<Vec<DueDelivery>> {
    let mut statement = db.conn.prepare_cached(DUE)?;
    let rows = statement.query_map([], |row| {
        Ok(DueDelivery {
            delivery: delivery(row)?,
            due_at: row.col(12)?,
            hook: hook(row, 13)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn finish(
    session: &Session,
    id: i64,
    outcome: &DeliveryOutcome,
    forget_before: Timestamp,
) -> StoreResult<()> {
    let conn = &session.conn;
    let hook: Option<i64> = conn
        .prepare_cached(FINISH)?
        .query_row(
            (
                id,
                state_word(outcome.state),
                outcome.response_status,
                &outcome.error,
                integer(outcome.duration_ms),
                &outcome.body,
            ),
            |row| row.get(0),
        )
        .optional()?;
    // The webhook was removed meanwhile.
    let Some(hook) = hook else { return Ok(()) };
    let health = outcome.health;
    conn.prepare_cached(SET_HEALTH)?.execute((
        hook,
        health.failures,
        health.is_disabled,
        opt(health.disabled_until),
    ))?;
    if health.is_disabled {
        conn.prepare_cached(GIVE_UP)?.execute([hook])?;
    }
    conn.prepare_cached(FORGET)?
        .execute((hook, Col(forget_before)))?;
    Ok(())
}

fn deliveries(
    db: &Db<'_>,
    hook: HookId,
    answers: Option<(u16, u16)>,
    request: PageRequest,
) -> StoreResult<Listing<Delivery>> {
    let (from, to) = answers.unzip();
    let rows: Vec<Delivery> = db
        .conn
        .prepare_cached(DELIVERIES)?
        .query_map(
            (
                hook.0,
                from,
                to,
                page::limit(request),
                page::offset(request),
            ),
            delivery,
        )?
        .collect::<Result<_, _>>()?;
    let count: u64 = db
        .conn
        .prepare_cached(COUNT)?
        .query_row((hook.0, from, to, integer(COUNT_LIMIT + 1)), |row| {
            row.count(0)
        })?;
    Ok(page::listing(rows, request, page::total(count)))
}

impl crate::Webhooks for SqliteStore {
    fn add_hook(&self, new: NewHook) -> Verb<'_, Hook> {
        Box::pin(self.writer.write(move |session| add(session, &new)))
    }

    fn hook(&self, project: ProjectId, id: HookId) -> Verb<'_, Option<Hook>> {
        Box::pin(async move { self.readers.read(|db| one(db, project, id)) })
    }

    fn hooks(&self, project: ProjectId, page: PageRequest) -> Verb<'_, Listing<Hook>> {
        Box::pin(async move { self.readers.read(|db| list(db, project, page)) })
    }

    fn update_hook(
        &self,
        id: HookId,
        settings: HookSettings,
        sealed_secrets: Vec<u8>,
    ) -> Verb<'_, ()> {
        Box::pin(self.writer.write(move |session| {
            session.conn.prepare_cached(UPDATE)?.execute((
                id.0,
                settings.sends_runs,
                settings.sends_jobs,
                settings_text(&settings),
                &sealed_secrets,
            ))?;
            Ok(())
        }))
    }

    fn delete_hook(&self, project: ProjectId, id: HookId) -> Verb<'_, bool> {
        Box::pin(self.writer.write(move |session| {
            let conn = &session.conn;
            conn.prepare_cached(DELETE_DELIVERIES)?
                .execute((project.0, id.0))?;
            let count = conn.prepare_cached(DELETE)?.execute((project.0, id.0))?;
            Ok(count > 0)
        }))
    }

    fn has_hooks(&self) -> Verb<'_, bool> {
        Box::pin(async move {
            self.readers
                .read(|db| Ok(db.conn.query_row(ANY, [], |row| row.get(0))?))
        })
    }

    fn due_deliveries(&self) -> Verb<'_, Vec<DueDelivery>> {
        Box::pin(async move { self.readers.read(due) })
    }

    fn finish_delivery(
        &self,
        delivery: i64,
        outcome: DeliveryOutcome,
        forget_before: Timestamp,
    ) -> Verb<'_, ()> {
        Box::pin(
            self.writer
                .write(move |session| finish(session, delivery, &outcome, forget_before)),
        )
    }

    fn hooks_behind_run(&self, run: RunId) -> Verb<'_, Vec<HookId>> {
        Box::pin(async move { self.readers.read(|db| behind(db, BEHIND_RUN, run.0)) })
    }

    fn hooks_behind_delivery(&self, delivery: i64) -> Verb<'_, Vec<HookId>> {
        Box::pin(async move {
            self.readers
                .read(|db| behind(db, BEHIND_DELIVERY, delivery))
        })
    }

    fn deliveries(
        &self,
        hook: HookId,
        answers: Option<(u16, u16)>,
        page: PageRequest,
    ) -> Verb<'_, Listing<Delivery>> {
        Box::pin(async move { self.readers.read(|db| deliveries(db, hook, answers, page)) })
    }
}
