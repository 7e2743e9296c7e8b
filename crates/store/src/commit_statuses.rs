//! Statuses of commits that come from outside.

/// Verbs about commit statuses.
pub trait CommitStatuses {}
