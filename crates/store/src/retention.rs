//! What goes when its time is over.

/// Verbs about retention.
pub trait Retention {}
