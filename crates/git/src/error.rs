//! Why something could not be read from a repository that was open.

use std::path::PathBuf;
use std::time::Duration;

use tappet_model::CommitSha;

/// A failed read. The text is fit for an API message.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReadError {
    /// The repository is no longer there.
    #[error("the repository {} is gone: put it back or change the project's repository", dir.display())]
    Gone {
        /// Where it was.
        dir: PathBuf,
    },
    /// Git did not answer.
    #[error("git did not answer within {limit:?}: check the disk that holds the repository")]
    Timeout {
        /// How long it had.
        limit: Duration,
    },
    /// Git could not be started or ended early, twice.
    #[error("git stopped while reading the repository: {detail}")]
    Stopped {
        /// What it said.
        detail: String,
    },
    /// An object or ref is damaged or missing.
    #[error("the repository is damaged: {detail}; `git fsck` shows more")]
    Corrupt {
        /// What is wrong.
        detail: String,
    },
    /// There is no such commit.
    #[error("there is no commit {sha} in the repository")]
    NoCommit {
        /// What was asked for.
        sha: CommitSha,
    },
}

impl ReadError {
    pub(crate) fn corrupt(detail: impl Into<String>) -> Self {
        ReadError::Corrupt {
            detail: detail.into(),
        }
    }
}

impl From<crate::command::RunError> for ReadError {
    fn from(error: crate::command::RunError) -> Self {
        match error {
            crate::command::RunError::Timeout(limit) => ReadError::Timeout { limit },
            crate::command::RunError::Io(error) => ReadError::Stopped {
                detail: error.to_string(),
            },
        }
    }
}
