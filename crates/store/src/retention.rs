//! What goes when its time is over.

use std::collections::BTreeSet;

use tappet_model::{AttemptId, RunId, Status, Timestamp};

use crate::{Artifact, Verb};

/// One batch of files whose time is over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expired {
    /// Forgotten; the caller removes the files.
    pub removed: Vec<Artifact>,
    /// There may be more.
    pub has_more: bool,
}

/// A run, as far as its age matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AgedRun {
    /// Which.
    pub id: RunId,
    /// Where it stands.
    pub status: Status,
    /// When.
    pub created_at: Timestamp,
}

/// Rows that go by their age alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aging {
    /// Of the audit log.
    AuditEntries,
    /// Clients' names for requests.
    IdempotencyKeys,
    /// Browser sessions and one-time links, by the end of their life.
    Sessions,
}

/// What one step along the events found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OldEvents {
    /// Rows, each of which holds what one transaction changed in a run.
    pub count: u64,
    /// Where the next step begins; `None`: that was all.
    pub next: Option<i64>,
}

/// How many and how large.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Amount {
    /// Rows or files.
    pub count: u64,
    /// Bytes of files.
    pub bytes: u64,
}

/// Verbs about retention.
///
/// The artifacts of the newest successful run of each ref stay past their time
/// unless the project's settings let them go.
pub trait Retention {
    /// Forgets files whose time is over, looking at no more than `limit`. Those
    /// that have to stay are looked at again at `again_at`.
    fn expire_artifacts_due(
        &self,
        now: Timestamp,
        again_at: Timestamp,
        limit: u32,
    ) -> Verb<'_, Expired>;
    /// When the next file has to be looked at.
    fn next_artifact_due(&self) -> Verb<'_, Option<Timestamp>>;
    /// Files that would go now.
    fn artifacts_due(&self, now: Timestamp) -> Verb<'_, Amount>;
    /// Runs after the run `after` in order of id, at most `limit`.
    fn aged_runs(&self, after: RunId, limit: u32) -> Verb<'_, Vec<AgedRun>>;
    /// Those of these attempts that ended before a time, or do not exist at all.
    fn ended_before(&self, ids: Vec<AttemptId>, before: Timestamp)
    -> Verb<'_, BTreeSet<AttemptId>>;
    /// Deletes rows of before a time, at most `limit`; how many it were.
    fn delete_aged(&self, kind: Aging, before: Timestamp, limit: u32) -> Verb<'_, u64>;
    /// How many rows are of before a time.
    fn count_aged(&self, kind: Aging, before: Timestamp) -> Verb<'_, u64>;
    /// Deletes the events of runs that ended before a time, or wait for a person
    /// since then, looking at no more than `limit` after `after`. The run of the
    /// newest event keeps its own.
    fn delete_old_events(&self, after: i64, before: Timestamp, limit: u32) -> Verb<'_, OldEvents>;
    /// The same without deleting anything.
    fn count_old_events(&self, after: i64, before: Timestamp, limit: u32) -> Verb<'_, OldEvents>;
}
