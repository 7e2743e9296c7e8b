//! Why there is no run.

use std::time::Duration;

use tappet_store::StoreError;

use super::plain_text::without_tags;
use crate::settings_variables::SettingsError;

/// Why there is no run.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The chain stopped; GitLab's text.
    #[error("{message}")]
    NotStarted {
        /// GitLab's wording.
        message: String,
    },
    /// A variable's name cannot be an environment variable.
    #[error("can contain only letters, digits and '_'.")]
    InvalidVariableKey,
    /// The commit has no pipeline file, or its rules leave no job.
    #[error("{message}")]
    NothingToRun {
        /// GitLab's wording.
        message: String,
    },
    /// What was pushed is not on the ref any more.
    #[error("the ref was rewritten after this push; the later push starts its own pipeline")]
    Superseded,
    /// The commit asks for no pipeline.
    #[error("the commit message asks to skip CI")]
    Skipped,
    /// The idempotency key belongs to another request.
    #[error("the Idempotency-Key was used with another request; use a new key")]
    KeyReused,
    /// The repository cannot be reached now.
    #[error("{message}")]
    Unavailable {
        /// What was tried.
        message: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// Too much waits already.
    #[error("too many jobs are waiting for a runner; try again later")]
    QueueFull {
        /// When to try again.
        retry_after: Duration,
    },
    /// The commit or the workflow that the caller names is not there.
    #[error("{0}")]
    WorkflowNotFound(String),
    /// What the caller says of the workflow contradicts it.
    #[error("{0}")]
    WorkflowMismatch(String),
    /// A variable of the settings cannot be read.
    #[error("{0}")]
    Settings(String),
    /// The database broke.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The repository cannot be reached now.
pub(super) fn unavailable(message: String) -> Refusal {
    Refusal::Unavailable {
        message,
        retry_after: crate::repositories::RETRY_AFTER,
    }
}

impl From<SettingsError> for Refusal {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Store(error) => Self::Store(error),
            sealed @ SettingsError::Sealed { .. } => Self::Settings(sealed.to_string()),
        }
    }
}

/// The chain stopped, with GitLab's text.
pub(super) fn not_started(message: impl Into<String>) -> Refusal {
    Refusal::NotStarted {
        message: without_tags(message.into()),
    }
}
