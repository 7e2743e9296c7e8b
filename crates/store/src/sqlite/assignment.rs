//! Everything that a runner must be told about an attempt.

use tappet_model::plan::ArtifactSources;
use tappet_model::{AttemptId, RefKind};

use super::content::Db;
use super::{attempts, decisions, projects, pull_requests, reports, runs, users};
use crate::{Assignment, StoreError, StoreResult};

/// The attempt with all that it depends on.
pub(super) fn assignment(db: &Db<'_>, id: AttemptId) -> StoreResult<Option<Assignment>> {
    let Some(attempt) = attempts::attempt(db, id)? else {
        return Ok(None);
    };
    let Some((run, Some(plan))) = runs::run_with_plan(db, attempt.run_id)? else {
        return Ok(None);
    };
    let spec = db.spec(&plan.jobs[attempt.position].spec)?;
    let is_source = |position: usize| match &spec.artifact_sources {
        ArtifactSources::EarlierStages => plan
            .graph
            .jobs
            .get(position)
            .is_some_and(|job| job.stage < attempt.stage_index),
        ArtifactSources::Jobs(names) => plan
            .jobs
            .get(position)
            .is_some_and(|job| names.contains(&job.name)),
    };
    let (sealed_event, needs) = match &spec.workflow_job {
        Some(_) => (
            runs::event(db, run.id)?,
            decisions::needs(db, run.id, &plan, attempt.position)?,
        ),
        None => (None, Vec::new()),
    };
    let artifact_sources = attempts::with_archive(db, run.id, is_source)?;
    let sealed_reports = reports::variables(db, run.id, is_source)?;
    Ok(Some(Assignment {
        project: projects::any(db, run.project_id)?.ok_or(StoreError::NotFound("project"))?,
        user: match run.user_id {
            Some(id) => Some(users::user(db, id)?.ok_or(StoreError::NotFound("user"))?),
            None => None,
        },
        sealed_variables: runs::variables(db, run.id)?,
        sealed_event,
        pull_request: match run.ref_kind {
            RefKind::PullRequest => pull_requests::one(db, run.id)?,
            RefKind::Branch | RefKind::Tag | RefKind::Commit => None,
        },
        needs,
        sealed_job_variables: attempts::variables(db, attempt.id)?,
        artifact_sources,
        sealed_reports,
        spec,
        attempt,
        run,
    }))
}
