//! People, their passwords and access tokens.

/// Verbs about people and their tokens.
pub trait People {}
