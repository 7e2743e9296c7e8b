//! What the secrets of forges are encrypted for, so that none can stand in the place
//! of another.

/// The token with which a forge is called.
pub const TOKEN_CONTEXT: &str = "forge-token";

/// The secret with which a forge signs its webhooks.
pub const WEBHOOK_CONTEXT: &str = "forge-webhook";
