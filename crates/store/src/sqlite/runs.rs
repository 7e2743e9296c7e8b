//! Runs: reading one, and the writes of creation and transition.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Row};
use tappet_model::{AttemptId, ProjectId, RunId, ScheduleId, TriggerId, WorkflowId};

use super::content::{Db, StoredPlan};
use super::ids;
use super::session::Session;
use super::statement::statements;
use super::value::{Col, RowExt, opt, user_or_nobody};
use crate::{Run, RunNotes, RunOrigin, StoreError, StoreResult};

statements! {
    ONE = "SELECT r.id, r.iid, r.project_id, w.id, r.source, r.ref_name, r.ref_kind, r.sha,
           r.commit_title, r.status, r.has_warnings, r.name, r.trigger_id, t.short_token,
           r.user_id, r.yaml_errors, r.failure_reason, r.created_at, r.updated_at, r.started_at,
           r.finished_at, r.busy_micros, w.plan_id, r.before_sha, r.source_attempt_id,
           r.schedule_id, r.has_build_names
           FROM runs r JOIN workflows w
           ON w.id = (SELECT min(id) FROM workflows WHERE run_id = r.id)
           LEFT JOIN triggers t ON t.id = r.trigger_id
           WHERE r.id = ?1";
    PLACE_AND_PLAN = "SELECT r.project_id, w.id, w.plan_id FROM runs r JOIN workflows w
                      ON w.id = (SELECT min(id) FROM workflows WHERE run_id = r.id)
                      WHERE r.id = ?1";
    COUNT_RUN = "UPDATE run_counters SET last_iid = last_iid + 1 WHERE project_id = ?1";
    LAST_IID = "SELECT last_iid FROM run_counters WHERE project_id = ?1";
    ADD = "INSERT INTO runs (id, project_id, iid, source, ref_name, ref_kind, sha, commit_title,
           status, has_warnings, name, trigger_id, user_id, yaml_errors, failure_reason,
           created_at, updated_at, finished_at, busy_micros, sealed_variables, before_sha,
           source_attempt_id, schedule_id, has_build_names)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
           ?18, ?19, ?20, ?21, ?22, ?23, ?24)";
    SET_NEWEST = "INSERT INTO newest_runs (project_id, ref_kind, ref_name, run_id)
                  VALUES (?1, ?2, ?3, ?4)
                  ON CONFLICT DO UPDATE SET run_id = excluded.run_id";
    UPDATE = "UPDATE runs SET status = ?2, has_warnings = ?3, updated_at = ?4, started_at = ?5,
              finished_at = ?6, busy_micros = ?7 WHERE id = ?1";
    ADD_EVENT = "INSERT INTO run_events (run_id, sealed_event) VALUES (?1, ?2)";
    EVENT = "SELECT sealed_event FROM run_events WHERE run_id = ?1";
    VARIABLES = "SELECT sealed_variables FROM runs WHERE id = ?1";
    HAS_CHILDREN = "SELECT EXISTS (SELECT 1 FROM runs INDEXED BY runs_by_source_status
                    WHERE project_id = ?1 AND source = 'parent_pipeline')";
}

/// One run.
pub(super) fn run(db: &Db<'_>, id: RunId) -> StoreResult<Option<Run>> {
    Ok(run_with_plan(db, id)?.map(|(run, _)| run))
}

/// Whether other runs of a project started some of its runs.
pub(super) fn has_children(db: &Db<'_>, project: ProjectId) -> StoreResult<bool> {
    Ok(db
        .conn
        .prepare_cached(HAS_CHILDREN)?
        .query_row([project.0], |row| row.get(0))?)
}

/// One run and what it consists of; an invalid file gives no plan.
pub(super) fn run_with_plan(
    db: &Db<'_>,
    id: RunId,
) -> StoreResult<Option<(Run, Option<Arc<StoredPlan>>)>> {
    let found = db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], |row| Ok((stored(row)?, row.get(22)?)))
        .optional()?;
    let Some((mut run, plan_id)) = found else {
        return Ok(None);
    };
    let plan = plan(db, plan_id)?;
    if let Some(plan) = &plan {
        run.stages.clone_from(&plan.stages);
    }
    Ok(Some((run, plan)))
}

/// The project of a run, the first of its workflows and its plan.
pub(super) fn place_and_plan(
    db: &Db<'_>,
    id: RunId,
) -> StoreResult<Option<(ProjectId, WorkflowId, Arc<StoredPlan>)>> {
    let found: Option<(i64, i64, Option<i64>)> = db
        .conn
        .prepare_cached(PLACE_AND_PLAN)?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((project, workflow, plan_id)) = found else {
        return Ok(None);
    };
    Ok(plan(db, plan_id)?.map(|plan| (ProjectId(project), WorkflowId(workflow), plan)))
}

fn plan(db: &Db<'_>, id: Option<i64>) -> StoreResult<Option<Arc<StoredPlan>>> {
    id.map(|id| db.plan(id)).transpose()
}

/// The columns of a run; its stages come from the plan.
fn stored(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        id: RunId(row.get(0)?),
        iid: row.get(1)?,
        project_id: ProjectId(row.get(2)?),
        workflow_id: WorkflowId(row.get(3)?),
        source: row.col(4)?,
        ref_name: row.get(5)?,
        ref_kind: row.col(6)?,
        sha: row.col(7)?,
        commit_title: row.get(8)?,
        status: row.col(9)?,
        has_warnings: row.get(10)?,
        name: row.get(11)?,
        trigger_id: row.get::<_, Option<i64>>(12)?.map(TriggerId),
        trigger_short_token: row.get(13)?,
        user_id: row.user(14)?,
        yaml_errors: row.get(15)?,
        failure_reason: row.opt(16)?,
        stages: Vec::new(),
        created_at: row.col(17)?,
        updated_at: row.col(18)?,
        started_at: row.opt(19)?,
        finished_at: row.opt(20)?,
        busy_micros: row.get(21)?,
        origin: RunOrigin {
            before_sha: row.opt(23)?,
            source_attempt_id: row.get::<_, Option<i64>>(24)?.map(AttemptId),
            schedule_id: row.get::<_, Option<i64>>(25)?.map(ScheduleId),
            has_build_names: row.get(26)?,
        },
    })
}

/// Writes a new run and gives it its id and its number in the project.
pub(super) fn add(
    session: &mut Session,
    run: &mut Run,
    sealed_variables: Option<&[u8]>,
) -> StoreResult<()> {
    run.id = RunId(ids::next_run(session)?);
    let conn = &session.conn;
    conn.prepare_cached(COUNT_RUN)?
        .execute([run.project_id.0])?;
    run.iid = conn
        .prepare_cached(LAST_IID)?
        .query_row([run.project_id.0], |row| row.get(0))
        .optional()?
        .ok_or(StoreError::NotFound("project"))?;
    conn.prepare_cached(ADD)?.execute(rusqlite::params![
        run.id.0,
        run.project_id.0,
        run.iid,
        Col(run.source),
        run.ref_name,
        Col(run.ref_kind),
        Col(&run.sha),
        run.commit_title,
        Col(run.status),
        run.has_warnings,
        run.name,
        run.trigger_id.map(|id| id.0),
        user_or_nobody(run.user_id),
        run.yaml_errors,
        opt(run.failure_reason),
        Col(run.created_at),
        Col(run.updated_at),
        opt(run.finished_at),
        run.busy_micros,
        sealed_variables,
        run.origin.before_sha.as_ref().map(Col),
        run.origin.source_attempt_id.map(|id| id.0),
        run.origin.schedule_id.map(|id| id.0),
        run.origin.has_build_names,
    ])?;
    conn.prepare_cached(SET_NEWEST)?.execute((
        run.project_id.0,
        Col(run.ref_kind),
        &run.ref_name,
        run.id.0,
    ))?;
    Ok(())
}

/// Writes how a run stands now.
pub(super) fn update(session: &Session, run: &Run) -> StoreResult<()> {
    session.conn.prepare_cached(UPDATE)?.execute((
        run.id.0,
        Col(run.status),
        run.has_warnings,
        Col(run.updated_at),
        opt(run.started_at),
        opt(run.finished_at),
        run.busy_micros,
    ))?;
    Ok(())
}

/// The given variables, encrypted by the server.
pub(super) fn variables(db: &Db<'_>, id: RunId) -> StoreResult<Option<Vec<u8>>> {
    let found: Option<Option<Vec<u8>>> = db
        .conn
        .prepare_cached(VARIABLES)?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// Keeps the event that brought a run of workflows about.
pub(super) fn add_event(session: &Session, id: RunId, sealed: &[u8]) -> StoreResult<()> {
    session
        .conn
        .prepare_cached(ADD_EVENT)?
        .execute((id.0, sealed))?;
    Ok(())
}

/// The event that brought a run of workflows about, encrypted by the server.
pub(super) fn event(db: &Db<'_>, id: RunId) -> StoreResult<Option<Vec<u8>>> {
    Ok(db
        .conn
        .prepare_cached(EVENT)?
        .query_row([id.0], |row| row.get(0))
        .optional()?)
}

/// Jobs left out and warnings.
pub(super) fn notes(db: &Db<'_>, id: RunId) -> StoreResult<Option<RunNotes>> {
    Ok(run_with_plan(db, id)?
        .map(|(_, plan)| plan.map_or_else(RunNotes::default, |plan| plan.notes.clone())))
}
