//! Depot's words for what Tappet calls otherwise.

use tappet_model::{FailureReason, RefKind, Source, Status, Timestamp};
use tappet_store::{Attempt, Run};

/// A run or a workflow: `queued`, `running`, `finished`, `failed`, `cancelled`.
pub fn run_status(status: Status) -> &'static str {
    match status {
        Status::Running | Status::Canceling => "running",
        Status::Success | Status::Skipped => "finished",
        Status::Failed => "failed",
        Status::Canceled => "cancelled",
        Status::Created
        | Status::WaitingForResource
        | Status::Preparing
        | Status::WaitingForCallback
        | Status::Pending
        | Status::Manual
        | Status::Scheduled => "queued",
    }
}

/// The statuses that a run with this word has; `None` for no word of Depot's.
pub fn statuses_of(word: &str) -> Option<Vec<Status>> {
    let statuses: Vec<Status> = Status::ALL
        .into_iter()
        .filter(|status| run_status(*status) == word)
        .collect();
    (!statuses.is_empty()).then_some(statuses)
}

/// A job: the words of runs, `waiting` for others, and `skipped`.
pub fn job_status(attempt: &Attempt) -> &'static str {
    match attempt.status {
        Status::Skipped => "skipped",
        Status::Created | Status::WaitingForCallback if waits_for_others(attempt) => "waiting",
        status => run_status(status),
    }
}

fn waits_for_others(attempt: &Attempt) -> bool {
    match &attempt.needs {
        Some(needs) => !needs.is_empty(),
        None => attempt.stage_index > 0,
    }
}

/// How something ended; `None` while it has not.
pub fn conclusion(status: Status, reason: Option<FailureReason>) -> Option<&'static str> {
    let timed_out = matches!(
        reason,
        Some(FailureReason::JobExecutionTimeout | FailureReason::JobExecutionServerTimeout)
    );
    match status {
        Status::Success => Some("success"),
        Status::Failed if timed_out => Some("timed_out"),
        Status::Failed => Some("failure"),
        Status::Canceled => Some("cancelled"),
        Status::Skipped => Some("skipped"),
        _ => None,
    }
}

/// What started a run: Depot's and GitHub's words where there are any.
pub fn trigger(source: Source) -> &'static str {
    match source {
        Source::Web => "workflow_dispatch",
        Source::MergeRequestEvent | Source::ExternalPullRequestEvent => "pull_request",
        other => other.as_str(),
    }
}

/// The sources that have this word; empty for a word that no run has.
pub fn sources_of(word: &str) -> Vec<Source> {
    let all = Source::ALL.iter().copied();
    all.filter(|source| trigger(*source) == word).collect()
}

/// `refs/heads/main`.
pub fn full_ref(run: &Run) -> String {
    let folder = match run.ref_kind {
        RefKind::Branch => "refs/heads/",
        RefKind::Tag => "refs/tags/",
        RefKind::Commit | RefKind::PullRequest => "",
    };
    format!("{folder}{}", run.ref_name)
}

/// RFC 3339; empty for a time that has not come.
pub fn time(time: Option<Timestamp>) -> String {
    time.map_or_else(String::new, |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("queued", 7)]
    #[case("running", 2)]
    #[case("finished", 2)]
    #[case("failed", 1)]
    #[case("cancelled", 1)]
    fn every_status_has_one_word(#[case] word: &str, #[case] count: usize) {
        assert_eq!(
            statuses_of(word).map(|statuses| statuses.len()),
            Some(count)
        );
    }

    #[rstest]
    #[case("success")]
    #[case("canceled")]
    #[case("")]
    fn words_of_others_are_none_of_depots(#[case] word: &str) {
        assert_eq!(statuses_of(word), None);
    }

    #[rstest]
    #[case(Status::Created, Some(vec![]), 0, "queued")]
    #[case(Status::Created, Some(vec!["build"]), 0, "waiting")]
    #[case(Status::WaitingForCallback, Some(vec!["build"]), 0, "waiting")]
    #[case(Status::Created, None, 1, "waiting")]
    #[case(Status::Created, None, 0, "queued")]
    #[case(Status::Pending, Some(vec!["build"]), 0, "queued")]
    #[case(Status::Skipped, None, 0, "skipped")]
    #[case(Status::Success, None, 1, "finished")]
    fn a_job_waits_for_others_or_for_a_runner(
        #[case] status: Status,
        #[case] needs: Option<Vec<&str>>,
        #[case] stage_index: usize,
        #[case] expected: &str,
    ) {
        let attempt = Attempt {
            status,
            needs: needs.map(|needs| needs.into_iter().map(str::to_owned).collect()),
            stage_index,
            ..Attempt::example()
        };
        assert_eq!(job_status(&attempt), expected);
    }

    #[rstest]
    #[case("push", &[Source::Push])]
    #[case("api", &[Source::Api])]
    #[case("workflow_dispatch", &[Source::Web])]
    #[case("pull_request", &[Source::MergeRequestEvent, Source::ExternalPullRequestEvent])]
    #[case("moonrise", &[])]
    fn a_trigger_names_sources(#[case] word: &str, #[case] expected: &[Source]) {
        assert_eq!(sources_of(word), expected);
    }
}
