//! Pipeline schedules: runs that start by the clock.

use rusqlite::{OptionalExtension, Row};
use tappet_model::{ProjectId, ScheduleId, Timestamp, UserId, VariableKind};

use super::SqliteStore;
use super::content::Db;
use super::page;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, integer, opt};
use crate::{
    COUNT_LIMIT, Listing, NewSchedule, PageRequest, Schedule, ScheduleChange, ScheduleSlot,
    ScheduleVariable, SlotEnd, StoreError, StoreResult, Verb,
};

macro_rules! select {
    () => {
        "SELECT id, project_id, owner_id, description, ref_name, cron, cron_timezone, seed,
         is_active, next_run_at, last_due_at, failure, created_at, updated_at FROM schedules"
    };
}

macro_rules! of_project {
    () => {
        " WHERE project_id = ?1 AND (?2 IS NULL OR is_active = ?2)"
    };
}

statements! {
    ADD = "INSERT INTO schedules (project_id, owner_id, description, ref_name, cron,
           cron_timezone, seed, is_active, next_run_at, created_at, updated_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)";
    COUNT = "SELECT count(*) FROM schedules WHERE project_id = ?1";
    ONE = concat!(select!(), " WHERE id = ?1");
    LIST = concat!(select!(), of_project!(), " ORDER BY id LIMIT ?3 OFFSET ?4");
    LIST_COUNT = concat!("SELECT count(*) FROM (SELECT 1 FROM schedules", of_project!(),
                 " LIMIT ?3)");
    CHANGE = "UPDATE schedules SET description = coalesce(?2, description),
              ref_name = coalesce(?3, ref_name), owner_id = coalesce(?4, owner_id),
              failure = NULL, updated_at = ?5 WHERE id = ?1";
    CHANGE_TIMING = "UPDATE schedules SET cron = ?2, cron_timezone = ?3, is_active = ?4,
                     next_run_at = ?5 WHERE id = ?1";
    DELETE = "DELETE FROM schedules WHERE id = ?1";
    DUE = concat!(select!(), " WHERE is_active = 1 AND next_run_at <= ?1 ORDER BY next_run_at");
    NEXT = "SELECT min(next_run_at) FROM schedules WHERE is_active = 1 AND next_run_at > ?1";
    TAKE = "UPDATE schedules SET next_run_at = ?3, last_due_at = ?2, failure = NULL
            WHERE id = ?1 AND is_active = 1 AND next_run_at = ?2
            AND (last_due_at IS NULL OR last_due_at < ?2)";
    NOTE_FAILURE = "UPDATE schedules SET failure = ?2 WHERE id = ?1";
    DEACTIVATE = "UPDATE schedules SET failure = ?2, is_active = 0 WHERE id = ?1";
    DEACTIVATE_OF = "UPDATE schedules SET failure = ?3, is_active = 0
                     WHERE owner_id = ?1 AND is_active = 1 AND project_id = coalesce(?2, project_id)";
    DROP_OF_PROJECT = "DELETE FROM schedules WHERE project_id = ?1";
    VARIABLES = "SELECT key, sealed_value, is_file FROM schedule_variables
                 WHERE schedule_id = ?1 ORDER BY key";
    ADD_VARIABLE = "INSERT INTO schedule_variables (schedule_id, key, sealed_value, is_file)
                    VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    CHANGE_VARIABLE = "UPDATE schedule_variables SET sealed_value = ?3, is_file = ?4
                       WHERE schedule_id = ?1 AND key = ?2";
    DELETE_VARIABLE = "DELETE FROM schedule_variables WHERE schedule_id = ?1 AND key = ?2";
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Schedule> {
    Ok(Schedule {
        id: ScheduleId(row.get(0)?),
        project_id: ProjectId(row.get(1)?),
        owner_id: row.get::<_, Option<i64>>(2)?.map(UserId),
        description: row.get(3)?,
        ref_name: row.get(4)?,
        cron: row.get(5)?,
        cron_timezone: row.get(6)?,
        seed: row.get(7)?,
        is_active: row.get(8)?,
        next_run_at: row.opt(9)?,
        last_due_at: row.opt(10)?,
        failure: row.get(11)?,
        created_at: row.col(12)?,
        updated_at: row.col(13)?,
    })
}

fn add(session: &Session, new: &NewSchedule) -> StoreResult<Option<Schedule>> {
    let conn = &session.conn;
    let count: u64 = conn
        .prepare_cached(COUNT)?
        .query_row([new.project_id.0], |row| row.count(0))?;
    if new.limit > 0 && count >= new.limit {
        return Ok(None);
    }
    conn.prepare_cached(ADD)?.execute((
        new.project_id.0,
        new.owner_id.0,
        &new.description,
        &new.ref_name,
        &new.timing.cron,
        &new.timing.cron_timezone,
        new.seed,
        new.timing.is_active,
        opt(new.timing.next_run_at),
        Col(new.now),
    ))?;
    one(&session.db(), ScheduleId(conn.last_insert_rowid()))
}

/// Ends the schedules of somebody who was blocked or left: all of them, or those of
/// one project.
pub(super) fn deactivate_of(
    session: &Session,
    owner: UserId,
    project: Option<ProjectId>,
) -> rusqlite::Result<()> {
    session.conn.prepare_cached(DEACTIVATE_OF)?.execute((
        owner.0,
        project.map(|project| project.0),
        "the owner was blocked or left: somebody who may start pipelines here has to take \
         ownership and activate the schedule",
    ))?;
    Ok(())
}

/// Removes the schedules of a project that is deleted, with their variables.
pub(super) fn drop_of_project(session: &Session, project: ProjectId) -> rusqlite::Result<()> {
    session
        .conn
        .prepare_cached(DROP_OF_PROJECT)?
        .execute([project.0])?;
    Ok(())
}

fn one(db: &Db<'_>, id: ScheduleId) -> StoreResult<Option<Schedule>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], stored)
        .optional()?)
}

fn list(
    db: &Db<'_>,
    project: ProjectId,
    active: Option<bool>,
    request: PageRequest,
) -> StoreResult<Listing<Schedule>> {
    let rows = db
        .conn
        .prepare_cached(LIST)?
        .query_map(
            (
                project.0,
                active,
                page::limit(request),
                page::offset(request),
            ),
            stored,
        )?
        .collect::<Result<_, _>>()?;
    let count = db
        .conn
        .prepare_cached(LIST_COUNT)?
        .query_row((project.0, active, integer(COUNT_LIMIT + 1)), |row| {
            row.count(0)
        })?;
    Ok(page::listing(rows, request, page::total(count)))
}

fn change(
    session: &Session,
    id: ScheduleId,
    change: &ScheduleChange,
    now: Timestamp,
) -> StoreResult<Option<Schedule>> {
    session.conn.prepare_cached(CHANGE)?.execute((
        id.0,
        &change.description,
        &change.ref_name,
        change.owner_id.map(|owner| owner.0),
        Col(now),
    ))?;
    if let Some(timing) = &change.timing {
        session.conn.prepare_cached(CHANGE_TIMING)?.execute((
            id.0,
            &timing.cron,
            &timing.cron_timezone,
            timing.is_active,
            opt(timing.next_run_at),
        ))?;
    }
    one(&session.db(), id)
}

fn due(db: &Db<'_>, now: Timestamp) -> StoreResult<Vec<Schedule>> {
    Ok(db
        .conn
        .prepare_cached(DUE)?
        .query_map([Col(now)], stored)?
        .collect::<Result<_, _>>()?)
}

/// Takes a slot in the transaction that is open; `false` when it was taken
/// already or the schedule has changed meanwhile.
pub(super) fn take(session: &Session, slot: &ScheduleSlot) -> StoreResult<bool> {
    let count = session.conn.prepare_cached(TAKE)?.execute((
        slot.schedule_id.0,
        Col(slot.due_at),
        opt(slot.next_run_at),
    ))?;
    Ok(count > 0)
}

fn end(session: &Session, slot: &ScheduleSlot, end: &SlotEnd) -> StoreResult<bool> {
    if !take(session, slot)? {
        return Ok(false);
    }
    let (sql, failure) = match end {
        SlotEnd::Skipped => return Ok(true),
        SlotEnd::Failed(failure) => (NOTE_FAILURE, failure),
        SlotEnd::Deactivated(failure) => (DEACTIVATE, failure),
    };
    session
        .conn
        .prepare_cached(sql)?
        .execute((slot.schedule_id.0, failure))?;
    Ok(true)
}

fn variables(db: &Db<'_>, id: ScheduleId) -> StoreResult<Vec<ScheduleVariable>> {
    let stored = |row: &Row<'_>| {
        let is_file: bool = row.get(2)?;
        Ok(ScheduleVariable {
            key: row.get(0)?,
            sealed_value: row.get(1)?,
            kind: if is_file {
                VariableKind::File
            } else {
                VariableKind::EnvVar
            },
        })
    };
    Ok(db
        .conn
        .prepare_cached(VARIABLES)?
        .query_map([id.0], stored)?
        .collect::<Result<_, _>>()?)
}

fn write_variable(
    session: &Session,
    sql: &str,
    id: ScheduleId,
    variable: &ScheduleVariable,
) -> StoreResult<bool> {
    let count = session.conn.prepare_cached(sql)?.execute((
        id.0,
        &variable.key,
        &variable.sealed_value,
        variable.kind == VariableKind::File,
    ))?;
    Ok(count > 0)
}

impl crate::Schedules for SqliteStore {
    fn create_schedule(&self, new: NewSchedule) -> Verb<'_, Option<Schedule>> {
        Box::pin(self.writer.write(move |session| add(session, &new)))
    }

    fn schedule(&self, project: ProjectId, id: ScheduleId) -> Verb<'_, Option<Schedule>> {
        Box::pin(async move {
            let found = self.readers.read(|db| one(db, id))?;
            Ok(found.filter(|schedule| schedule.project_id == project))
        })
    }

    fn schedules(
        &self,
        project: ProjectId,
        active: Option<bool>,
        page: PageRequest,
    ) -> Verb<'_, Listing<Schedule>> {
        Box::pin(async move { self.readers.read(|db| list(db, project, active, page)) })
    }

    fn change_schedule(
        &self,
        id: ScheduleId,
        new: ScheduleChange,
        now: Timestamp,
    ) -> Verb<'_, Option<Schedule>> {
        Box::pin(
            self.writer
                .write(move |session| change(session, id, &new, now)),
        )
    }

    fn delete_schedule(&self, id: ScheduleId) -> Verb<'_, bool> {
        Box::pin(self.writer.write(move |session| {
            let count = session.conn.prepare_cached(DELETE)?.execute([id.0])?;
            Ok(count > 0)
        }))
    }

    fn due_schedules(&self, now: Timestamp) -> Verb<'_, Vec<Schedule>> {
        Box::pin(async move { self.readers.read(|db| due(db, now)) })
    }

    fn next_schedule_time(&self, after: Timestamp) -> Verb<'_, Option<Timestamp>> {
        Box::pin(async move {
            self.readers.read(|db| {
                Ok(db
                    .conn
                    .prepare_cached(NEXT)?
                    .query_row([Col(after)], |row| row.opt(0))?)
            })
        })
    }

    fn end_slot(&self, slot: ScheduleSlot, how: SlotEnd) -> Verb<'_, bool> {
        Box::pin(self.writer.write(move |session| end(session, &slot, &how)))
    }

    fn note_schedule_failure(&self, id: ScheduleId, failure: Option<String>) -> Verb<'_, ()> {
        Box::pin(self.writer.write(move |session| {
            session
                .conn
                .prepare_cached(NOTE_FAILURE)?
                .execute((id.0, failure))?;
            Ok(())
        }))
    }

    fn schedule_variables(&self, id: ScheduleId) -> Verb<'_, Vec<ScheduleVariable>> {
        Box::pin(async move { self.readers.read(|db| variables(db, id)) })
    }

    fn add_schedule_variable(&self, id: ScheduleId, new: ScheduleVariable) -> Verb<'_, ()> {
        Box::pin(self.writer.write(move |session| {
            if write_variable(session, ADD_VARIABLE, id, &new)? {
                Ok(())
            } else {
                Err(StoreError::Taken { field: "key" })
            }
        }))
    }

    fn change_schedule_variable(&self, id: ScheduleId, new: ScheduleVariable) -> Verb<'_, bool> {
        Box::pin(
            self.writer
                .write(move |session| write_variable(session, CHANGE_VARIABLE, id, &new)),
        )
    }

    fn delete_schedule_variable(&self, id: ScheduleId, key: String) -> Verb<'_, bool> {
        Box::pin(self.writer.write(move |session| {
            let count = session
                .conn
                .prepare_cached(DELETE_VARIABLE)?
                .execute((id.0, key))?;
            Ok(count > 0)
        }))
    }
}
