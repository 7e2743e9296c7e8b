//! How an attempt ended.

use tappet_model::FailureReason;
use tappet_model::steps_payload::StepsReport;

/// The result that the runner reports.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// `None`: success.
    pub failure: Option<FailureReason>,
    /// Code of the failing command, where there is one.
    pub exit_code: Option<i32>,
    /// What the steps led to, for a job that has steps.
    pub steps: Option<Box<StepsReport>>,
}

impl Outcome {
    /// Every command ended with 0.
    pub const SUCCESS: Self = Self {
        failure: None,
        exit_code: None,
        steps: None,
    };

    /// Failed for `reason`.
    pub fn failed(reason: FailureReason) -> Self {
        Self {
            failure: Some(reason),
            ..Self::SUCCESS
        }
    }

    /// A command of the script ended with `code`.
    pub fn script(code: i32) -> Self {
        Self {
            failure: Some(FailureReason::ScriptFailure),
            exit_code: Some(code),
            ..Self::SUCCESS
        }
    }

    /// `success` or `failed`, the word of the protocol.
    pub fn state(&self) -> &'static str {
        if self.failure.is_none() {
            "success"
        } else {
            "failed"
        }
    }
}
