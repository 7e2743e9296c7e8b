//! Statuses that foreign systems set on the commit of a run. They count into the
//! status of the run beside its jobs.

use tappet_model::{CommitStatusId, RunId, Status, Timestamp, UserId};

use crate::{Advance, NewRun, Verb};

/// What a foreign system says of a commit.
#[derive(Clone, PartialEq, Debug)]
pub struct CommitStatus {
    /// Id.
    pub id: CommitStatusId,
    /// The run it counts into.
    pub run_id: RunId,
    /// Which branch or tag was meant.
    pub ref_name: String,
    /// Tells the statuses of one run apart.
    pub name: String,
    /// Where it stands.
    pub status: Status,
    /// Who set it.
    pub user_id: UserId,
    /// Where more can be seen.
    pub target_url: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Percent of the code that is tested.
    pub coverage: Option<f64>,
    /// A newer one of the same name exists.
    pub is_retried: bool,
    /// When.
    pub created_at: Timestamp,
    /// First said to run.
    pub started_at: Option<Timestamp>,
    /// Ended.
    pub finished_at: Option<Timestamp>,
}

/// A status to be set.
#[derive(Clone, Debug)]
pub struct NewCommitStatus {
    /// The run, where it is known; else the newest of the commit and ref.
    pub run_id: Option<RunId>,
    /// Made when the commit has no run on that ref: one without jobs.
    pub new_run: NewRun,
    /// Tells the statuses of one run apart.
    pub name: String,
    /// Pending, running, success, failed, canceled or skipped.
    pub status: Status,
    /// Who sets it.
    pub user_id: UserId,
    /// Where more can be seen; `None` leaves it as it is, as below.
    pub target_url: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Percent of the code that is tested.
    pub coverage: Option<f64>,
    /// The most of one run.
    pub limit: u64,
    /// Now.
    pub now: Timestamp,
}

/// What became of it.
#[derive(Clone, PartialEq, Debug)]
pub enum StatusChange {
    /// It is set, and counts.
    Done(Box<CommitStatus>, Box<Advance>),
    /// It cannot come after the status that it has.
    NotPossible {
        /// The status that it has.
        from: Status,
    },
    /// The run has as many as it may.
    TooMany,
}

/// Verbs about commit statuses.
pub trait CommitStatuses {
    /// Sets a status. One that is pending or running, of the same name, ref and
    /// person, changes; else a new one takes the place of older ones of its name.
    fn set_commit_status(&self, new: NewCommitStatus) -> Verb<'_, StatusChange>;
    /// The statuses of a run, oldest first.
    fn commit_statuses(&self, run: RunId) -> Verb<'_, Vec<CommitStatus>>;
}
