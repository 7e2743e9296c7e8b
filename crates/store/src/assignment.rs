//! How an attempt gets to a runner: what the runner offers, what it is told and
//! what it holds.

use std::sync::Arc;

use tappet_model::plan::JobSpec;
use tappet_model::{AttemptId, RunId, RunnerId, Status, Timestamp};

use crate::{Attempt, NeededJob, Project, PullRequestRun, Run, User};

/// A runner that wants work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Which runner.
    pub runner_id: RunnerId,
    /// Which machine or process of it.
    pub system_id: String,
    /// What it can take.
    pub tags: Vec<String>,
    /// It takes jobs without tags.
    pub run_untagged: bool,
    /// It understands `canceling`.
    pub cancels_gracefully: bool,
    /// It runs the steps of workflows.
    pub runs_steps: bool,
    /// A run is being created right now: the claim may share its commit, so it
    /// looks where that run is first seen.
    pub is_expected: bool,
    /// Now.
    pub now: Timestamp,
}

/// An attempt with everything its runner must be told.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The attempt.
    pub attempt: Attempt,
    /// Its run.
    pub run: Run,
    /// Its project.
    pub project: Project,
    /// Who the run impersonates.
    pub user: Option<User>,
    /// What to do.
    pub spec: Arc<JobSpec>,
    /// Given variables, encrypted by the server.
    pub sealed_variables: Option<Vec<u8>>,
    /// Variables given when this attempt was played, encrypted by the server.
    pub sealed_job_variables: Option<Vec<u8>>,
    /// For a job with steps: the event that brought the run about, encrypted by the
    /// server.
    pub sealed_event: Option<Vec<u8>>,
    /// The pull request of the run, with what was submitted so far.
    pub pull_request: Option<PullRequestRun>,
    /// For a job with steps: all jobs that had to be over before it.
    pub needs: Vec<NeededJob>,
    /// Newest attempts whose artifacts are restored first, in order, that have an archive.
    pub artifact_sources: Vec<Attempt>,
    /// Variables that such attempts reported, in the same order, encrypted by the server.
    pub sealed_reports: Vec<Vec<u8>>,
}

/// An attempt that a runner holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeldAttempt {
    /// Which.
    pub id: AttemptId,
    /// Its run.
    pub run_id: RunId,
    /// Running or canceling.
    pub status: Status,
    /// Holder.
    pub runner_id: RunnerId,
    /// Machine or process of the holder.
    pub system_id: String,
    /// Time limit in seconds.
    pub timeout_s: u64,
    /// Handed out.
    pub started_at: Timestamp,
}
