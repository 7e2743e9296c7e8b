//! A status with the words and the icon that a page shows for it
//! (GitLab: `lib/gitlab/ci/status`).

use serde::Serialize;
use tappet_model::Status;
use utoipa::ToSchema;

/// GitLab: `DetailedStatusEntity`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct DetailedStatus {
    icon: &'static str,
    text: &'static str,
    label: &'static str,
    group: &'static str,
    tooltip: &'static str,
    has_details: bool,
    details_path: String,
    illustration: Option<()>,
    favicon: String,
}

impl DetailedStatus {
    /// The status of a run whose page is at `details_path`; `prefix` is the
    /// server's path prefix.
    pub fn of_run(prefix: &str, details_path: String, status: Status, has_warnings: bool) -> Self {
        let words = match status {
            Status::Success if has_warnings => (
                "status_warning",
                "Warning",
                "passed with warnings",
                "success-with-warnings",
            ),
            Status::Created => ("status_created", "Created", "created", "created"),
            Status::WaitingForResource => (
                "status_pending",
                "Waiting",
                "waiting for resource",
                "waiting-for-resource",
            ),
            Status::WaitingForCallback => (
                "status_pending",
                "Waiting",
                "waiting for callback",
                "waiting-for-callback",
            ),
            Status::Preparing => ("status_preparing", "Preparing", "preparing", "preparing"),
            Status::Pending => ("status_pending", "Pending", "pending", "pending"),
            Status::Running => ("status_running", "Running", "running", "running"),
            Status::Success => ("status_success", "Passed", "passed", "success"),
            Status::Failed => ("status_failed", "Failed", "failed", "failed"),
            Status::Canceling => ("status_canceled", "Canceling", "canceling", "canceling"),
            Status::Canceled => ("status_canceled", "Canceled", "canceled", "canceled"),
            Status::Skipped => ("status_skipped", "Skipped", "skipped", "skipped"),
            Status::Manual => (
                "status_manual",
                "Blocked",
                "waiting for manual action",
                "manual",
            ),
            Status::Scheduled => (
                "status_scheduled",
                "Delayed",
                "waiting for delayed job",
                "scheduled",
            ),
        };
        let (icon, text, label, group) = words;
        Self {
            icon,
            text,
            label,
            group,
            tooltip: label,
            has_details: true,
            details_path,
            illustration: None,
            favicon: format!("{prefix}/assets/ci_favicons/favicon_{icon}.png"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Status::Created, false, "status_created Created created created")]
    #[case(Status::Success, false, "status_success Passed passed success")]
    #[case(
        Status::Success,
        true,
        "status_warning Warning passed with warnings success-with-warnings"
    )]
    #[case(Status::Failed, true, "status_failed Failed failed failed")]
    #[case(
        Status::Manual,
        false,
        "status_manual Blocked waiting for manual action manual"
    )]
    #[case(
        Status::Scheduled,
        false,
        "status_scheduled Delayed waiting for delayed job scheduled"
    )]
    fn each_status_has_its_words(
        #[case] status: Status,
        #[case] has_warnings: bool,
        #[case] expected: &str,
    ) {
        let shown = DetailedStatus::of_run("", "/a/b".into(), status, has_warnings);
        let words = [shown.icon, shown.text, shown.label, shown.group].join(" ");
        assert_eq!(words, expected);
    }
}
