//! Files with names.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Row};
use tappet_model::{ArtifactId, JobId, ProjectId, RunId, WorkflowId};

use super::content::{Db, StoredPlan};
use super::statement::statements;
use super::value::RowExt;
use super::{SqliteStore, artifacts, runs, workflows};
use crate::{Artifact, NamedArtifact, NamedArtifactFilter, StoreError, StoreResult, Verb};

macro_rules! select {
    () => {
        concat!(
            "SELECT ",
            artifacts::columns!("f."),
            ", a.position, a.number, coalesce(a.job_id, a.id), a.run_id
             FROM attempts a JOIN artifacts f ON f.attempt_id = a.id"
        )
    };
}

statements! {
    OF_RUN = concat!(select!(), " WHERE a.run_id = ?1 AND f.name <> ''
             AND (?2 IS NULL OR f.id < ?2) AND (?3 IS NULL OR a.id = ?3)
             AND (?4 IS NULL OR coalesce(a.job_id, a.id) = ?4) AND NOT (?5 AND a.is_retried)
             AND (?6 IS NULL OR a.position IN (SELECT value FROM json_each(?6)))
             ORDER BY f.id DESC LIMIT ?7");
    ONE = concat!(select!(), " WHERE f.id = ?1 AND f.name <> ''");
}

/// The columns of a file and of its attempt.
struct Stored {
    file: Artifact,
    position: usize,
    number: u32,
    job_id: JobId,
    run_id: RunId,
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        file: artifacts::stored(row)?,
        position: row.count(10)?,
        number: row.count(11)?,
        job_id: JobId(row.get(12)?),
        run_id: RunId(row.get(13)?),
    })
}

/// What all files of a run share.
struct Owner {
    project_id: ProjectId,
    first_workflow: WorkflowId,
    plan: Arc<StoredPlan>,
}

impl Owner {
    fn find(db: &Db<'_>, run: RunId) -> StoreResult<Option<Self>> {
        let found = runs::place_and_plan(db, run)?;
        Ok(found.map(|(project_id, first_workflow, plan)| Self {
            project_id,
            first_workflow,
            plan,
        }))
    }

    fn workflow_of(&self, position: usize) -> (WorkflowId, usize) {
        let stage = self
            .plan
            .graph
            .jobs
            .get(position)
            .map_or(0, |job| job.stage);
        let id = workflows::of_stage(self.first_workflow, &self.plan, stage);
        (id, stage)
    }

    fn complete(&self, row: Stored) -> NamedArtifact {
        let (workflow_id, stage) = self.workflow_of(row.position);
        NamedArtifact {
            file: row.file,
            project_id: self.project_id,
            run_id: row.run_id,
            workflow_id,
            workflow_path: match self.plan.workflows.get(stage) {
                Some(workflow) => workflow.path.clone(),
                None => Some(self.plan.path.clone()),
            },
            job_id: row.job_id,
            key: self.plan.key_of(row.position),
            attempt_number: row.number,
        }
    }

    /// Positions of the jobs of a workflow, as a JSON list.
    fn positions_in(&self, workflow: WorkflowId) -> String {
        let positions: Vec<usize> = (0..self.plan.jobs.len())
            .filter(|&position| self.workflow_of(position).0 == workflow)
            .collect();
        serde_json::json!(positions).to_string()
    }
}

fn of_run(
    db: &Db<'_>,
    run: RunId,
    filter: &NamedArtifactFilter,
) -> StoreResult<Vec<NamedArtifact>> {
    let Some(owner) = Owner::find(db, run)? else {
        return Ok(Vec::new());
    };
    let positions = filter.workflow.map(|workflow| owner.positions_in(workflow));
    let rows: Vec<Stored> = db
        .conn
        .prepare_cached(OF_RUN)?
        .query_map(
            (
                run.0,
                filter.before.map(|id| id.0),
                filter.attempt.map(|id| id.0),
                filter.job.map(|id| id.0),
                filter.newest_attempts,
                positions,
                filter.limit,
            ),
            stored,
        )?
        .collect::<Result<_, _>>()?;
    Ok(rows.into_iter().map(|row| owner.complete(row)).collect())
}

fn one(db: &Db<'_>, id: ArtifactId) -> StoreResult<Option<NamedArtifact>> {
    let found = db
        .conn
        .prepare_cached(ONE)?
        .query_row([id.0], stored)
        .optional()?;
    let Some(row) = found else { return Ok(None) };
    let owner = Owner::find(db, row.run_id)?.ok_or(StoreError::NotFound("run"))?;
    Ok(Some(owner.complete(row)))
}

impl crate::NamedArtifacts for SqliteStore {
    fn named_artifacts(
        &self,
        run: RunId,
        filter: NamedArtifactFilter,
    ) -> Verb<'_, Vec<NamedArtifact>> {
        Box::pin(async move { self.readers.read(|db| of_run(db, run, &filter)) })
    }

    fn named_artifact(&self, id: ArtifactId) -> Verb<'_, Option<NamedArtifact>> {
        Box::pin(async move { self.readers.read(|db| one(db, id)) })
    }

    fn delete_artifact(&self, id: ArtifactId) -> Verb<'_, Option<Artifact>> {
        Box::pin(
            self.writer
                .write(move |session| artifacts::delete(session, id)),
        )
    }
}
