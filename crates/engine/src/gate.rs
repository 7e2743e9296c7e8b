//! Whether a job that waits may go, given how those before it ended.
//!
//! Source of the rules: GitLab `app/services/ci/process_build_service.rb`.

use tappet_model::Status;
use tappet_model::plan::When;

/// What becomes of a job that is still `created`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Gate {
    /// It goes on; [`ready_status`] says where to.
    Run,
    /// It will not run.
    Skip,
    /// It is too early to say.
    Wait,
}

/// Decides from `when` and the composite status of the jobs before it.
/// `with_needs`: those jobs are its needs, not the earlier stages; then a
/// skipped one is not good enough for a job that wants success. Somebody decides
/// about [`When::Decided`] later, so that any end of those jobs opens its gate.
pub(crate) fn gate(when: When, with_needs: bool, previous: Status) -> Gate {
    if when == When::Never {
        return Gate::Skip;
    }
    if !previous.is_completed() {
        return Gate::Wait;
    }
    let runs = match when {
        When::OnSuccess | When::Manual | When::Delayed { .. } => {
            previous == Status::Success || (previous == Status::Skipped && !with_needs)
        }
        When::OnFailure => previous == Status::Failed,
        When::Always => previous != Status::Canceled,
        When::Decided => true,
        When::Never => false,
    };
    if runs { Gate::Run } else { Gate::Skip }
}

/// Where a job goes once its gate is open.
pub(crate) fn ready_status(when: When) -> Status {
    match when {
        When::Manual => Status::Manual,
        When::Delayed { .. } => Status::Scheduled,
        When::Decided => Status::WaitingForCallback,
        When::OnSuccess | When::OnFailure | When::Always | When::Never => Status::Pending,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::Status::{self, *};

    use super::*;

    const STAGES: bool = false;
    const NEEDS: bool = true;
    const DELAYED: When = When::Delayed { start_in_s: 5 };

    #[rstest]
    #[case::on_success(When::OnSuccess, STAGES, &[Success, Skipped])]
    #[case::on_success_needs(When::OnSuccess, NEEDS, &[Success])]
    #[case::manual(When::Manual, STAGES, &[Success, Skipped])]
    #[case::manual_needs(When::Manual, NEEDS, &[Success])]
    #[case::delayed(DELAYED, STAGES, &[Success, Skipped])]
    #[case::delayed_needs(DELAYED, NEEDS, &[Success])]
    #[case::on_failure(When::OnFailure, STAGES, &[Failed])]
    #[case::on_failure_needs(When::OnFailure, NEEDS, &[Failed])]
    #[case::always(When::Always, STAGES, &[Success, Failed, Skipped])]
    #[case::always_needs(When::Always, NEEDS, &[Success, Failed, Skipped])]
    #[case::decided(When::Decided, NEEDS, &[Success, Failed, Skipped, Canceled])]
    fn runs_only_after_these(
        #[case] when: When,
        #[case] with_needs: bool,
        #[case] runs_after: &[Status],
    ) {
        for previous in Status::ALL {
            let expected = if runs_after.contains(&previous) {
                Gate::Run
            } else if previous.is_completed() {
                Gate::Skip
            } else {
                Gate::Wait
            };
            assert_eq!(
                gate(when, with_needs, previous),
                expected,
                "after {previous}"
            );
        }
    }

    #[test]
    fn what_is_not_part_of_the_run_waits_for_nothing() {
        for previous in Status::ALL {
            assert_eq!(gate(When::Never, NEEDS, previous), Gate::Skip);
        }
    }

    #[rstest]
    #[case(When::OnSuccess, Pending)]
    #[case(When::OnFailure, Pending)]
    #[case(When::Always, Pending)]
    #[case(When::Manual, Manual)]
    #[case(When::Decided, WaitingForCallback)]
    #[case(DELAYED, Scheduled)]
    fn an_open_gate_leads_to(#[case] when: When, #[case] expected: Status) {
        assert_eq!(ready_status(when), expected);
    }
}
