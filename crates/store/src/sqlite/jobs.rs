//! Attempts one by one.

mod list;

use tappet_engine::JobEvent;
use tappet_model::{ArtifactId, AttemptId, ProjectId, RunId, Timestamp};

use super::session::Session;
use super::statement::statements;
use super::value::Col;
use super::{SqliteStore, artifacts, attempts, reports, transition};
use crate::{Action, Advance, Artifact, Attempt, ProjectAttempts, StoreResult, Target, Verb};

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
    LAST_RUN_BEFORE = "SELECT run_id FROM attempts INDEXED BY attempts_by_project
                       WHERE project_id = ?1 AND id < ?2 AND job_id IS NULL
                       ORDER BY id DESC LIMIT 1";
}

/// Rows looked at in one transaction of a long change.
const BATCH: u32 = 1000;

impl crate::Jobs for SqliteStore {
    fn project_attempts(
        &self,
        project: ProjectId,
        wanted: ProjectAttempts,
    ) -> Verb<'_, Vec<Attempt>> {
        Box::pin(async move { self.readers.read(|db| list::list(db, project, &wanted)) })
    }

    fn attempts_of_run(&self, run: RunId) -> Verb<'_, Vec<Attempt>> {
        Box::pin(async move { self.readers.read(|db| attempts::all_of_run(db, run)) })
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

    fn artifact(&self, id: ArtifactId) -> Verb<'_, Option<Artifact>> {
        Box::pin(async move { self.readers.read(|db| artifacts::one(db, id)) })
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
