//! Test coverage of attempts and runs, in percent.

use tappet_model::{AttemptId, RunId};

use crate::Verb;

/// Verbs about test coverage.
pub trait Coverage: Send + Sync {
    /// What of the log of an attempt tells its coverage, as written in the
    /// pipeline file.
    fn coverage_pattern(&self, id: AttemptId) -> Verb<'_, Option<String>>;
    /// Notes what the log of an attempt says of test coverage.
    fn set_coverage(&self, id: AttemptId, percent: f64) -> Verb<'_, ()>;
    /// The mean of what the newest attempts and foreign statuses of a run say.
    fn run_coverage(&self, id: RunId) -> Verb<'_, Option<f64>>;
}
