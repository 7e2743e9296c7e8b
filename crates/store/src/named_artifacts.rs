//! Files with names, which the jobs of a run leave for each other and for people.

use tappet_model::{ArtifactId, AttemptId, JobId, ProjectId, RunId, WorkflowId};

use crate::{Artifact, JobKey, Verb};

/// A file with a name, and where it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedArtifact {
    /// The file.
    pub file: Artifact,
    /// The project.
    pub project_id: ProjectId,
    /// The run.
    pub run_id: RunId,
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// From the root of the repository; `None` when its text came with the call.
    pub workflow_path: Option<String>,
    /// The job.
    pub job_id: JobId,
    /// Which job of the workflow it is.
    pub key: Option<JobKey>,
    /// Number of the attempt, from 1.
    pub attempt_number: u32,
}

/// Which of a run's files with names.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NamedArtifactFilter {
    /// Only of this workflow.
    pub workflow: Option<WorkflowId>,
    /// Only of this job.
    pub job: Option<JobId>,
    /// Only of this attempt.
    pub attempt: Option<AttemptId>,
    /// Only of the newest attempt of each job.
    pub newest_attempts: bool,
    /// Only ids below this one.
    pub before: Option<ArtifactId>,
    /// At most so many.
    pub limit: u32,
}

/// Verbs about files with names.
pub trait NamedArtifacts {
    /// Files of a run, the newest first.
    fn named_artifacts(
        &self,
        run: RunId,
        filter: NamedArtifactFilter,
    ) -> Verb<'_, Vec<NamedArtifact>>;
    /// One file with a name.
    fn named_artifact(&self, id: ArtifactId) -> Verb<'_, Option<NamedArtifact>>;
    /// Forgets a file, which the caller removes; nothing when there is no such file
    /// or another one has the same content and place.
    fn delete_artifact(&self, id: ArtifactId) -> Verb<'_, Option<Artifact>>;
}
