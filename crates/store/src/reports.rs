//! Results that jobs report: tests and variables.

/// Verbs about reports.
pub trait Reports {}
