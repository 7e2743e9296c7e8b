//! The outbox that tells forges of runs: one row a run, which rises by one with each
//! change, so that many changes are told at once.

use rusqlite::OptionalExtension;
use tappet_model::{ProjectId, RunId, Timestamp};

use super::content::Db;
use super::forges;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, opt};
use crate::{DueForgeReport, ForgeReportOutcome, Run, StoreResult};

statements! {
    /// What is due stays so since then, and what has to wait goes on waiting.
    NOTE = "INSERT INTO forge_reports (run_id, project_id, version, tries, due_at, told)
            VALUES (?1, ?2, 1, 0, ?3, '{}')
            ON CONFLICT DO UPDATE SET version = version + 1,
            due_at = coalesce(due_at, excluded.due_at)";
    DUE = "SELECT r.run_id, r.project_id, r.version, r.told, r.tries,
           max(r.due_at, coalesce(b.quiet_until, r.due_at))
           FROM forge_bindings b JOIN forge_reports r ON r.run_id = (
           SELECT w.run_id FROM forge_reports w WHERE w.project_id = b.project_id
           AND w.due_at IS NOT NULL ORDER BY w.due_at, w.run_id LIMIT 1)";
    FINISH = "UPDATE forge_reports SET told = ?3, tries = ?4, error = ?5,
              due_at = CASE WHEN ?6 IS NULL AND version > ?2 THEN due_at ELSE ?6 END
              WHERE run_id = ?1 RETURNING project_id";
    BE_QUIET = "UPDATE forge_bindings SET quiet_until = ?2 WHERE project_id = ?1";
    ERROR = "SELECT error FROM forge_reports WHERE run_id = ?1";
    NEWEST = "SELECT run_id, error FROM forge_reports WHERE project_id = ?1
              AND (error IS NOT NULL OR told <> '{}') ORDER BY run_id DESC LIMIT 1";
    DROP_OF_PROJECT = "DELETE FROM forge_reports WHERE project_id = ?1";
}

/// Lets the forge of the run's project be told that the run changed.
pub(super) fn note(session: &mut Session, run: &Run, now: Timestamp) -> StoreResult<()> {
    if forges::is_bound(session, run.project_id)? {
        session
            .conn
            .prepare_cached(NOTE)?
            .execute((run.id.0, run.project_id.0, Col(now)))?;
    }
    Ok(())
}

/// For each project with something to tell, its run that is due first.
pub(super) fn due(db: &Db<'_>) -> StoreResult<Vec<DueForgeReport>> {
    let mut statement = db.conn.prepare_cached(DUE)?;
    let rows = statement.query_map([], |row| {
        Ok(DueForgeReport {
            run_id: RunId(row.get(0)?),
            project_id: ProjectId(row.get(1)?),
            version: row.get(2)?,
            told: row.json(3)?,
            tries: row.count(4)?,
            due_at: row.col(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes what became of a try; nothing where the run or the forge is gone.
pub(super) fn finish(
    session: &Session,
    run: RunId,
    outcome: &ForgeReportOutcome,
) -> StoreResult<()> {
    let told = serde_json::to_string(&outcome.told).expect("texts are plain data");
    let project: Option<i64> = session
        .conn
        .prepare_cached(FINISH)?
        .query_row(
            (
                run.0,
                outcome.version,
                told,
                outcome.tries,
                &outcome.error,
                opt(outcome.retry_at),
            ),
            |row| row.get(0),
        )
        .optional()?;
    if let (Some(project), Some(until)) = (project, outcome.quiet_until) {
        session
            .conn
            .prepare_cached(BE_QUIET)?
            .execute((project, Col(until)))?;
    }
    Ok(())
}

/// Why the newest try failed.
pub(super) fn error(db: &Db<'_>, run: RunId) -> StoreResult<Option<String>> {
    let found: Option<Option<String>> = db
        .conn
        .prepare_cached(ERROR)?
        .query_row([run.0], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// Why the newest run of a project of which there was something to tell could not be
/// told.
pub(super) fn newest_failure(
    db: &Db<'_>,
    project: ProjectId,
) -> StoreResult<Option<(RunId, String)>> {
    let found: Option<(i64, Option<String>)> = db
        .conn
        .prepare_cached(NEWEST)?
        .query_row([project.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.and_then(|(run, error)| Some((RunId(run), error?))))
}

/// Forgets what was told of the runs of a project and what was not yet.
pub(super) fn drop_of_project(session: &Session, project: ProjectId) -> StoreResult<()> {
    session
        .conn
        .prepare_cached(DROP_OF_PROJECT)?
        .execute([project.0])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::query_plan;

    #[test]
    fn what_was_told_already_is_not_looked_at() {
        let steps = query_plan::steps(DUE);
        let is_keyed = |step: &String| {
            step.contains("forge_reports_by_time (project_id=? AND due_at>?)")
                || step.contains("INTEGER PRIMARY KEY")
        };
        let others: Vec<_> = steps.iter().filter(|step| !is_keyed(step)).collect();
        // One row for each project that has a forge, and the line that a subquery has.
        assert_eq!(
            others,
            ["SCAN b", "CORRELATED SCALAR SUBQUERY 1"],
            "{steps:?}"
        );
    }
}
