//! Which failures do not stop a run.

use tappet_model::plan::AllowFailure;

use crate::GraphJob;

/// Whether the job's failure with this exit code is only a warning. Codes that
/// are allowed one by one count only once the exit code is known.
pub fn is_allowed_failure(job: &GraphJob, exit_code: Option<i32>) -> bool {
    match &job.allow_failure {
        AllowFailure::No => false,
        AllowFailure::Yes => true,
        AllowFailure::ExitCodes(codes) => exit_code.is_some_and(|code| codes.contains(&code)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::plan::{RetryPolicy, When};

    use super::*;

    #[rstest]
    #[case::none(AllowFailure::No, Some(1), false)]
    #[case::all(AllowFailure::Yes, None, true)]
    #[case::listed(AllowFailure::ExitCodes(vec![3, 4]), Some(4), true)]
    #[case::unlisted(AllowFailure::ExitCodes(vec![3, 4]), Some(1), false)]
    #[case::unknown(AllowFailure::ExitCodes(vec![3, 4]), None, false)]
    fn allowed(
        #[case] allow_failure: AllowFailure,
        #[case] exit_code: Option<i32>,
        #[case] expected: bool,
    ) {
        let job = GraphJob {
            stage: 0,
            when: When::OnSuccess,
            allow_failure,
            needs: None,
            retry: RetryPolicy::default(),
            group: None,
        };
        assert_eq!(is_allowed_failure(&job, exit_code), expected);
    }
}
