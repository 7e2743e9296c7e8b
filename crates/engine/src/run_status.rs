//! The status of a run: the composite of its jobs, except that a run which has
//! begun does not wait for a runner again.
//!
//! Source of the rule: GitLab `app/models/ci/pipeline.rb`, event `enqueue`.

use tappet_model::Status;

/// The status that follows `current` when the jobs' composite is `composite`.
pub(crate) fn run_status(current: Status, composite: Status) -> Status {
    match (current, composite) {
        (
            Status::Running
            | Status::Success
            | Status::Failed
            | Status::Canceling
            | Status::Canceled,
            Status::Pending,
        ) => Status::Running,
        _ => composite,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::Status::*;

    use super::*;

    #[rstest]
    #[case::fresh(&[Created, WaitingForResource, Preparing, WaitingForCallback, Pending], Pending)]
    #[case::nothing_ran_yet(&[Skipped, Manual, Scheduled], Pending)]
    #[case::begun(&[Running, Canceling], Running)]
    #[case::over(&[Success, Failed, Canceled], Running)]
    fn a_job_waiting_for_a_runner_makes_the_run(
        #[case] before: &[Status],
        #[case] expected: Status,
    ) {
        for &current in before {
            assert_eq!(run_status(current, Pending), expected, "from {current}");
        }
    }

    #[test]
    fn any_other_composite_is_the_status() {
        for current in Status::ALL {
            for composite in Status::ALL.into_iter().filter(|&status| status != Pending) {
                assert_eq!(run_status(current, composite), composite);
            }
        }
    }
}
