//! Why a job failed, in plain words, and what to do about it.

use tappet_model::FailureReason;

/// A sentence for people.
pub fn failure_text(reason: FailureReason, exit_code: Option<i32>) -> String {
    let text = match reason {
        FailureReason::ScriptFailure => {
            return match exit_code {
                Some(code) => format!("A command of the script ended with exit code {code}."),
                None => "A command of the script failed.".to_owned(),
            };
        }
        FailureReason::JobExecutionTimeout => {
            "The job ran longer than its time limit. Raise `timeout` or split the job."
        }
        FailureReason::JobExecutionServerTimeout => {
            "The job ran past its time limit and its runner did not stop it."
        }
        FailureReason::StuckOrTimeoutFailure => {
            "No runner took the job in time, or its runner fell silent. Look at the runners, then retry."
        }
        FailureReason::RunnerSystemFailure => {
            "The runner broke, not the script. Retry; if it happens again, look at the runner's log."
        }
        FailureReason::RunnerInterrupted => "The runner was stopped while the job ran. Retry.",
        FailureReason::MissingDependencyFailure => {
            "An artifact that the job needs is gone. Retry the job that makes it."
        }
        FailureReason::RunnerUnsupported => "The runner lacks a feature that the job needs.",
        FailureReason::NoMatchingRunner => {
            "No runner has the job's tags. Add such a runner or change `tags`."
        }
        FailureReason::TraceSizeExceeded => "The log passed its size limit. Print less.",
        FailureReason::ImagePullFailure => {
            "The container image could not be pulled. Check its name and the registry."
        }
        FailureReason::JobCanceled => "The job was canceled.",
        FailureReason::RunnerConfigurationError => "The runner's configuration forbids the job.",
        FailureReason::RunnerExternalDependencyFailure => {
            "Something that the runner depends on broke. Retry later."
        }
        FailureReason::ConfigError => "The pipeline file is not valid.",
        FailureReason::EnvironmentCreationFailure => {
            "The name of the job's environment is empty or not allowed once its variables are filled in. The log says more."
        }
        FailureReason::ArchivedFailure => "The pipeline is archived. Start a new one.",
        FailureReason::StaleSchedule => "The job's delay passed while it could not start. Retry.",
        FailureReason::UnmetPrerequisites => "What the job needs first could not be prepared.",
        FailureReason::SchedulerFailure | FailureReason::DataIntegrityFailure => {
            "The server could not place the job. Retry; the server's log says more."
        }
        FailureReason::ApiFailure => "A call that the job depends on was refused. Retry.",
        FailureReason::UnknownFailure => "The job failed without saying why.",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_a_sentence() {
        for reason in FailureReason::ALL {
            let text = failure_text(*reason, None);
            assert!(text.ends_with('.'), "{reason}: {text}");
            assert!(!text.contains('_'), "{reason}: {text}");
        }
        assert_eq!(
            failure_text(FailureReason::ScriptFailure, Some(3)),
            "A command of the script ended with exit code 3."
        );
    }
}
