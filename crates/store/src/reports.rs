//! Results that jobs report: tests and variables.
//!
//! They come with an uploaded file and are written with it. Variables and counts
//! outlive the file, as in GitLab.

use tappet_model::{AttemptId, RunId};

use crate::Verb;

/// What the server read from an uploaded report.
#[derive(Clone, PartialEq, Debug)]
pub enum NewReport {
    /// Of a JUnit report.
    Tests(TestCounts),
    /// Of a dotenv report, encrypted by the server.
    Variables(Vec<u8>),
}

/// The results of one attempt in numbers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TestCounts {
    /// Seconds.
    pub total_time: f64,
    /// Passed.
    pub success: u64,
    /// Failed.
    pub failed: u64,
    /// Left out.
    pub skipped: u64,
    /// Not carried out.
    pub error: u64,
    /// Why the report could not be read; then the others are zero.
    pub suite_error: Option<String>,
}

/// The results of one attempt with the name of its job.
#[derive(Clone, PartialEq, Debug)]
pub struct TestSummary {
    /// Which attempt.
    pub attempt_id: AttemptId,
    /// Job name.
    pub job: String,
    /// In numbers.
    pub counts: TestCounts,
}

/// Verbs about reports.
pub trait Reports {
    /// Test results of a run's newest attempts, by id.
    fn test_summaries(&self, run: RunId) -> Verb<'_, Vec<TestSummary>>;
}
