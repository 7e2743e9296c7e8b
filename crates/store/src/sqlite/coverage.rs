//! Coverage: the pattern comes from the plan, the figures from two tables.

use rusqlite::OptionalExtension;
use tappet_model::{AttemptId, RunId};

use super::content::Db;
use super::statement::statements;
use super::value::RowExt;
use super::{SqliteStore, runs};
use crate::{Coverage, StoreResult, Verb};

statements! {
    PLACE = "SELECT run_id, position FROM attempts WHERE id = ?1";
    SET = "UPDATE attempts SET coverage = ?2 WHERE id = ?1";
    MEAN = "SELECT avg(coverage) FROM (
              SELECT coverage FROM attempts WHERE run_id = ?1 AND NOT is_retried
              UNION ALL
              SELECT coverage FROM commit_statuses WHERE run_id = ?1 AND NOT is_retried)";
}

impl Coverage for SqliteStore {
    fn coverage_pattern(&self, id: AttemptId) -> Verb<'_, Option<String>> {
        Box::pin(async move { self.readers.read(|db| pattern(db, id)) })
    }

    fn set_coverage(&self, id: AttemptId, percent: f64) -> Verb<'_, ()> {
        Box::pin(self.writer.write(move |session| {
            session.conn.prepare_cached(SET)?.execute((id.0, percent))?;
            Ok(())
        }))
    }

    fn run_coverage(&self, id: RunId) -> Verb<'_, Option<f64>> {
        Box::pin(async move {
            self.readers.read(|db| {
                let mut mean = db.conn.prepare_cached(MEAN)?;
                Ok(mean.query_row([id.0], |row| row.get(0))?)
            })
        })
    }
}

fn pattern(db: &Db<'_>, id: AttemptId) -> StoreResult<Option<String>> {
    let place = db
        .conn
        .prepare_cached(PLACE)?
        .query_row([id.0], |row| {
            Ok((RunId(row.get(0)?), row.count::<usize>(1)?))
        })
        .optional()?;
    let Some((run, position)) = place else {
        return Ok(None);
    };
    let Some((_, _, plan)) = runs::place_and_plan(db, run)? else {
        return Ok(None);
    };
    match plan.jobs.get(position) {
        Some(job) => Ok(db.spec(&job.spec)?.coverage.clone()),
        None => Ok(None),
    }
}
