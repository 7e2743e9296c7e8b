//! Why an attempt failed, in GitLab's words
//! (GitLab: `app/models/concerns/enums/ci/commit_status.rb`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// The cause of a failed attempt.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum FailureReason {
            $($(#[$doc])* #[serde(rename = $word)] $name,)+
        }

        impl FailureReason {
            /// All reasons.
            pub const ALL: &[FailureReason] = &[$(FailureReason::$name),+];

            /// The wire word.
            pub fn as_str(self) -> &'static str {
                match self { $(FailureReason::$name => $word,)+ }
            }
        }
    };
}

reasons! {
    /// No better word is known.
    UnknownFailure = "unknown_failure",
    /// A command of the script ended with a non-zero code.
    ScriptFailure = "script_failure",
    /// The API refused a call that the job depends on.
    ApiFailure = "api_failure",
    /// No runner took it in time, or its runner fell silent.
    StuckOrTimeoutFailure = "stuck_or_timeout_failure",
    /// The runner, not the script, broke.
    RunnerSystemFailure = "runner_system_failure",
    /// An artifact that the job needs is gone.
    MissingDependencyFailure = "missing_dependency_failure",
    /// The runner lacks a feature that the job needs.
    RunnerUnsupported = "runner_unsupported",
    /// A delayed job's time passed while it could not start.
    StaleSchedule = "stale_schedule",
    /// The job ran longer than its time limit.
    JobExecutionTimeout = "job_execution_timeout",
    /// The run is archived.
    ArchivedFailure = "archived_failure",
    /// What had to be prepared first could not be.
    UnmetPrerequisites = "unmet_prerequisites",
    /// The scheduler could not place it.
    SchedulerFailure = "scheduler_failure",
    /// Stored data contradicts itself.
    DataIntegrityFailure = "data_integrity_failure",
    /// No runner can ever fit.
    NoMatchingRunner = "no_matching_runner",
    /// The log passed its limit.
    TraceSizeExceeded = "trace_size_exceeded",
    /// The server's own limit passed and the runner said nothing.
    JobExecutionServerTimeout = "job_execution_server_timeout",
    /// The container image could not be pulled.
    ImagePullFailure = "image_pull_failure",
    /// The runner stopped the job on request.
    JobCanceled = "job_canceled",
    /// The runner was stopped while the job ran.
    RunnerInterrupted = "runner_interrupted",
    /// The runner's configuration does not allow the job.
    RunnerConfigurationError = "runner_configuration_error",
    /// Something outside the runner broke.
    RunnerExternalDependencyFailure = "runner_external_dependency_failure",
    /// Its environment cannot be called so.
    EnvironmentCreationFailure = "environment_creation_failure",
    /// The run's configuration is invalid.
    ConfigError = "config_error",
}

impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no failure reason.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a failure reason")]
pub struct UnknownFailureReason(pub String);

impl FromStr for FailureReason {
    type Err = UnknownFailureReason;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        FailureReason::ALL
            .iter()
            .copied()
            .find(|reason| reason.as_str() == text)
            .ok_or_else(|| UnknownFailureReason(text.to_owned()))
    }
}
