//! Runs of pull requests: for which, under which CI config, what they wait for and
//! what was submitted to them.

use tappet_model::{CiConfigId, ProjectId, PullRequest, RunId, Status, Timestamp};

use crate::{Advance, Listing, PageRequest, Verb};

/// That a run is of a pull request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PullRequestRun {
    /// Which run.
    pub run_id: RunId,
    /// Under which CI config.
    pub config_id: CiConfigId,
    /// Of which project.
    pub project_id: ProjectId,
    /// Of which pull request, as it was then.
    pub pull_request: PullRequest,
    /// A forge told of it; otherwise the API.
    pub is_from_forge: bool,
    /// Whom it waits for; none once it was let go or is over.
    pub hold: Option<Hold>,
    /// It failed because nobody submitted pairs of tables in time.
    pub is_overdue: bool,
    /// Somebody repeated it, or a job of it, by hand.
    pub is_repeated: bool,
    /// The run of a newer commit, on account of which this one was canceled.
    pub superseded_by: Option<RunId>,
    /// What was submitted to it: a JSON array of pairs of tables.
    pub diffs: Option<String>,
}

/// That the run to be is of a pull request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPullRequestRun {
    /// Under which CI config.
    pub config_id: CiConfigId,
    /// Of which pull request.
    pub pull_request: PullRequest,
    /// A forge told of it; otherwise the API.
    pub is_from_forge: bool,
    /// Whom it waits for, before any of its jobs may start. A run without jobs waits
    /// for nobody.
    pub hold: Option<Hold>,
    /// Active runs of the same config and pull request, but of another head, are
    /// canceled in the same commit.
    pub supersedes: bool,
}

/// Why none of a run's jobs may start yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    /// Somebody has to submit pairs of tables before then, or it fails.
    Diffs {
        /// Until when.
        until: Timestamp,
    },
    /// A member of the project has to approve what came from a fork. Then it waits
    /// for pairs of tables if it `expects_diffs`.
    Approval {
        /// It waits for pairs of tables after that, for so many seconds.
        then_diffs_s: Option<u32>,
    },
}

/// One line of the list of runs that Datafold's API gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CiRun {
    /// Which run.
    pub id: RunId,
    /// Of which pull request, without what only a forge can tell.
    pub pull_request: PullRequest,
    /// Where it stands.
    pub status: Status,
    /// A forge told of it; otherwise the API.
    pub is_from_forge: bool,
    /// Somebody repeated it, or a job of it, by hand.
    pub is_repeated: bool,
    /// Whom it waits for.
    pub hold: Option<Hold>,
}

/// Which runs of a CI config.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CiRunFilter {
    /// Of this head, as it was told.
    pub head_sha: Option<String>,
    /// Of the pull request with this number.
    pub number: Option<String>,
}

/// What came of a submission.
#[derive(Clone, PartialEq, Debug)]
pub struct Submitted {
    /// The newest active run of the pull request.
    pub run_id: RunId,
    /// It was waiting for that, and goes on.
    pub released: Option<Box<Advance>>,
}

/// Verbs about runs of pull requests. A run is active until it is over or being
/// canceled.
pub trait PullRequests {
    /// The pull request of a run; none for other runs.
    fn pull_request_run(&self, run: RunId) -> Verb<'_, Option<PullRequestRun>>;
    /// Runs of a CI config, the newest first.
    fn ci_runs(
        &self,
        config: CiConfigId,
        filter: CiRunFilter,
        limit: u32,
        offset: u64,
    ) -> Verb<'_, Vec<CiRun>>;
    /// Active runs of a CI config and pull request, the newest first.
    fn active_pull_request_runs(
        &self,
        config: CiConfigId,
        number: String,
    ) -> Verb<'_, Vec<PullRequestRun>>;
    /// The newest run of each CI config of the project for this pull request, by id
    /// of the config.
    fn newest_pull_request_runs(
        &self,
        project: ProjectId,
        number: String,
    ) -> Verb<'_, Vec<PullRequestRun>>;
    /// Runs of a project that wait for somebody's approval, the newest first.
    fn unapproved_runs(
        &self,
        project: ProjectId,
        page: PageRequest,
    ) -> Verb<'_, Listing<PullRequestRun>>;
    /// Keeps the pairs with the newest active run of the pull request, in place of
    /// earlier ones, and lets it go when it waited for them. `None`: no run is active.
    fn submit_diffs(
        &self,
        config: CiConfigId,
        number: String,
        diffs: String,
        now: Timestamp,
    ) -> Verb<'_, Option<Submitted>>;
    /// Lets the active runs of this head go that wait for diffs.
    fn release_head(
        &self,
        config: CiConfigId,
        head_sha: String,
        now: Timestamp,
    ) -> Verb<'_, Vec<Advance>>;
    /// Approves a run that waits for that: lets it go, unless it waits for pairs of
    /// tables then that nobody has submitted yet.
    /// [`StoreError::Refused`](crate::StoreError::Refused) when it does not wait for approval.
    fn approve_run(&self, run: RunId, now: Timestamp) -> Verb<'_, Advance>;
    /// When the next run gives up waiting for pairs of tables.
    fn next_overdue_hold(&self) -> Verb<'_, Option<(RunId, Timestamp)>>;
    /// Fails a run that has waited for too long, if it still waits.
    fn fail_overdue_hold(&self, run: RunId, now: Timestamp) -> Verb<'_, Option<Advance>>;
}
