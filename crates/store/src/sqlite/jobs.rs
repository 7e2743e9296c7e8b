//! Attempts one by one, and the list of those of a project.
//!
//! The list walks an index by project, or one by project and status for what
//! has settled. The few that wait or run are found in the tables of the queue,
//! so that nobody has to move an index entry at each change of status. Several
//! statuses are merged in order of id without sorting.

use rusqlite::params_from_iter;
use rusqlite::types::Value;
use tappet_engine::JobEvent;
use tappet_model::{ArtifactId, AttemptId, ProjectId, Status, Timestamp};

use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, integer};
use super::{SqliteStore, artifacts, attempts, reports, transition};
use crate::{
    Action, Advance, Artifact, Attempt, ProjectAttempts, StoreError, StoreResult, Target, Verb,
};

statements! {
    SET_VARIABLES = "UPDATE attempts SET sealed_variables = ?2 WHERE id = ?1";
    SET_ERASED = "UPDATE attempts SET erased_at = ?2 WHERE id = ?1";
    SET_DEBUGGED = "UPDATE attempts SET is_debugged = 1 WHERE id = ?1";
    DELETE_FILES = "DELETE FROM artifacts WHERE attempt_id = ?1";
    KEEP_FILES = "UPDATE artifacts SET expires_at = NULL WHERE attempt_id = ?1";
    NEXT_FILES = "SELECT max(id) FROM (SELECT id FROM artifacts WHERE id > ?1 ORDER BY id LIMIT ?2)";
    EXPIRE_FILES = "UPDATE artifacts SET expires_at = ?1
                    WHERE id > ?2 AND id <= ?3 AND (expires_at IS NULL OR expires_at > ?1)
                    AND (SELECT project_id FROM attempts WHERE attempts.id = attempt_id) = ?4";
    COUNT_RUNS_OF_REF = "SELECT count(*) FROM (SELECT 1 FROM runs INDEXED BY runs_by_ref
                         WHERE project_id = ?1 AND ref_name = ?2 LIMIT ?3)";
}

/// Rows looked at in one transaction of a long change.
const BATCH: u32 = 1000;

/// Up to so many runs of a ref lead to its attempts; of more, the newest
/// attempts of the project are looked through.
const FEW_RUNS: i64 = 2000;

impl crate::Jobs for SqliteStore {
    fn project_attempts(
        &self,
        project: ProjectId,
        wanted: ProjectAttempts,
    ) -> Verb<'_, Vec<Attempt>> {
        Box::pin(async move { self.readers.read(|db| list(db, project, &wanted)) })
    }

    fn play_attempt(
        &self,
        id: AttemptId,
        sealed_variables: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Verb<'_, Advance> {
        Box::pin(self.writer.write(move |session| {
            let play = Action::Job(JobEvent::Play);
            let advance = transition::act(session, Target::Attempt(id), play, now)?;
            if let Some(sealed) = sealed_variables {
                session
                    .conn
                    .prepare_cached(SET_VARIABLES)?
                    .execute((id.0, sealed))?;
            }
            Ok(advance)
        }))
    }

    fn erase_attempt(&self, id: AttemptId, now: Timestamp) -> Verb<'_, Vec<Artifact>> {
        Box::pin(self.writer.write(move |session| {
            session
                .conn
                .prepare_cached(SET_ERASED)?
                .execute((id.0, Col(now)))?;
            reports::forget(session, id)?;
            delete_files(session, id)
        }))
    }

    fn delete_artifacts(&self, id: AttemptId) -> Verb<'_, Vec<Artifact>> {
        Box::pin(self.writer.write(move |session| delete_files(session, id)))
    }

    fn keep_artifacts(&self, id: AttemptId) -> Verb<'_, bool> {
        Box::pin(self.writer.write(move |session| {
            let kept = session.conn.prepare_cached(KEEP_FILES)?.execute([id.0])?;
            Ok(kept > 0)
        }))
    }

    fn expire_artifacts(&self, project: ProjectId, now: Timestamp) -> Verb<'_, ()> {
        Box::pin(async move {
            let mut done = ArtifactId(0);
            while let Some(last) = self
                .writer
                .write(move |session| expire_files(session, project, done, now))
                .await?
            {
                done = last;
            }
            Ok(())
        })
    }

    fn mark_debugged(&self, id: AttemptId) -> Verb<'_, ()> {
        Box::pin(self.writer.write(move |session| {
            session.conn.prepare_cached(SET_DEBUGGED)?.execute([id.0])?;
            Ok(())
        }))
    }
}

fn delete_files(session: &Session, id: AttemptId) -> StoreResult<Vec<Artifact>> {
    let files = artifacts::of_attempt(&session.db(), id)?;
    session.conn.prepare_cached(DELETE_FILES)?.execute([id.0])?;
    Ok(files)
}

/// Looks at the next files after `done`; gives the last one it looked at.
fn expire_files(
    session: &Session,
    project: ProjectId,
    done: ArtifactId,
    now: Timestamp,
) -> StoreResult<Option<ArtifactId>> {
    let last: Option<i64> = session
        .conn
        .prepare_cached(NEXT_FILES)?
        .query_row((done.0, BATCH), |row| row.get(0))?;
    let Some(last) = last else { return Ok(None) };
    session
        .conn
        .prepare_cached(EXPIRE_FILES)?
        .execute((Col(now), done.0, last, project.0))?;
    Ok(Some(ArtifactId(last)))
}

/// Attempts of a project, newest first.
fn list(db: &Db<'_>, project: ProjectId, wanted: &ProjectAttempts) -> StoreResult<Vec<Attempt>> {
    let leads = match &wanted.ref_name {
        Some(name) => has_few_runs(db, project, name)?,
        None => false,
    };
    let (sql, mut values) = if leads {
        select_by_run(project, wanted)
    } else {
        select(project, wanted)
    };
    values.push(Value::Integer(i64::from(wanted.limit)));
    values.push(Value::Integer(integer(wanted.offset)));
    let ids: Vec<AttemptId> = db
        .conn
        .prepare_cached(&sql)?
        .query_map(params_from_iter(values), |row| Ok(AttemptId(row.get(0)?)))?
        .collect::<Result<_, _>>()?;
    ids.into_iter()
        .map(|id| attempts::attempt(db, id)?.ok_or(StoreError::NotFound("attempt")))
        .collect()
}

fn has_few_runs(db: &Db<'_>, project: ProjectId, ref_name: &str) -> StoreResult<bool> {
    let runs: i64 = db
        .conn
        .prepare_cached(COUNT_RUNS_OF_REF)?
        .query_row((project.0, ref_name, FEW_RUNS + 1), |row| row.get(0))?;
    Ok(runs <= FEW_RUNS)
}

/// Ids in order; limit and offset are left to add.
fn select(project: ProjectId, wanted: &ProjectAttempts) -> (String, Vec<Value>) {
    let mut values = Vec::new();
    let mut branch = |status: Option<Status>| {
        let (mut sql, id) = walk(status);
        values.push(Value::Integer(project.0));
        if let Some(status) = status
            && status != Status::Pending
        {
            values.push(Value::Text(status.as_str().to_owned()));
        }
        if let Some(name) = &wanted.ref_name {
            sql.push_str(" AND (SELECT ref_name FROM runs r WHERE r.id = a.run_id) = ?");
            values.push(Value::Text(name.clone()));
        }
        if let Some(before) = wanted.before {
            sql.push_str(&format!(" AND {id} < ?"));
            values.push(Value::Integer(before.0));
        }
        sql
    };
    let selects: Vec<String> = if wanted.statuses.is_empty() {
        vec![branch(None)]
    } else {
        let mut statuses = wanted.statuses.clone();
        statuses.sort_unstable();
        statuses.dedup();
        statuses.into_iter().map(Some).map(branch).collect()
    };
    let selects = selects.join(" UNION ALL ");
    (
        format!("{selects} ORDER BY id DESC LIMIT ? OFFSET ?"),
        values,
    )
}

/// Where attempts of a status are found in order of id, up to the project and
/// the status, and the column of the id.
fn walk(status: Option<Status>) -> (String, &'static str) {
    let (sql, id) = match status {
        None => (
            "SELECT a.id AS id FROM attempts a INDEXED BY attempts_by_project
             WHERE a.project_id = ?",
            "a.id",
        ),
        Some(Status::Pending) => (
            "SELECT a.attempt_id AS id FROM queue a WHERE a.project_id = ?",
            "a.attempt_id",
        ),
        Some(Status::Running | Status::Canceling) => (
            "SELECT h.attempt_id AS id FROM held_attempts h
             CROSS JOIN attempts a ON a.id = h.attempt_id
             WHERE a.project_id = ? AND a.status = ?",
            "h.attempt_id",
        ),
        Some(_) => (
            "SELECT a.id AS id FROM attempts a INDEXED BY settled_attempts
             WHERE a.status NOT IN ('pending', 'running', 'canceling')
             AND a.project_id = ? AND a.status = ?",
            "a.id",
        ),
    };
    (sql.to_owned(), id)
}

/// The same for a ref with few runs: from its runs to their attempts.
fn select_by_run(project: ProjectId, wanted: &ProjectAttempts) -> (String, Vec<Value>) {
    let mut sql = "SELECT a.id AS id FROM runs r INDEXED BY runs_by_ref
         CROSS JOIN attempts a INDEXED BY attempts_by_run ON a.run_id = r.id
         WHERE r.project_id = ? AND r.ref_name = ?"
        .to_owned();
    let name = wanted.ref_name.clone().unwrap_or_default();
    let mut values = vec![Value::Integer(project.0), Value::Text(name)];
    if !wanted.statuses.is_empty() {
        let places = vec!["?"; wanted.statuses.len()].join(", ");
        sql.push_str(&format!(" AND a.status IN ({places})"));
        let words = wanted.statuses.iter().map(|status| status.as_str());
        values.extend(words.map(|word| Value::Text(word.to_owned())));
    }
    if let Some(before) = wanted.before {
        sql.push_str(" AND a.id < ?");
        values.push(Value::Integer(before.0));
    }
    sql.push_str(" ORDER BY a.id DESC LIMIT ? OFFSET ?");
    (sql, values)
}

#[cfg(test)]
mod tests;
