//! Which runs a list is to hold, and in which order.

use tappet_model::{ScheduleId, Source, Status, Timestamp};

/// Which runs of a project.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RunFilter {
    /// One status.
    pub status: Option<Status>,
    /// `running`, `pending`, `finished`, `branches` or `tags`.
    pub scope: Option<RunScope>,
    /// With scope branches or tags: only of these refs.
    pub refs: Option<Vec<String>>,
    /// Exact ref name.
    pub ref_name: Option<String>,
    /// Exact commit.
    pub sha: Option<String>,
    /// One source.
    pub source: Option<Source>,
    /// Exact name.
    pub name: Option<String>,
    /// Login name of who started it.
    pub username: Option<String>,
    /// With or without an invalid file.
    pub yaml_errors: Option<bool>,
    /// Started by one schedule.
    pub schedule_id: Option<ScheduleId>,
    /// Bounds on `updated_at`.
    pub updated_after: Option<Timestamp>,
    /// Bounds on `updated_at`.
    pub updated_before: Option<Timestamp>,
    /// Bounds on `created_at`.
    pub created_after: Option<Timestamp>,
    /// Bounds on `created_at`.
    pub created_before: Option<Timestamp>,
    /// Order.
    pub order_by: RunOrder,
    /// Smallest first.
    pub ascending: bool,
}

/// A group of runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunScope {
    /// Status running.
    Running,
    /// Status pending.
    Pending,
    /// Success, failed or canceled.
    Finished,
    /// The newest run of each branch.
    Branches,
    /// The newest run of each tag.
    Tags,
}

/// Order of a list of runs; the id breaks ties.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum RunOrder {
    /// By id.
    #[default]
    Id,
    /// By status word.
    Status,
    /// By ref name.
    Ref,
    /// By last change.
    UpdatedAt,
    /// By who started it.
    UserId,
}
