//! Runs and workflows of several projects: candidates come from the indexes of
//! runs, the newest first, and each is looked at until enough of them match.

mod candidates;

use std::collections::HashSet;

use rusqlite::OptionalExtension;
use tappet_model::{ProjectId, RunId, Source, Status};

use self::candidates::{Candidates, ShaRange};
use super::SqliteStore;
use super::attempts;
use super::content::Db;
use super::runs;
use super::statement::statements;
use super::value::RowExt;
use super::workflows;
use crate::{FoundWorkflow, Run, RunSearch, StoreError, StoreResult, Verb, WorkflowSearch};

statements! {
    PROJECTS = "SELECT id FROM projects WHERE deleted_at IS NULL";
    FACTS = "SELECT project_id, status, source, sha FROM runs WHERE id = ?1";
}

/// What runs have to be, as candidates are found and looked at.
struct Wanted {
    projects: HashSet<i64>,
    statuses: Vec<Status>,
    sources: Vec<Source>,
    sha: Option<ShaRange>,
}

impl Wanted {
    /// `None` when nothing can match.
    fn of(
        db: &Db<'_>,
        projects: Option<&[ProjectId]>,
        statuses: &[Status],
        sources: &[Source],
        sha_prefix: Option<&str>,
    ) -> StoreResult<Option<Self>> {
        let sha = match sha_prefix.map(ShaRange::of) {
            Some(None) => return Ok(None),
            Some(range) => range,
            None => None,
        };
        let projects: HashSet<i64> = match projects {
            Some(ids) => ids.iter().map(|id| id.0).collect(),
            None => db
                .conn
                .prepare_cached(PROJECTS)?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?,
        };
        Ok((!projects.is_empty()).then(|| Self {
            projects,
            statuses: statuses.to_vec(),
            sources: sources.to_vec(),
            sha,
        }))
    }

    fn fits(&self, db: &Db<'_>, run: i64) -> StoreResult<bool> {
        let fits = db
            .conn
            .prepare_cached(FACTS)?
            .query_row([run], |row| {
                let of_sha = match &self.sha {
                    Some(range) => range.holds(row.get_ref(3)?.as_blob()?),
                    None => true,
                };
                Ok(of_sha && self.fit(row.get(0)?, row.col(1)?, row.col(2)?))
            })
            .optional()?;
        Ok(fits == Some(true))
    }

    fn fit(&self, project: i64, status: Status, source: Source) -> bool {
        let one_of_statuses = self.statuses.is_empty() || self.statuses.contains(&status);
        let one_of_sources = self.sources.is_empty() || self.sources.contains(&source);
        one_of_statuses && one_of_sources && self.projects.contains(&project)
    }
}

fn search_runs(db: &Db<'_>, search: &RunSearch) -> StoreResult<Vec<Run>> {
    let projects = search.projects.as_deref();
    let sha = search.sha_prefix.as_deref();
    let Some(wanted) = Wanted::of(db, projects, &search.statuses, &search.sources, sha)? else {
        return Ok(Vec::new());
    };
    let before = search.before.map_or(i64::MAX, |id| id.0);
    let mut candidates = Candidates::of(db, &wanted, before)?;
    let limit = usize::try_from(search.limit).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(run) = candidates.next(db)?
    {
        if wanted.fits(db, run)? {
            found.push(runs::run(db, RunId(run))?.ok_or(StoreError::NotFound("run"))?);
        }
    }
    Ok(found)
}

fn search_workflows(db: &Db<'_>, search: &WorkflowSearch) -> StoreResult<Vec<FoundWorkflow>> {
    let projects = search.projects.as_deref();
    let sha = search.sha_prefix.as_deref();
    let Some(mut wanted) = Wanted::of(db, projects, &search.statuses, &search.sources, sha)? else {
        return Ok(Vec::new());
    };
    let name = search.name.as_deref().map(str::to_ascii_lowercase);
    let mut candidates = match &name {
        Some(name) => Candidates::of_name(db, &wanted, name)?,
        None => Candidates::of_workflows(db, &wanted)?,
    };
    // Workflows may stand elsewhere than their run.
    wanted.statuses.clear();
    let limit = usize::try_from(search.limit).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(run) = candidates.next(db)?
    {
        if wanted.fits(db, run)? {
            add_workflows(db, RunId(run), search, name.as_deref(), &mut found)?;
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// Adds those workflows of a run that match.
fn add_workflows(
    db: &Db<'_>,
    run: RunId,
    search: &WorkflowSearch,
    name: Option<&str>,
    found: &mut Vec<FoundWorkflow>,
) -> StoreResult<()> {
    let (run, plan) = runs::run_with_plan(db, run)?.ok_or(StoreError::NotFound("run"))?;
    let mut workflows = workflows::of(db, &run, plan.as_deref())?;
    workflows.retain(|workflow| {
        let has_name = name.is_none_or(|part| {
            let own = workflow.name.as_deref().unwrap_or_default();
            own.to_ascii_lowercase().contains(part)
        });
        has_name && (search.statuses.is_empty() || search.statuses.contains(&workflow.status))
    });
    if workflows.is_empty() {
        return Ok(());
    }
    let counts = match &plan {
        Some(plan) => attempts::counts_by_stage(db, run.id, plan)?,
        None => Default::default(),
    };
    let has_stages = plan.is_some_and(|plan| !plan.workflows.is_empty());
    found.extend(workflows.into_iter().map(|workflow| {
        let mut job_counts: Vec<(Status, u32)> = Vec::new();
        for (&(stage, status), &count) in &counts {
            if has_stages && stage != workflow.position {
                continue;
            }
            match job_counts.iter_mut().find(|(of, _)| *of == status) {
                Some((_, known)) => *known += count,
                None => job_counts.push((status, count)),
            }
        }
        job_counts.sort_unstable();
        FoundWorkflow {
            workflow,
            run: run.clone(),
            job_counts,
        }
    }));
    Ok(())
}

impl crate::Search for SqliteStore {
    fn search_runs(&self, wanted: RunSearch) -> Verb<'_, Vec<Run>> {
        Box::pin(async move { self.readers.read(|db| search_runs(db, &wanted)) })
    }

    fn search_workflows(&self, wanted: WorkflowSearch) -> Verb<'_, Vec<FoundWorkflow>> {
        Box::pin(async move { self.readers.read(|db| search_workflows(db, &wanted)) })
    }
}
