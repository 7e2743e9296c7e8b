//! Our status in each forge's words.

use tappet_model::{ForgeKind, Status};

/// The word with which a forge is told of a status. Only GitLab knows the difference
/// between waiting and running, and only GitLab and Bitbucket a run that was stopped:
/// the others get `error`, which is theirs for "neither good nor bad". A run in which
/// nothing had to be done is a success. Gitea's `warning` is not used: it counts below
/// `pending` there (modules/structs/commit_status.go), so a job that may fail would hold
/// up what a branch protection asks for.
pub fn state_word(kind: ForgeKind, status: Status) -> &'static str {
    use ForgeKind::{Bitbucket, Gitea, Github, Gitlab};
    match status {
        Status::Created
        | Status::WaitingForResource
        | Status::Preparing
        | Status::WaitingForCallback
        | Status::Pending
        | Status::Manual
        | Status::Scheduled => match kind {
            Github | Gitea | Gitlab => "pending",
            Bitbucket => "INPROGRESS",
        },
        Status::Running | Status::Canceling => match kind {
            Github | Gitea => "pending",
            Gitlab => "running",
            Bitbucket => "INPROGRESS",
        },
        Status::Success | Status::Skipped => match kind {
            Github | Gitea | Gitlab => "success",
            Bitbucket => "SUCCESSFUL",
        },
        Status::Failed => match kind {
            Github | Gitea => "failure",
            Gitlab => "failed",
            Bitbucket => "FAILED",
        },
        Status::Canceled => match kind {
            Github | Gitea => "error",
            Gitlab => "canceled",
            Bitbucket => "STOPPED",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Status::Created, ["pending", "pending", "pending", "INPROGRESS"])]
    #[case(Status::WaitingForResource, ["pending", "pending", "pending", "INPROGRESS"])]
    #[case(Status::Preparing, ["pending", "pending", "pending", "INPROGRESS"])]
    #[case(Status::WaitingForCallback, ["pending", "pending", "pending", "INPROGRESS"])]
    #[case(Status::Pending, ["pending", "pending", "pending", "INPROGRESS"])]
    #[case(Status::Manual, ["pending", "pending", "pending", "INPROGRESS"])]
    #[case(Status::Scheduled, ["pending", "pending", "pending", "INPROGRESS"])]
    #[case(Status::Running, ["pending", "running", "pending", "INPROGRESS"])]
    #[case(Status::Canceling, ["pending", "running", "pending", "INPROGRESS"])]
    #[case(Status::Success, ["success", "success", "success", "SUCCESSFUL"])]
    #[case(Status::Skipped, ["success", "success", "success", "SUCCESSFUL"])]
    #[case(Status::Failed, ["failure", "failed", "failure", "FAILED"])]
    #[case(Status::Canceled, ["error", "canceled", "error", "STOPPED"])]
    fn every_status_has_a_word(#[case] status: Status, #[case] expected: [&str; 4]) {
        let words = ForgeKind::ALL.map(|kind| state_word(kind, status));
        assert_eq!(words, expected);
    }
}
