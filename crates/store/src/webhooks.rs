//! Outgoing webhooks and their deliveries.

/// Verbs about webhooks.
pub trait Webhooks {}
