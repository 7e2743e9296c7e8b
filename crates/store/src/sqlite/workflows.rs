//! The rows of a run's workflows. Their ids follow each other in the order of the
//! stages, so that the first one and a stage name a workflow.

use rusqlite::{OptionalExtension, Row};
use tappet_engine::{RunState, Transition};
use tappet_model::{RunId, Status, Timestamp, WorkflowId};

use super::SqliteStore;
use super::content::{Db, StoredPlan};
use super::runs;
use super::session::Session;
use super::statement::statements;
use super::transition::{LiveAttempt, LiveRun, is_ended};
use super::value::{Col, RowExt, integer, opt};
use crate::{Run, StoreResult, Verb, Workflow, WorkflowExecution};

statements! {
    ADD_ONLY = "INSERT INTO workflows (run_id, plan_id) VALUES (?1, ?2)";
    ADD = "INSERT INTO workflows (id, run_id, plan_id, position, status, name, finished_at)
           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    UPDATE = "UPDATE workflows SET status = ?2, execution = ?3, restarted_at = ?4,
              started_at = ?5, finished_at = ?6 WHERE id = ?1";
    LIVE = "SELECT id, status, execution, restarted_at, started_at, finished_at
            FROM workflows WHERE run_id = ?1 ORDER BY id";
    ONE = "SELECT id, status, execution, restarted_at, started_at, finished_at, run_id, position
           FROM workflows WHERE id = ?1";
    PLACE = "SELECT run_id, position FROM workflows WHERE id = ?1";
    SET_PLAN = "UPDATE workflows SET plan_id = ?2 WHERE run_id = ?1";
    END_EXECUTION = "INSERT INTO workflow_executions (workflow_id, number, status, created_at,
                     started_at, finished_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    EXECUTIONS = "SELECT number, status, created_at, started_at, finished_at
                  FROM workflow_executions WHERE workflow_id = ?1 ORDER BY number";
}

/// The moving part of a workflow with jobs that have steps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct LiveWorkflow {
    /// Id.
    pub id: WorkflowId,
    /// Status now.
    pub status: Status,
    /// Which time it is executed, from 1.
    pub execution: u32,
    /// It was repeated then.
    pub restarted_at: Option<Timestamp>,
    /// The first job of this execution began.
    pub started_at: Option<Timestamp>,
    /// This execution ended.
    pub finished_at: Option<Timestamp>,
}

/// The workflow whose jobs are those of a stage.
pub(super) fn of_stage(first: WorkflowId, plan: &StoredPlan, stage: usize) -> WorkflowId {
    if plan.workflows.is_empty() {
        first
    } else {
        WorkflowId(first.0 + integer(stage as u64))
    }
}

/// Writes the workflows of a new run and tells it the first.
pub(super) fn add(
    session: &Session,
    run: &mut Run,
    plan: Option<(i64, &StoredPlan, &RunState)>,
) -> StoreResult<Vec<LiveWorkflow>> {
    let conn = &session.conn;
    let Some((plan_id, plan, state)) = plan.filter(|(_, plan, _)| !plan.workflows.is_empty())
    else {
        conn.prepare_cached(ADD_ONLY)?
            .execute((run.id.0, plan.map(|(id, ..)| id)))?;
        run.workflow_id = WorkflowId(conn.last_insert_rowid());
        return Ok(Vec::new());
    };
    let mut first = None;
    let before = vec![Status::Created; plan.workflows.len()];
    let mut workflows = Vec::with_capacity(before.len());
    for (position, status) in statuses(plan, state, &before).into_iter().enumerate() {
        let finished_at = is_ended(status).then_some(run.created_at);
        let position = integer(position as u64);
        conn.prepare_cached(ADD)?.execute((
            first.map(|first| first + position),
            run.id.0,
            plan_id,
            position,
            Col(status),
            &plan.workflows[workflows.len()].name,
            opt(finished_at),
        ))?;
        let id = conn.last_insert_rowid();
        first.get_or_insert(id);
        workflows.push(LiveWorkflow {
            id: WorkflowId(id),
            status,
            execution: 1,
            restarted_at: None,
            started_at: None,
            finished_at,
        });
    }
    if let Some(first) = first {
        run.workflow_id = WorkflowId(first);
    }
    Ok(workflows)
}

/// Where the workflows stand that stood at `before`.
fn statuses(plan: &StoredPlan, state: &RunState, before: &[Status]) -> Vec<Status> {
    let mut statuses = state.stage_statuses(&plan.graph, before);
    for (status, workflow) in statuses.iter_mut().zip(&plan.workflows) {
        if workflow.error.is_some() {
            *status = Status::Failed;
        }
    }
    statuses
}

/// The workflows of a run as the next change finds them; none when the run is one
/// workflow.
pub(super) fn live(db: &Db<'_>, run: RunId, plan: &StoredPlan) -> StoreResult<Vec<LiveWorkflow>> {
    if plan.workflows.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = db.conn.prepare_cached(LIVE)?;
    let rows = statement.query_map([run.0], |row| Ok(moving(row, Status::Created)?.1))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The run of a workflow, and which of its workflows it is.
pub(super) fn place(db: &Db<'_>, id: WorkflowId) -> StoreResult<Option<(RunId, usize)>> {
    Ok(db
        .conn
        .prepare_cached(PLACE)?
        .query_row([id.0], |row| Ok((RunId(row.get(0)?), row.count(1)?)))
        .optional()?)
}

/// The run goes on with another plan.
pub(super) fn set_plan(session: &Session, run: RunId, plan_id: i64) -> StoreResult<()> {
    session
        .conn
        .prepare_cached(SET_PLAN)?
        .execute((run.0, plan_id))?;
    Ok(())
}

/// Jobs are repeated because somebody wants workflows repeated: those that were over
/// are executed once more.
pub(super) fn begin_executions(
    session: &Session,
    live: &mut LiveRun,
    transitions: &[Transition],
    now: Timestamp,
) -> StoreResult<()> {
    let mut is_repeated = vec![false; live.workflows.len()];
    for transition in transitions {
        if let Transition::NewAttempt { job, .. } = *transition
            && let Some(is_repeated) = is_repeated.get_mut(live.plan.graph.jobs[job].stage)
        {
            *is_repeated = true;
        }
    }
    for (workflow, is_repeated) in live.workflows.iter_mut().zip(is_repeated) {
        if !is_repeated || !workflow.status.is_completed() {
            continue;
        }
        session.conn.prepare_cached(END_EXECUTION)?.execute((
            workflow.id.0,
            workflow.execution,
            Col(workflow.status),
            Col(workflow.restarted_at.unwrap_or(live.run.created_at)),
            opt(workflow.started_at),
            opt(workflow.finished_at),
        ))?;
        workflow.execution += 1;
        workflow.status = Status::Created;
        workflow.restarted_at = Some(now);
        workflow.started_at = None;
        workflow.finished_at = None;
        update(session, workflow)?;
    }
    Ok(())
}

/// Brings the rows in line with the jobs after a change.
pub(super) fn settle(
    session: &Session,
    workflows: &mut [LiveWorkflow],
    plan: &StoredPlan,
    state: &RunState,
    attempts: &[LiveAttempt],
    now: Timestamp,
) -> StoreResult<()> {
    if workflows.is_empty() {
        return Ok(());
    }
    let mut begins = vec![false; workflows.len()];
    for (attempt, job) in attempts.iter().zip(&plan.graph.jobs) {
        begins[job.stage] |= attempt.started_at == Some(now);
    }
    let before: Vec<Status> = workflows.iter().map(|workflow| workflow.status).collect();
    let after = statuses(plan, state, &before);
    for ((workflow, status), begins) in workflows.iter_mut().zip(after).zip(begins) {
        let old = workflow.clone();
        workflow.status = status;
        if begins {
            workflow.started_at.get_or_insert(now);
        }
        if !is_ended(status) {
            workflow.finished_at = None;
        } else if old.status != status || old.finished_at.is_none() {
            workflow.finished_at = Some(now);
        }
        if *workflow != old {
            update(session, workflow)?;
        }
    }
    Ok(())
}

fn update(session: &Session, workflow: &LiveWorkflow) -> StoreResult<()> {
    session.conn.prepare_cached(UPDATE)?.execute((
        workflow.id.0,
        Col(workflow.status),
        workflow.execution,
        opt(workflow.restarted_at),
        opt(workflow.started_at),
        opt(workflow.finished_at),
    ))?;
    Ok(())
}

/// The first columns of a row, and whether they say anything; a row without a
/// status stands where its run stands.
fn moving(row: &Row<'_>, of_run: Status) -> rusqlite::Result<(bool, LiveWorkflow)> {
    let status: Option<Status> = row.opt(1)?;
    let workflow = LiveWorkflow {
        id: WorkflowId(row.get(0)?),
        status: status.unwrap_or(of_run),
        execution: row.count(2)?,
        restarted_at: row.opt(3)?,
        started_at: row.opt(4)?,
        finished_at: row.opt(5)?,
    };
    Ok((status.is_some(), workflow))
}

/// One workflow with the facts that its run and its plan tell.
fn complete(
    run: &Run,
    plan: Option<&StoredPlan>,
    position: usize,
    (is_own, live): (bool, LiveWorkflow),
) -> Workflow {
    let planned = plan.and_then(|plan| plan.workflows.get(position));
    let path = match planned {
        Some(planned) => planned.path.clone(),
        None => plan.map(|plan| plan.path.clone()),
    };
    let file = match planned {
        Some(planned) => planned.file.clone(),
        None => path
            .as_deref()
            .and_then(|path| path.rsplit('/').next())
            .unwrap_or_default()
            .to_owned(),
    };
    Workflow {
        id: live.id,
        run_id: run.id,
        project_id: run.project_id,
        position,
        path,
        file,
        name: match planned {
            Some(planned) => planned.name.clone(),
            None => run.name.clone(),
        },
        error: match planned {
            Some(planned) => planned.error.clone(),
            None => run.yaml_errors.clone(),
        },
        status: if is_own { live.status } else { run.status },
        execution: live.execution,
        created_at: live.restarted_at.unwrap_or(run.created_at),
        started_at: if is_own {
            live.started_at
        } else {
            run.started_at
        },
        finished_at: if is_own {
            live.finished_at
        } else {
            run.finished_at
        },
    }
}

fn of_run(db: &Db<'_>, id: RunId) -> StoreResult<Vec<Workflow>> {
    match runs::run_with_plan(db, id)? {
        Some((run, plan)) => of(db, &run, plan.as_deref()),
        None => Ok(Vec::new()),
    }
}

/// All workflows of a run, in order.
pub(super) fn of(db: &Db<'_>, run: &Run, plan: Option<&StoredPlan>) -> StoreResult<Vec<Workflow>> {
    let mut statement = db.conn.prepare_cached(LIVE)?;
    let rows = statement.query_map([run.id.0], |row| moving(row, run.status))?;
    rows.enumerate()
        .map(|(position, row)| Ok(complete(run, plan, position, row?)))
        .collect()
}

/// One workflow.
pub(super) fn workflow(db: &Db<'_>, id: WorkflowId) -> StoreResult<Option<Workflow>> {
    let found: Option<(i64, usize)> = db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], |row| Ok((row.get(6)?, row.count(7)?)))
        .optional()?;
    let Some((run, position)) = found else {
        return Ok(None);
    };
    let Some((run, plan)) = runs::run_with_plan(db, RunId(run))? else {
        return Ok(None);
    };
    let row = db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], |row| moving(row, run.status))?;
    Ok(Some(complete(&run, plan.as_deref(), position, row)))
}

fn executions(db: &Db<'_>, id: WorkflowId) -> StoreResult<Vec<WorkflowExecution>> {
    let Some(current) = workflow(db, id)? else {
        return Ok(Vec::new());
    };
    let mut executions: Vec<WorkflowExecution> = db
        .conn
        .prepare_cached(EXECUTIONS)?
        .query_map([id.0], |row| {
            Ok(WorkflowExecution {
                number: row.count(0)?,
                status: row.col(1)?,
                created_at: row.col(2)?,
                started_at: row.opt(3)?,
                finished_at: row.opt(4)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    executions.push(WorkflowExecution {
        number: current.execution,
        status: current.status,
        created_at: current.created_at,
        started_at: current.started_at,
        finished_at: current.finished_at,
    });
    Ok(executions)
}

impl crate::Workflows for SqliteStore {
    fn workflows_of_run(&self, run: RunId) -> Verb<'_, Vec<Workflow>> {
        Box::pin(async move { self.readers.read(|db| of_run(db, run)) })
    }

    fn workflow(&self, id: WorkflowId) -> Verb<'_, Option<Workflow>> {
        Box::pin(async move { self.readers.read(|db| workflow(db, id)) })
    }

    fn workflow_executions(&self, id: WorkflowId) -> Verb<'_, Vec<WorkflowExecution>> {
        Box::pin(async move { self.readers.read(|db| executions(db, id)) })
    }
}
