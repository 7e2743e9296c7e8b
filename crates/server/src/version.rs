//! Which version this is, for people and for clients that expect GitLab.

/// Tappet's own version.
pub const TAPPET_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What `/version` says, so that clients take the newest paths they know.
pub const GITLAB_VERSION: &str = "18.9.0-tappet";
