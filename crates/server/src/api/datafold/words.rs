//! Datafold's words for where a run stands and why it exists (datafold-sdk 0.4.1 and
//! the published API: `JobStatus`, `JobSource`).

use tappet_model::Status;
use tappet_store::Hold;

/// Where a run stands. Clients wait until it is `done`, `failed` or `cancelled`.
pub fn status(status: Status, hold: Option<Hold>) -> &'static str {
    let is_over = status.is_completed();
    match hold {
        Some(Hold::Diffs { .. }) if !is_over => return "waiting",
        Some(Hold::Approval { .. }) if !is_over => return "needs_confirmation",
        _ => {}
    }
    match status {
        Status::Created | Status::Manual | Status::Scheduled => "waiting",
        Status::WaitingForResource
        | Status::WaitingForCallback
        | Status::Preparing
        | Status::Pending => "queued",
        Status::Running | Status::Canceling => "processing",
        Status::Success | Status::Skipped => "done",
        Status::Failed => "failed",
        Status::Canceled => "cancelled",
    }
}

/// Who wanted a run: a forge, a call, or somebody who repeated it by hand.
pub fn source(is_repeated: bool, is_from_forge: bool) -> &'static str {
    if is_repeated {
        "manual"
    } else if is_from_forge {
        "ci"
    } else {
        "api"
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::Timestamp;

    use super::*;

    const DIFFS: Option<Hold> = Some(Hold::Diffs {
        until: Timestamp(0),
    });
    const APPROVAL: Option<Hold> = Some(Hold::Approval { then_diffs_s: None });

    #[rstest]
    #[case(false, false, "api")]
    #[case(false, true, "ci")]
    #[case(true, false, "manual")]
    #[case(true, true, "manual")]
    fn every_reason_has_its_word(
        #[case] is_repeated: bool,
        #[case] is_from_forge: bool,
        #[case] expected: &str,
    ) {
        assert_eq!(source(is_repeated, is_from_forge), expected);
    }

    #[rstest]
    #[case(Status::Created, DIFFS, "waiting")]
    #[case(Status::Created, APPROVAL, "needs_confirmation")]
    #[case(Status::Canceled, DIFFS, "cancelled")]
    #[case(Status::Failed, APPROVAL, "failed")]
    #[case(Status::Created, None, "waiting")]
    #[case(Status::Manual, None, "waiting")]
    #[case(Status::Scheduled, None, "waiting")]
    #[case(Status::WaitingForResource, None, "queued")]
    #[case(Status::WaitingForCallback, None, "queued")]
    #[case(Status::Preparing, None, "queued")]
    #[case(Status::Pending, None, "queued")]
    #[case(Status::Running, None, "processing")]
    #[case(Status::Canceling, None, "processing")]
    #[case(Status::Success, None, "done")]
    #[case(Status::Skipped, None, "done")]
    #[case(Status::Failed, None, "failed")]
    #[case(Status::Canceled, None, "cancelled")]
    fn every_status_has_its_word(
        #[case] of_run: Status,
        #[case] hold: Option<Hold>,
        #[case] expected: &str,
    ) {
        assert_eq!(status(of_run, hold), expected);
    }
}
