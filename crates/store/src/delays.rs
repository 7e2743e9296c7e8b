//! Delayed jobs: when their time has come.

use tappet_model::{AttemptId, Timestamp};

use crate::Verb;

/// Verbs about delayed jobs. What an event makes of them is
/// [`Store::act`](crate::Store::act)'s business.
pub trait Delays: Send + Sync {
    /// Scheduled attempts whose delay is over, the longest over first.
    fn due_attempts(&self, now: Timestamp) -> Verb<'_, Vec<AttemptId>>;
    /// When the next delay is over after `after`.
    fn next_delay_end(&self, after: Timestamp) -> Verb<'_, Option<Timestamp>>;
}
