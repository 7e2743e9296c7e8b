//! What the steps of an attempt led to, as its runner told.

use tappet_model::AttemptId;
use tappet_model::steps_payload::StepResult;

use crate::Verb;

/// The report of one attempt.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeptStepsReport {
    /// Outputs of the job, encrypted by the server.
    pub sealed_outputs: Option<Vec<u8>>,
    /// Summaries of its steps, as Markdown.
    pub summary: String,
    /// Steps with a summary.
    pub summary_steps: u32,
    /// In the order in which they began.
    pub steps: Vec<StepResult>,
    /// Why it failed.
    pub error_message: Option<String>,
}

/// Verbs about such reports.
pub trait StepsReports {
    /// Keeps the report of an attempt. The first one stays, so that a runner may
    /// tell it again.
    fn record_steps_report(&self, id: AttemptId, report: KeptStepsReport) -> Verb<'_, ()>;
    /// The report of an attempt.
    fn steps_report(&self, id: AttemptId) -> Verb<'_, Option<KeptStepsReport>>;
}
