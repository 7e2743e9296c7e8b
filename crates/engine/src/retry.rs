//! Whether a failed attempt is followed by another one without anybody asking.
//!
//! Source of the rules: GitLab `lib/gitlab/ci/build/auto_retry.rb`.

use tappet_model::FailureReason;
use tappet_model::plan::RetryPolicy;

/// Repetitions after a scheduler failure of a job without a policy.
const SCHEDULER_FAILURE_RETRIES: u32 = 2;

/// Decides for one failure. `done`: how often the job was repeated by itself
/// already.
pub(crate) fn retries_again(
    policy: &RetryPolicy,
    reason: FailureReason,
    exit_code: Option<i32>,
    done: u32,
) -> bool {
    done < limit(policy, reason) && counts(policy, reason, exit_code)
}

fn limit(policy: &RetryPolicy, reason: FailureReason) -> u32 {
    match reason {
        // Another attempt would meet the same wall.
        FailureReason::NoMatchingRunner
        | FailureReason::MissingDependencyFailure
        | FailureReason::EnvironmentCreationFailure => 0,
        FailureReason::SchedulerFailure if *policy == RetryPolicy::default() => {
            SCHEDULER_FAILURE_RETRIES
        }
        _ => policy.max,
    }
}

fn counts(policy: &RetryPolicy, reason: FailureReason, exit_code: Option<i32>) -> bool {
    let by_reason = match &policy.when {
        Some(reasons) => reasons.contains(&reason),
        // Naming exit codes alone means those and nothing else.
        None => policy.exit_codes.is_empty(),
    };
    by_reason || exit_code.is_some_and(|code| policy.exit_codes.contains(&code))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::FailureReason::{self, *};

    use super::*;

    fn policy(max: u32, when: Option<&[FailureReason]>, exit_codes: &[i32]) -> RetryPolicy {
        RetryPolicy {
            max,
            when: when.map(<[_]>::to_vec),
            exit_codes: exit_codes.to_vec(),
        }
    }

    #[rstest]
    #[case::every_reason(policy(1, None, &[]), ScriptFailure, Some(1), true)]
    #[case::no_policy(policy(0, None, &[]), ScriptFailure, Some(1), false)]
    #[case::no_policy_but_scheduler(policy(0, None, &[]), SchedulerFailure, None, true)]
    #[case::listed_reason(policy(1, Some(&[ScriptFailure]), &[]), ScriptFailure, Some(1), true)]
    #[case::unlisted_reason(policy(1, Some(&[ScriptFailure]), &[]), ApiFailure, None, false)]
    #[case::scheduler_not_in_policy(policy(1, Some(&[ApiFailure]), &[]), SchedulerFailure, None, false)]
    #[case::listed_code(policy(1, None, &[137]), ScriptFailure, Some(137), true)]
    #[case::codes_replace_every_reason(policy(1, None, &[137]), ScriptFailure, Some(1), false)]
    #[case::code_beside_reason(policy(1, Some(&[ApiFailure]), &[137]), ScriptFailure, Some(137), true)]
    #[case::reason_beside_code(policy(1, Some(&[ApiFailure]), &[137]), ApiFailure, None, true)]
    #[case::neither(policy(1, Some(&[ApiFailure]), &[137]), ScriptFailure, Some(1), false)]
    #[case::unknown_code(policy(1, None, &[0]), ScriptFailure, None, false)]
    #[case::no_runner_fits(policy(2, None, &[]), NoMatchingRunner, None, false)]
    #[case::artifact_gone(policy(2, None, &[]), MissingDependencyFailure, None, false)]
    #[case::environment_misnamed(policy(2, None, &[]), EnvironmentCreationFailure, None, false)]
    fn first_failure_is_repeated(
        #[case] policy: RetryPolicy,
        #[case] reason: FailureReason,
        #[case] exit_code: Option<i32>,
        #[case] expected: bool,
    ) {
        assert_eq!(retries_again(&policy, reason, exit_code, 0), expected);
    }

    #[rstest]
    #[case::policy(policy(2, None, &[]), ScriptFailure)]
    #[case::scheduler_default(policy(0, None, &[]), SchedulerFailure)]
    fn repeating_ends_at_the_limit(#[case] policy: RetryPolicy, #[case] reason: FailureReason) {
        let allowed = (0..5).map(|done| retries_again(&policy, reason, None, done));
        assert!(allowed.eq([true, true, false, false, false]));
    }
}
