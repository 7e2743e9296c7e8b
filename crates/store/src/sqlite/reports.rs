//! Results that jobs report: tests and variables.

use rusqlite::Row;
use tappet_model::{AttemptId, RunId};

use super::SqliteStore;
use super::content::Db;
use super::runs;
use super::session::Session;
use super::statement::statements;
use super::value::{RowExt, integer};
use crate::{NewReport, StoreError, StoreResult, TestCounts, TestSummary, Verb};

statements! {
    ADD_TESTS = "INSERT INTO test_counts (attempt_id, total_time, success, failed, skipped, error,
                 suite_error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    ADD_VARIABLES = "INSERT INTO dotenv_variables (attempt_id, sealed) VALUES (?1, ?2)";
    TESTS_OF_RUN = "SELECT a.id, a.position, t.total_time, t.success, t.failed, t.skipped, t.error,
                    t.suite_error FROM attempts a JOIN test_counts t ON t.attempt_id = a.id
                    WHERE a.run_id = ?1 AND NOT a.is_retried ORDER BY a.id";
    VARIABLES_OF_RUN = "SELECT a.position, v.sealed
                        FROM attempts a JOIN dotenv_variables v ON v.attempt_id = a.id
                        WHERE a.run_id = ?1 AND NOT a.is_retried ORDER BY a.position";
    FORGET_TESTS = "DELETE FROM test_counts WHERE attempt_id = ?1";
    FORGET_VARIABLES = "DELETE FROM dotenv_variables WHERE attempt_id = ?1";
    FORGET_STEPS = "DELETE FROM steps_reports WHERE attempt_id = ?1";
}

/// Writes what a new file said.
pub(super) fn add(session: &Session, attempt: AttemptId, report: &NewReport) -> StoreResult<()> {
    match report {
        NewReport::Tests(counts) => session.conn.prepare_cached(ADD_TESTS)?.execute((
            attempt.0,
            counts.total_time,
            integer(counts.success),
            integer(counts.failed),
            integer(counts.skipped),
            integer(counts.error),
            &counts.suite_error,
        ))?,
        NewReport::Variables(sealed) => session
            .conn
            .prepare_cached(ADD_VARIABLES)?
            .execute((attempt.0, sealed))?,
    };
    Ok(())
}

/// Forgets all that an attempt reported.
pub(super) fn forget(session: &Session, attempt: AttemptId) -> StoreResult<()> {
    for statement in [FORGET_TESTS, FORGET_VARIABLES, FORGET_STEPS] {
        session
            .conn
            .prepare_cached(statement)?
            .execute([attempt.0])?;
    }
    Ok(())
}

/// Encrypted variables of a run's newest attempts at the wanted positions, by position.
pub(super) fn variables(
    db: &Db<'_>,
    run: RunId,
    wanted: impl Fn(usize) -> bool,
) -> StoreResult<Vec<Vec<u8>>> {
    let mut statement = db.conn.prepare_cached(VARIABLES_OF_RUN)?;
    let rows = statement.query_map([run.0], |row| Ok((row.count(0)?, row.get(1)?)))?;
    let mut found = Vec::new();
    for row in rows {
        let (position, sealed) = row?;
        if wanted(position) {
            found.push(sealed);
        }
    }
    Ok(found)
}

fn summaries(db: &Db<'_>, run: RunId) -> StoreResult<Vec<TestSummary>> {
    let Some((_, _, plan)) = runs::place_and_plan(db, run)? else {
        return Ok(Vec::new());
    };
    let mut statement = db.conn.prepare_cached(TESTS_OF_RUN)?;
    let rows = statement.query_map([run.0], |row| {
        Ok((AttemptId(row.get(0)?), row.count::<usize>(1)?, counts(row)?))
    })?;
    rows.map(|row| {
        let (attempt_id, position, counts) = row?;
        let job = plan.jobs.get(position).ok_or_else(|| {
            StoreError::Database(format!("attempt {attempt_id} has no job in its plan"))
        })?;
        Ok(TestSummary {
            attempt_id,
            job: job.name.clone(),
            counts,
        })
    })
    .collect()
}

fn counts(row: &Row<'_>) -> rusqlite::Result<TestCounts> {
    Ok(TestCounts {
        total_time: row.get(2)?,
        success: row.count(3)?,
        failed: row.count(4)?,
        skipped: row.count(5)?,
        error: row.count(6)?,
        suite_error: row.get(7)?,
    })
}

impl crate::Reports for SqliteStore {
    fn test_summaries(&self, run: RunId) -> Verb<'_, Vec<TestSummary>> {
        Box::pin(async move { self.readers.read(|db| summaries(db, run)) })
    }
}
