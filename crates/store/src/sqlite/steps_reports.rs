//! What the steps of attempts led to.

use rusqlite::OptionalExtension;
use tappet_model::{AttemptId, RunId};

use super::content::Db;
use super::session::Session;
use super::statement::statements;
use super::value::RowExt;
use super::{SqliteStore, attempts};
use crate::{KeptStepsReport, StoreError, StoreResult, Verb};

statements! {
    ADD = "INSERT INTO steps_reports (attempt_id, sealed_outputs, summary, summary_steps, steps,
           error_message) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    ONE = "SELECT sealed_outputs, summary, summary_steps, steps, error_message
           FROM steps_reports WHERE attempt_id = ?1";
    ERROR = "SELECT error_message FROM steps_reports WHERE attempt_id = ?1";
    OUTPUTS_OF_RUN = "SELECT a.position, s.sealed_outputs
                      FROM attempts a JOIN steps_reports s ON s.attempt_id = a.id
                      WHERE a.run_id = ?1 AND NOT a.is_retried AND s.sealed_outputs IS NOT NULL";
}

fn add(session: &Session, id: AttemptId, report: &KeptStepsReport) -> StoreResult<()> {
    attempts::place(&session.db(), id)?.ok_or(StoreError::NotFound("attempt"))?;
    let steps = serde_json::to_string(&report.steps).expect("steps have no odd map keys");
    session.conn.prepare_cached(ADD)?.execute((
        id.0,
        &report.sealed_outputs,
        &report.summary,
        report.summary_steps,
        steps,
        &report.error_message,
    ))?;
    Ok(())
}

fn one(db: &Db<'_>, id: AttemptId) -> StoreResult<Option<KeptStepsReport>> {
    Ok(db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], |row| {
            Ok(KeptStepsReport {
                sealed_outputs: row.get(0)?,
                summary: row.get(1)?,
                summary_steps: row.count(2)?,
                steps: row.json(3)?,
                error_message: row.get(4)?,
            })
        })
        .optional()?)
}

/// Why an attempt failed, in words of its steps.
pub(super) fn error_message(db: &Db<'_>, id: AttemptId) -> StoreResult<Option<String>> {
    let found: Option<Option<String>> = db
        .conn
        .prepare_cached(ERROR)?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// What the newest attempts of a run put out, by position, encrypted by the server.
pub(super) fn outputs(db: &Db<'_>, run: RunId) -> StoreResult<Vec<(usize, Vec<u8>)>> {
    let mut statement = db.conn.prepare_cached(OUTPUTS_OF_RUN)?;
    let rows = statement.query_map([run.0], |row| Ok((row.count(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl crate::StepsReports for SqliteStore {
    fn record_steps_report(&self, id: AttemptId, report: KeptStepsReport) -> Verb<'_, ()> {
        Box::pin(self.writer.write(move |session| add(session, id, &report)))
    }

    fn steps_report(&self, id: AttemptId) -> Verb<'_, Option<KeptStepsReport>> {
        Box::pin(async move { self.readers.read(|db| one(db, id)) })
    }
}
