//! What executes attempts.

use tappet_model::{RunnerId, Timestamp};

/// What executes attempts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Runner {
    /// Id.
    pub id: RunnerId,
    /// For people.
    pub description: String,
    /// Child of the server.
    pub is_embedded: bool,
    /// What it can take.
    pub tags: Vec<String>,
    /// It takes jobs without tags.
    pub run_untagged: bool,
    /// It gets nothing for now.
    pub is_paused: bool,
    /// When.
    pub created_at: Timestamp,
}
