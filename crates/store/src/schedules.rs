//! Pipeline schedules: runs that start by the clock.

/// Verbs about schedules.
pub trait Schedules {}
