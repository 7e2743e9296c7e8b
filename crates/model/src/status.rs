//! The thirteen status words of jobs, stages and runs. GitLab's words are the
//! superset; each API maps them at its edge.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where an attempt, a stage or a run stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Exists, but earlier jobs decide whether and when it starts.
    Created,
    /// Ready, but another holder has its resource group.
    WaitingForResource,
    /// Prerequisites are being prepared.
    Preparing,
    /// An outside system has to call back.
    WaitingForCallback,
    /// Ready for a runner.
    Pending,
    /// A runner has it.
    Running,
    /// Ended well.
    Success,
    /// Ended badly.
    Failed,
    /// Told to stop; its runner is cleaning up.
    Canceling,
    /// Stopped on request.
    Canceled,
    /// Will not run.
    Skipped,
    /// Waits for a person.
    Manual,
    /// Waits for its delay to pass.
    Scheduled,
}

impl Status {
    /// All statuses, in GitLab's order.
    pub const ALL: [Status; 13] = [
        Status::Created,
        Status::WaitingForResource,
        Status::Preparing,
        Status::WaitingForCallback,
        Status::Pending,
        Status::Running,
        Status::Success,
        Status::Failed,
        Status::Canceling,
        Status::Canceled,
        Status::Skipped,
        Status::Manual,
        Status::Scheduled,
    ];

    /// The wire word, as in GitLab's API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Created => "created",
            Status::WaitingForResource => "waiting_for_resource",
            Status::Preparing => "preparing",
            Status::WaitingForCallback => "waiting_for_callback",
            Status::Pending => "pending",
            Status::Running => "running",
            Status::Success => "success",
            Status::Failed => "failed",
            Status::Canceling => "canceling",
            Status::Canceled => "canceled",
            Status::Skipped => "skipped",
            Status::Manual => "manual",
            Status::Scheduled => "scheduled",
        }
    }

    /// Ended for good: nothing but a retry follows.
    pub fn is_completed(self) -> bool {
        matches!(
            self,
            Status::Success | Status::Failed | Status::Canceled | Status::Skipped
        )
    }

    /// A runner holds it, so its token and log are open.
    pub fn is_executing(self) -> bool {
        matches!(self, Status::Running | Status::Canceling)
    }

    /// A cancel changes it.
    pub fn is_cancelable(self) -> bool {
        !self.is_completed() && self != Status::Canceling
    }

    /// On its way to a runner or with one.
    pub fn is_active(self) -> bool {
        matches!(
            self,
            Status::WaitingForResource
                | Status::Preparing
                | Status::WaitingForCallback
                | Status::Pending
                | Status::Running
        )
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no status.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a status")]
pub struct UnknownStatus(pub String);

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Status::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert_eq!("done".parse::<Status>(), Err(UnknownStatus("done".into())));
    }

    #[test]
    fn canceling_holds_its_runner_but_cannot_be_canceled_again() {
        assert!(Status::Canceling.is_executing());
        assert!(!Status::Canceling.is_cancelable());
        assert!(!Status::Canceling.is_completed());
    }
}
