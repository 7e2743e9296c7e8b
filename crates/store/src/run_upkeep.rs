//! What happens to whole runs beside the engine's events.

use tappet_model::{AttemptId, ProjectId, RefKind, RunId};

use crate::{Artifact, Run, RunFilter, Verb};

/// Files that belonged to rows which are gone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Removed {
    /// Attempts with a log, maybe.
    pub attempts: Vec<AttemptId>,
    /// Uploaded files.
    pub artifacts: Vec<Artifact>,
}

/// Runs as wholes.
pub trait RunUpkeep: Send + Sync {
    /// The newest runs of a project that match, at most `limit`; nothing is
    /// counted.
    fn newest_runs(&self, project: ProjectId, filter: RunFilter, limit: u32) -> Verb<'_, Vec<Run>>;
    /// Names of branches, or of tags, that have runs, at most `limit`.
    fn refs_with_runs(
        &self,
        project: ProjectId,
        kind: RefKind,
        limit: usize,
    ) -> Verb<'_, Vec<String>>;
    /// Gives a run another name.
    fn rename_run(&self, id: RunId, name: Option<String>) -> Verb<'_, Run>;
    /// Deletes a run with everything that belongs to it, whatever its status.
    /// The caller removes the files. Ids are never used again.
    fn delete_run(&self, id: RunId) -> Verb<'_, Removed>;
}
