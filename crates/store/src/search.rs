//! Runs and workflows of several projects at once.

use tappet_model::{ProjectId, RunId, Source, Status};

use crate::{Run, Verb, Workflow};

/// What the runs have to be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RunSearch {
    /// Only of these projects; `None`: of all.
    pub projects: Option<Vec<ProjectId>>,
    /// One of these; empty: any.
    pub statuses: Vec<Status>,
    /// One of these; empty: any.
    pub sources: Vec<Source>,
    /// First hex digits of the commit; what holds no lower-case hex digits finds
    /// nothing.
    pub sha_prefix: Option<String>,
    /// Only ids below this one.
    pub before: Option<RunId>,
    /// At most so many.
    pub limit: u32,
}

/// What the workflows have to be.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WorkflowSearch {
    /// Only of these projects; `None`: of all.
    pub projects: Option<Vec<ProjectId>>,
    /// One of these; empty: any.
    pub statuses: Vec<Status>,
    /// One of these brought about their runs; empty: any.
    pub sources: Vec<Source>,
    /// As in [`RunSearch`].
    pub sha_prefix: Option<String>,
    /// Part of the name, ASCII case ignored.
    pub name: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// A workflow with its run.
#[derive(Clone, PartialEq, Debug)]
pub struct FoundWorkflow {
    /// The workflow.
    pub workflow: Workflow,
    /// Its run.
    pub run: Run,
    /// How many of its jobs stand where; statuses without a job are left out.
    pub job_counts: Vec<(Status, u32)>,
}

/// Verbs about runs of several projects.
pub trait Search {
    /// Runs that match, the newest first.
    fn search_runs(&self, wanted: RunSearch) -> Verb<'_, Vec<Run>>;
    /// Workflows that match, those of the newest runs first, and those of a run in
    /// their order.
    fn search_workflows(&self, wanted: WorkflowSearch) -> Verb<'_, Vec<FoundWorkflow>>;
}
