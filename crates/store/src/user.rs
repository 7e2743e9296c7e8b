//! A person as the store keeps them.

use tappet_model::{Timestamp, UserId};

/// A person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// Id.
    pub id: UserId,
    /// Login name.
    pub username: String,
    /// Shown name.
    pub name: String,
    /// Address, may be empty.
    pub email: String,
    /// Instance administrator.
    pub is_admin: bool,
    /// Sees no internal projects.
    pub is_external: bool,
    /// Blocked users start nothing.
    pub is_blocked: bool,
    /// When.
    pub created_at: Timestamp,
}
