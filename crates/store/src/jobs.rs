//! What people do with single attempts, and the list of those of a project.

use tappet_model::{ArtifactId, AttemptId, ProjectId, RunId, Status, Timestamp};

use crate::{Advance, Artifact, Attempt, Verb};

/// Which attempts of a project.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProjectAttempts {
    /// Only these statuses; empty: all.
    pub statuses: Vec<Status>,
    /// Only of runs of this ref.
    pub ref_name: Option<String>,
    /// Only ids below this one.
    pub before: Option<AttemptId>,
    /// So many of the newest are passed over.
    pub offset: u64,
    /// At most so many.
    pub limit: u32,
}

/// Attempts, one by one.
pub trait Jobs: Send + Sync {
    /// Attempts of a project, newest id first, older attempts of a job included.
    /// Nothing is counted.
    fn project_attempts(
        &self,
        project: ProjectId,
        wanted: ProjectAttempts,
    ) -> Verb<'_, Vec<Attempt>>;
    /// Every attempt of a run, older ones included: jobs in the order in which they
    /// are shown, and each from its first attempt.
    fn attempts_of_run(&self, run: RunId) -> Verb<'_, Vec<Attempt>>;
    /// The engine's play, with variables for this attempt (encrypted by the
    /// server). [`StoreError::Refused`](crate::StoreError::Refused) leaves
    /// everything as it was.
    fn play_attempt(
        &self,
        id: AttemptId,
        sealed_variables: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Verb<'_, Advance>;
    /// Notes that an attempt was erased and forgets its files, which the caller
    /// removes with the log.
    fn erase_attempt(&self, id: AttemptId, now: Timestamp) -> Verb<'_, Vec<Artifact>>;
    /// One uploaded file.
    fn artifact(&self, id: ArtifactId) -> Verb<'_, Option<Artifact>>;
    /// Forgets the files of an attempt, which the caller removes.
    fn delete_artifacts(&self, id: AttemptId) -> Verb<'_, Vec<Artifact>>;
    /// The files of an attempt never expire; `false` when it has none.
    fn keep_artifacts(&self, id: AttemptId) -> Verb<'_, bool>;
    /// The time of all files of a project is over.
    fn expire_artifacts(&self, project: ProjectId, now: Timestamp) -> Verb<'_, ()>;
    /// Notes that the log of an attempt shows every variable.
    fn mark_debugged(&self, id: AttemptId) -> Verb<'_, ()>;
}
