//! Runs as wholes: renaming and deleting.

use tappet_model::{AttemptId, ProjectId, RefKind, RunId};

use super::SqliteStore;
use super::artifacts;
use super::run_list;
use super::runs;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, integer};
use crate::{Removed, Run, RunFilter, StoreError, StoreResult, Verb};

statements! {
    RENAME = "UPDATE runs SET name = ?2 WHERE id = ?1";
    ATTEMPTS = "SELECT id FROM attempts WHERE run_id = ?1";
    DEQUEUE = "DELETE FROM queue WHERE attempt_id IN (SELECT id FROM attempts WHERE run_id = ?1)";
    RELEASE = "DELETE FROM held_attempts
               WHERE attempt_id IN (SELECT id FROM attempts WHERE run_id = ?1)";
    DELETE_FILES = "DELETE FROM artifacts
                    WHERE attempt_id IN (SELECT id FROM attempts WHERE run_id = ?1)";
    DELETE_ATTEMPTS = "DELETE FROM attempts WHERE run_id = ?1";
    DELETE_EVENTS = "DELETE FROM events WHERE run_id = ?1";
    DELETE_KEYS = "DELETE FROM idempotency_keys WHERE run_id = ?1";
    DELETE_WORKFLOWS = "DELETE FROM workflows WHERE run_id = ?1";
    DELETE_SETBACK = "DELETE FROM clock_setbacks WHERE run_id = ?1";
    DELETE_RUN = "DELETE FROM runs WHERE id = ?1";
    LAST_DELETED = "INSERT INTO last_deleted (kind, id) VALUES (?1, ?2)
                    ON CONFLICT DO UPDATE SET id = max(id, excluded.id)";
    NEWEST_OF_REF = "SELECT id FROM runs INDEXED BY runs_by_ref
                     WHERE project_id = ?1 AND ref_name = ?2 AND ref_kind = ?3
                     ORDER BY id DESC LIMIT 1";
    FORGET_NEWEST = "DELETE FROM newest_runs
                     WHERE project_id = ?1 AND ref_kind = ?2 AND ref_name = ?3 AND run_id = ?4";
    REFS = "SELECT ref_name FROM newest_runs WHERE project_id = ?1 AND ref_kind = ?2
            LIMIT ?3";
    SET_NEWEST = "INSERT INTO newest_runs (project_id, ref_kind, ref_name, run_id)
                  VALUES (?1, ?2, ?3, ?4)";
}

impl crate::RunUpkeep for SqliteStore {
    fn newest_runs(&self, project: ProjectId, filter: RunFilter, limit: u32) -> Verb<'_, Vec<Run>> {
        Box::pin(async move {
            self.readers
                .read(|db| run_list::newest(db, project, &filter, limit))
        })
    }

    fn refs_with_runs(
        &self,
        project: ProjectId,
        kind: RefKind,
        limit: usize,
    ) -> Verb<'_, Vec<String>> {
        Box::pin(async move {
            self.readers.read(|db| {
                let mut statement = db.conn.prepare_cached(REFS)?;
                let rows = statement
                    .query_map((project.0, Col(kind), integer(limit as u64)), |row| {
                        row.get(0)
                    })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
        })
    }

    fn rename_run(&self, id: RunId, name: Option<String>) -> Verb<'_, Run> {
        Box::pin(self.writer.write(move |session| rename(session, id, name)))
    }

    fn delete_run(&self, id: RunId) -> Verb<'_, Removed> {
        Box::pin(self.writer.write(move |session| delete(session, id)))
    }
}

fn rename(session: &mut Session, id: RunId, name: Option<String>) -> StoreResult<Run> {
    session
        .conn
        .prepare_cached(RENAME)?
        .execute((id.0, &name))?;
    if let Some(mut live) = session.live.take(&id) {
        live.run.name = name;
        session.live.insert(id, live);
    }
    runs::run(&session.db(), id)?.ok_or(StoreError::NotFound("run"))
}

fn delete(session: &mut Session, id: RunId) -> StoreResult<Removed> {
    let run = runs::run(&session.db(), id)?.ok_or(StoreError::NotFound("run"))?;
    session.live.take(&id);
    let attempts: Vec<AttemptId> = session
        .conn
        .prepare_cached(ATTEMPTS)?
        .query_map([id.0], |row| Ok(AttemptId(row.get(0)?)))?
        .collect::<Result<_, _>>()?;
    let mut removed = Removed {
        attempts,
        artifacts: Vec::new(),
    };
    for attempt in &removed.attempts {
        let files = artifacts::of_attempt(&session.db(), *attempt)?;
        removed.artifacts.extend(files);
    }
    for statement in [
        DEQUEUE,
        RELEASE,
        DELETE_FILES,
        DELETE_ATTEMPTS,
        DELETE_EVENTS,
        DELETE_KEYS,
        DELETE_WORKFLOWS,
        DELETE_SETBACK,
        DELETE_RUN,
    ] {
        session.conn.prepare_cached(statement)?.execute([id.0])?;
    }
    let mut last = session.conn.prepare_cached(LAST_DELETED)?;
    last.execute(("run", id.0))?;
    if let Some(attempt) = removed.attempts.iter().max() {
        last.execute(("attempt", attempt.0))?;
    }
    drop(last);
    put_next_in_its_place(session, &run)?;
    Ok(removed)
}

/// When the newest run of a ref goes, the one before it is the newest.
fn put_next_in_its_place(session: &Session, run: &Run) -> StoreResult<()> {
    let conn = &session.conn;
    let of_ref = (run.project_id.0, Col(run.ref_kind), &run.ref_name, run.id.0);
    if conn.prepare_cached(FORGET_NEWEST)?.execute(of_ref)? == 0 {
        return Ok(());
    }
    let next: Option<i64> = conn
        .prepare_cached(NEWEST_OF_REF)?
        .query_map(
            (run.project_id.0, &run.ref_name, Col(run.ref_kind)),
            |row| row.get(0),
        )?
        .next()
        .transpose()?;
    if let Some(next) = next {
        conn.prepare_cached(SET_NEWEST)?.execute((
            run.project_id.0,
            Col(run.ref_kind),
            &run.ref_name,
            next,
        ))?;
    }
    Ok(())
}
