//! The log of what happened.

use tappet_model::Timestamp;

/// A row of the event log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventRecord {
    /// Rising.
    pub id: i64,
    /// `run` or `job`.
    pub kind: String,
    /// JSON object.
    pub body: String,
    /// When.
    pub created_at: Timestamp,
}
