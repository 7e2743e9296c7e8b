//! Which runner may take which job.

/// Every tag of the job is one of the runner's, and a job without tags needs a
/// runner that takes such jobs (GitLab: `Ci::Runner#accepting_tags?`).
pub fn fit(runner: &[String], run_untagged: bool, job: &[String]) -> bool {
    if job.is_empty() {
        run_untagged
    } else {
        job.iter().all(|tag| runner.contains(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::untagged_job_untagged_runner(&[], true, &[], true)]
    #[case::tagged_runner_refuses_untagged(&["a"], false, &[], false)]
    #[case::subset(&["a", "b"], false, &["a"], true)]
    #[case::one_missing(&["a"], true, &["a", "b"], false)]
    fn tags_decide(
        #[case] runner: &[&str],
        #[case] run_untagged: bool,
        #[case] job: &[&str],
        #[case] expected: bool,
    ) {
        let owned = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(fit(&owned(runner), run_untagged, &owned(job)), expected);
    }
}
