//! What a failure means, and what may help, as far as reason and exit code tell.

use tappet_model::FailureReason;
use tappet_store::{Attempt, KeptStepsReport};

use crate::failure_text::failure_text;

/// In plain words.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cause {
    /// What happened.
    pub diagnosis: String,
    /// What to try.
    pub possible_fix: String,
}

/// The cause of a failed attempt; its own report knows which step it was.
pub fn of_attempt(attempt: &Attempt, report: Option<&KeptStepsReport>) -> Cause {
    let cause = of(attempt.failure_reason, attempt.exit_code);
    match report.and_then(|report| report.error_message.clone()) {
        Some(diagnosis) => Cause { diagnosis, ..cause },
        None => cause,
    }
}

/// The cause of a workflow without jobs.
pub fn of_refused_file() -> Cause {
    Cause {
        diagnosis: "The workflow's file is not valid, so none of its jobs ran.".to_owned(),
        possible_fix: "Correct the file at the line and column that the message names.".to_owned(),
    }
}

fn of(reason: Option<FailureReason>, exit_code: Option<i32>) -> Cause {
    let reason = reason.unwrap_or(FailureReason::UnknownFailure);
    let fix = match (reason, exit_code) {
        (FailureReason::ScriptFailure, Some(126)) => {
            "The command was found but cannot be executed: check its permissions (chmod +x)."
        }
        (FailureReason::ScriptFailure, Some(127)) => {
            "The command was not found: install it in an earlier step, or check its spelling and PATH."
        }
        (FailureReason::ScriptFailure, Some(124)) => {
            "A command was stopped by `timeout`: give it more time, or find out what it waits for."
        }
        (FailureReason::ScriptFailure, Some(137)) => {
            "The command was killed (SIGKILL), most likely for want of memory: use less, or a larger runner."
        }
        (FailureReason::ScriptFailure, Some(139)) => {
            "The command crashed (SIGSEGV): run it locally under a debugger."
        }
        (FailureReason::ScriptFailure, Some(143)) => {
            "The command was told to stop (SIGTERM): look for what ended it."
        }
        (FailureReason::ScriptFailure, _) => {
            "Read the lines of the log below, and run the same command locally."
        }
        (FailureReason::JobExecutionTimeout | FailureReason::JobExecutionServerTimeout, _) => {
            "Raise timeout-minutes, or find the step that hangs: the last lines of the log name it."
        }
        (FailureReason::ConfigError, _) => "Correct the file at the place that the message names.",
        (FailureReason::NoMatchingRunner | FailureReason::StuckOrTimeoutFailure, _) => {
            "Start a runner that takes the labels of runs-on, or change runs-on."
        }
        _ => "Retry the job; if it fails again, the server's log tells more.",
    };
    Cause {
        diagnosis: failure_text(reason, exit_code),
        possible_fix: fix.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Some(127), "not found")]
    #[case(Some(137), "memory")]
    #[case(Some(1), "locally")]
    #[case(None, "locally")]
    fn an_exit_code_hints_at_what_helps(#[case] code: Option<i32>, #[case] expected: &str) {
        let cause = of(Some(FailureReason::ScriptFailure), code);
        assert!(cause.possible_fix.contains(expected), "{cause:?}");
    }
}
