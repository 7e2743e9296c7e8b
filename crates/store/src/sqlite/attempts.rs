//! Attempts: writing them for the transition function, reading them for lists.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{OptionalExtension, Row};
use tappet_engine::{JobState, is_allowed_failure};
use tappet_model::{AttemptId, JobId, ProjectId, RunId, RunnerId, Status, Timestamp, WorkflowId};

use super::artifacts;
use super::content::{Db, StoredPlan};
use super::ids;
use super::page;
use super::runs;
use super::session::Session;
use super::statement::statements;
use super::steps_reports;
use super::transition::LiveAttempt;
use super::value::{Col, RowExt, integer, opt};
use super::workflows;
use crate::{
    Attempt, AttemptFilter, COUNT_LIMIT, Listing, PageRequest, Run, StoreError, StoreResult,
};

macro_rules! columns {
    () => {
        "a.id, coalesce(a.job_id, a.id), a.run_id, a.position, a.number, a.is_retried, a.status, \
         a.failure_reason, a.exit_code, a.runner_id, a.created_at, a.queued_at, a.started_at, \
         a.finished_at, a.erased_at, a.is_debugged, a.coverage, a.starts_at"
    };
}

macro_rules! matching {
    () => {
        " FROM attempts a WHERE a.run_id = ?1 AND (?2 OR NOT a.is_retried) \
         AND (?3 IS NULL OR a.status IN (SELECT value FROM json_each(?3)))"
    };
}

statements! {
    PLACE = "SELECT run_id, position FROM attempts WHERE id = ?1";
    LIVE = "SELECT id, coalesce(job_id, id), position, status, created_at, queued_at, started_at, finished_at,
            number, automatic_retries, failure_reason, exit_code, cancels_gracefully, starts_at
            FROM attempts WHERE run_id = ?1 AND NOT is_retried ORDER BY position";
    RUNNING_TIMES = "SELECT started_at, finished_at FROM attempts
                     WHERE run_id = ?1 AND started_at IS NOT NULL AND finished_at IS NOT NULL";
    ADD = "INSERT INTO attempts (id, project_id, run_id, job_id, position, number,
           automatic_retries, cancels_gracefully, status, created_at, starts_at, queued_at,
           finished_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    COPY_VARIABLES = "UPDATE attempts SET sealed_variables =
                      (SELECT sealed_variables FROM attempts WHERE id = ?2) WHERE id = ?1";
    VARIABLES = "SELECT sealed_variables FROM attempts WHERE id = ?1";
    UPDATE = "UPDATE attempts SET status = ?2, is_retried = ?3, failure_reason = ?4,
              exit_code = ?5, starts_at = ?6, queued_at = ?7, started_at = ?8, finished_at = ?9
              WHERE id = ?1";
    SET_HOLDER = "UPDATE attempts SET runner_id = ?2, cancels_gracefully = ?3 WHERE id = ?1";
    ONE = concat!("SELECT ", columns!(), " FROM attempts a WHERE a.id = ?1");
    NEWEST_OF_RUN = concat!("SELECT ", columns!(), " FROM attempts a
                    WHERE a.run_id = ?1 AND NOT a.is_retried ORDER BY a.position");
    ALL_OF_RUN = concat!("SELECT ", columns!(), " FROM attempts a
                 WHERE a.run_id = ?1 ORDER BY a.position, a.number");
    STATUSES = "SELECT position, status FROM attempts WHERE run_id = ?1 AND NOT is_retried";
    WITH_ARCHIVE = concat!("SELECT ", columns!(), " FROM attempts a
                   WHERE a.run_id = ?1 AND NOT a.is_retried AND EXISTS (SELECT 1 FROM artifacts f
                   WHERE f.attempt_id = a.id AND f.kind = 'archive') ORDER BY a.position");
    IDS_OF_RUN = "SELECT id, position FROM attempts WHERE run_id = ?1";
    LIST = concat!("SELECT ", columns!(), matching!(), " ORDER BY a.id DESC LIMIT ?4 OFFSET ?5");
    COUNT = concat!("SELECT count(*) FROM (SELECT 1", matching!(), " LIMIT ?4)");
}

/// Where an attempt belongs.
pub(super) struct AttemptPlace {
    /// Its run.
    pub run_id: RunId,
    /// Position of its job in the run.
    pub position: usize,
}

/// Where an attempt belongs, if it exists.
pub(super) fn place(db: &Db<'_>, id: AttemptId) -> StoreResult<Option<AttemptPlace>> {
    Ok(db
        .conn
        .prepare_cached(PLACE)?
        .query_row([id.0], |row| {
            Ok(AttemptPlace {
                run_id: RunId(row.get(0)?),
                position: row.count(1)?,
            })
        })
        .optional()?)
}

/// The newest attempts of a run by position, as the engine sees them.
pub(super) fn live(db: &Db<'_>, run: RunId) -> StoreResult<Vec<(LiveAttempt, JobState)>> {
    let mut statement = db.conn.prepare_cached(LIVE)?;
    let rows = statement.query_map([run.0], |row| {
        let status = row.col(3)?;
        let failure_reason = row.opt(10)?;
        let exit_code = row.get(11)?;
        let attempt = LiveAttempt {
            id: AttemptId(row.get(0)?),
            job_id: Some(JobId(row.get(1)?)),
            position: row.count(2)?,
            status,
            stored: status,
            is_retried: false,
            failure_reason,
            exit_code,
            created_at: row.col(4)?,
            starts_at: row.opt(13)?,
            queued_at: row.opt(5)?,
            started_at: row.opt(6)?,
            finished_at: row.opt(7)?,
        };
        let state = JobState {
            status,
            attempt: row.count(8)?,
            automatic_retries: row.count(9)?,
            failure_reason,
            exit_code,
            cancels_gracefully: row.get(12)?,
        };
        Ok((attempt, state))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When each attempt of the run was with a runner.
pub(super) fn running_times(db: &Db<'_>, run: RunId) -> StoreResult<Vec<(Timestamp, Timestamp)>> {
    let mut statement = db.conn.prepare_cached(RUNNING_TIMES)?;
    let rows = statement.query_map([run.0], |row| Ok((row.col(0)?, row.col(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes a new attempt and gives it its id, which is its job's too when it is
/// the first. The queue follows later, with
/// [`queue::follow`](super::queue::follow).
pub(super) fn add(
    session: &mut Session,
    run: &Run,
    attempt: &mut LiveAttempt,
    state: &JobState,
) -> StoreResult<()> {
    attempt.id = AttemptId(ids::next_attempt(session)?);
    session.conn.prepare_cached(ADD)?.execute((
        attempt.id.0,
        run.project_id.0,
        run.id.0,
        attempt.job_id.map(|id| id.0),
        integer(attempt.position as u64),
        state.attempt,
        state.automatic_retries,
        state.cancels_gracefully,
        Col(attempt.status),
        Col(attempt.created_at),
        opt(attempt.starts_at),
        opt(attempt.queued_at),
        opt(attempt.finished_at),
    ))?;
    attempt.job_id.get_or_insert(JobId(attempt.id.0));
    Ok(())
}

/// A repeated attempt has the variables that the one before it was played with.
pub(super) fn copy_variables(session: &Session, to: AttemptId, from: AttemptId) -> StoreResult<()> {
    session
        .conn
        .prepare_cached(COPY_VARIABLES)?
        .execute((to.0, from.0))?;
    Ok(())
}

/// What an attempt was played with, encrypted by the server.
pub(super) fn variables(db: &Db<'_>, id: AttemptId) -> StoreResult<Option<Vec<u8>>> {
    let found: Option<Option<Vec<u8>>> = db
        .conn
        .prepare_cached(VARIABLES)?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// Writes how an attempt stands now.
pub(super) fn update(session: &Session, attempt: &LiveAttempt) -> StoreResult<()> {
    session.conn.prepare_cached(UPDATE)?.execute((
        attempt.id.0,
        Col(attempt.status),
        attempt.is_retried,
        opt(attempt.failure_reason),
        attempt.exit_code,
        opt(attempt.starts_at),
        opt(attempt.queued_at),
        opt(attempt.started_at),
        opt(attempt.finished_at),
    ))?;
    Ok(())
}

/// Writes who took an attempt.
pub(super) fn set_holder(
    session: &Session,
    id: AttemptId,
    runner: RunnerId,
    cancels_gracefully: bool,
) -> StoreResult<()> {
    session
        .conn
        .prepare_cached(SET_HOLDER)?
        .execute((id.0, runner.0, cancels_gracefully))?;
    Ok(())
}

/// One attempt.
pub(super) fn attempt(db: &Db<'_>, id: AttemptId) -> StoreResult<Option<Attempt>> {
    let row = db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], stored)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let of = Owner::find(db, row.run_id)?;
    Ok(Some(of.complete(db, row)?))
}

/// The newest attempt of each job of a run, by position, legs of a matrix together.
pub(super) fn newest_of_run(db: &Db<'_>, run: RunId) -> StoreResult<Vec<Attempt>> {
    let rows: Vec<Stored> = db
        .conn
        .prepare_cached(NEWEST_OF_RUN)?
        .query_map([run.0], stored)?
        .collect::<Result<_, _>>()?;
    shown(db, run, rows)
}

/// Every attempt of a run in the same order, each job from its first one.
pub(super) fn all_of_run(db: &Db<'_>, run: RunId) -> StoreResult<Vec<Attempt>> {
    let rows: Vec<Stored> = db
        .conn
        .prepare_cached(ALL_OF_RUN)?
        .query_map([run.0], stored)?
        .collect::<Result<_, _>>()?;
    shown(db, run, rows)
}

/// Attempts by position as they are shown.
fn shown(db: &Db<'_>, run: RunId, mut rows: Vec<Stored>) -> StoreResult<Vec<Attempt>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let of = Owner::find(db, run)?;
    rows.sort_by_key(|row| of.plan.place_of(row.position));
    rows.into_iter().map(|row| of.complete(db, row)).collect()
}

/// How many newest attempts of a run's jobs stand where, by stage.
pub(super) fn counts_by_stage(
    db: &Db<'_>,
    run: RunId,
    plan: &StoredPlan,
) -> StoreResult<BTreeMap<(usize, Status), u32>> {
    let mut counts = BTreeMap::new();
    let mut statement = db.conn.prepare_cached(STATUSES)?;
    let mut rows = statement.query([run.0])?;
    while let Some(row) = rows.next()? {
        let position: usize = row.count(0)?;
        let stage = plan.graph.jobs.get(position).map_or(0, |job| job.stage);
        *counts.entry((stage, row.col(1)?)).or_default() += 1;
    }
    Ok(counts)
}

/// Those of the newest attempts that have an archive, by position.
pub(super) fn with_archive(
    db: &Db<'_>,
    run: RunId,
    wanted: impl Fn(usize) -> bool,
) -> StoreResult<Vec<Attempt>> {
    let rows: Vec<Stored> = db
        .conn
        .prepare_cached(WITH_ARCHIVE)?
        .query_map([run.0], stored)?
        .filter(|row| !matches!(row, Ok(row) if !wanted(row.position)))
        .collect::<Result<_, _>>()?;
    complete_all(db, run, rows)
}

/// The position of each attempt of a run, older ones included.
pub(super) fn positions(db: &Db<'_>, run: RunId) -> StoreResult<HashMap<i64, usize>> {
    let mut statement = db.conn.prepare_cached(IDS_OF_RUN)?;
    let rows = statement.query_map([run.0], |row| Ok((row.get(0)?, row.count(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One page of a run's attempts, newest first.
pub(super) fn list(
    db: &Db<'_>,
    run: RunId,
    filter: &AttemptFilter,
    request: PageRequest,
) -> StoreResult<Listing<Attempt>> {
    let statuses = (!filter.statuses.is_empty()).then(|| {
        let words: Vec<&str> = filter
            .statuses
            .iter()
            .map(|status| status.as_str())
            .collect();
        serde_json::json!(words).to_string()
    });
    let matching = (run.0, filter.include_retried, &statuses);
    let rows: Vec<Stored> = db
        .conn
        .prepare_cached(LIST)?
        .query_map(
            (
                matching.0,
                matching.1,
                matching.2,
                page::limit(request),
                page::offset(request),
            ),
            stored,
        )?
        .collect::<Result<_, _>>()?;
    let count: u64 = db.conn.prepare_cached(COUNT)?.query_row(
        (matching.0, matching.1, matching.2, integer(COUNT_LIMIT + 1)),
        |row| row.count(0),
    )?;
    let rows = page::listing(rows, request, page::total(count));
    Ok(Listing {
        items: complete_all(db, run, rows.items)?,
        total: rows.total,
        has_next: rows.has_next,
    })
}

fn complete_all(db: &Db<'_>, run: RunId, rows: Vec<Stored>) -> StoreResult<Vec<Attempt>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let of = Owner::find(db, run)?;
    rows.into_iter().map(|row| of.complete(db, row)).collect()
}

/// The columns of an attempt.
struct Stored {
    id: AttemptId,
    job_id: JobId,
    run_id: RunId,
    position: usize,
    number: u32,
    is_retried: bool,
    status: tappet_model::Status,
    failure_reason: Option<tappet_model::FailureReason>,
    exit_code: Option<i32>,
    runner_id: Option<i64>,
    created_at: Timestamp,
    starts_at: Option<Timestamp>,
    queued_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    erased_at: Option<Timestamp>,
    is_debugged: bool,
    coverage: Option<f64>,
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        id: AttemptId(row.get(0)?),
        job_id: JobId(row.get(1)?),
        run_id: RunId(row.get(2)?),
        position: row.count(3)?,
        number: row.count(4)?,
        is_retried: row.get(5)?,
        status: row.col(6)?,
        failure_reason: row.opt(7)?,
        exit_code: row.get(8)?,
        runner_id: row.get(9)?,
        created_at: row.col(10)?,
        queued_at: row.opt(11)?,
        started_at: row.opt(12)?,
        finished_at: row.opt(13)?,
        erased_at: row.opt(14)?,
        is_debugged: row.get(15)?,
        coverage: row.get(16)?,
        starts_at: row.opt(17)?,
    })
}

/// What all attempts of one run share.
struct Owner {
    project_id: ProjectId,
    first_workflow: WorkflowId,
    plan: std::sync::Arc<StoredPlan>,
}

impl Owner {
    fn find(db: &Db<'_>, run: RunId) -> StoreResult<Self> {
        let (project_id, first_workflow, plan) = runs::place_and_plan(db, run)?
            .ok_or_else(|| StoreError::Database(format!("run {run} has attempts but no plan")))?;
        Ok(Self {
            project_id,
            first_workflow,
            plan,
        })
    }

    fn complete(&self, db: &Db<'_>, row: Stored) -> StoreResult<Attempt> {
        let (Some(job), Some(node)) = (
            self.plan.jobs.get(row.position),
            self.plan.graph.jobs.get(row.position),
        ) else {
            return Err(StoreError::Database(format!(
                "attempt {} has no job in its plan",
                row.id
            )));
        };
        let files = artifacts::of_attempt(db, row.id)?;
        let name_of = |index: usize| self.plan.jobs.get(index).map(|job| job.name.clone());
        Ok(Attempt {
            id: row.id,
            job_id: row.job_id,
            run_id: row.run_id,
            workflow_id: workflows::of_stage(self.first_workflow, &self.plan, node.stage),
            project_id: self.project_id,
            key: self.plan.key_of(row.position),
            name: job.name.clone(),
            stage: self.plan.stage_of(row.position).to_owned(),
            stage_index: node.stage,
            position: row.position,
            number: row.number,
            is_retried: row.is_retried,
            status: row.status,
            allow_failure: is_allowed_failure(node, row.exit_code),
            is_manual: node.when.is_action(),
            when: node.when,
            needs: job
                .needs
                .as_ref()
                .map(|needs| needs.iter().filter_map(|need| name_of(need.job)).collect()),
            tags: job.tags.clone(),
            environment: job.environment.clone(),
            failure_reason: row.failure_reason,
            error_message: match job.key {
                Some(_) => steps_reports::error_message(db, row.id)?,
                None => None,
            },
            exit_code: row.exit_code,
            runner_id: row.runner_id.map(RunnerId),
            created_at: row.created_at,
            starts_at: row.starts_at,
            queued_at: row.queued_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            erased_at: row.erased_at,
            is_debugged: row.is_debugged,
            coverage: row.coverage,
            archive: files.iter().find(|file| file.kind == "archive").cloned(),
            artifacts: files,
        })
    }
}
