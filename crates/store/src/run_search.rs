//! Runs and workflows of all projects that somebody sees.

use tappet_model::{ProjectId, RunId, Source, Status, Timestamp, WorkflowId};

use crate::{Run, Verb, Viewer};

/// Which runs, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RunSearch {
    /// Only of projects that they see.
    pub viewer: Viewer,
    /// Only of this project.
    pub project: Option<ProjectId>,
    /// Only these statuses; empty: all.
    pub statuses: Vec<Status>,
    /// Only these sources; `None`: all.
    pub sources: Option<Vec<Source>>,
    /// The commit id begins with these hexadecimal digits.
    pub sha_prefix: Option<String>,
    /// Only of these refs; `None`: all.
    pub refs: Option<Vec<String>>,
    /// Only ids below this one.
    pub before: Option<RunId>,
    /// At most so many.
    pub limit: u32,
}

/// Which workflows, newest first; the statuses of `runs` are theirs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WorkflowSearch {
    /// Of which runs; [`RunSearch::before`] counts for nothing.
    pub runs: RunSearch,
    /// A part of the name.
    pub name: Option<String>,
    /// Only ids below this one.
    pub before: Option<WorkflowId>,
}

/// Searching over projects. `now` decides which memberships count.
pub trait RunSearches {
    /// Runs, newest first. Nothing is counted.
    fn search_runs(&self, wanted: RunSearch, now: Timestamp) -> Verb<'_, Vec<Run>>;
    /// Workflows, newest first. Nothing is counted.
    fn search_workflows(&self, wanted: WorkflowSearch, now: Timestamp)
    -> Verb<'_, Vec<WorkflowId>>;
}
