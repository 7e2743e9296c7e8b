//! Time limits, cancellation, and processes that do not want to go.

use super::attempt::{Done, job};
use rstest::rstest;
use std::time::Duration;
use tappet_executor::Control;
use tappet_model::FailureReason;

fn alive(needle: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(needle))
    })
}

#[rstest]
#[tokio::test]
async fn a_job_past_its_time_is_stopped_and_after_script_does_not_run(
    #[values(false, true)] mark: bool,
) {
    let done = job(&["echo start", "sleep 4001"])
        .after(&["echo never"])
        .timeout(1)
        .without_namespaces(mark)
        .run()
        .await;
    assert_eq!(
        done.outcome.failure,
        Some(FailureReason::JobExecutionTimeout)
    );
    assert!(done.log.contains("execution took longer than 1s"));
    assert!(!done.log.contains("\nnever"));
}

#[rstest]
#[tokio::test]
async fn a_canceled_job_gets_term_and_then_its_after_script(#[values(false, true)] mark: bool) {
    let done: Done = job(&[
        "trap 'echo cleaned; exit 1' TERM",
        "echo start-$((1+1))",
        "while :; do sleep 0.02; done",
    ])
    .after(&["echo \"after=$CI_JOB_STATUS\""])
    .wish_at("start-2", Control::CancelGracefully)
    .without_namespaces(mark)
    .run()
    .await;
    assert_eq!(done.outcome.failure, Some(FailureReason::JobCanceled));
    assert!(done.log.contains("\ncleaned\n"), "{}", done.log);
    assert!(done.log.contains("\nafter=canceled\n"), "{}", done.log);
}

#[tokio::test]
async fn an_aborted_job_runs_nothing_more() {
    let done = job(&["echo start-$((1+1))", "sleep 4002"])
        .after(&["echo never"])
        .wish_at("start-2", Control::Abort)
        .run()
        .await;
    assert_eq!(done.outcome.failure, Some(FailureReason::JobCanceled));
    assert!(!done.log.contains("\nnever"));
}

#[rstest]
#[tokio::test]
async fn a_tree_that_ignores_term_is_killed_after_the_grace(#[values(false, true)] mark: bool) {
    let needle = format!("41{}{}", std::process::id(), u8::from(mark));
    let script = format!(
        "trap '' TERM; (setsid -f sleep {needle} &); bash -c 'trap \"\" TERM; sleep {needle}' & \
         until grep -qs {needle} /proc/[0-9]*/cmdline; do :; done; echo start-$((1+1)); wait; sleep {needle}"
    );
    let done = job(&[&script])
        .wish_at("start-2", Control::CancelGracefully)
        .grace(Duration::from_millis(200))
        .without_namespaces(mark)
        .run()
        .await;
    assert_eq!(done.outcome.failure, Some(FailureReason::JobCanceled));
    assert!(!alive(&needle));
}

#[tokio::test]
async fn after_script_has_a_limit_of_its_own() {
    let done = job(&["true"])
        .after(&["sleep 4003"])
        .variable("RUNNER_AFTER_SCRIPT_TIMEOUT", "300ms")
        .run()
        .await;
    assert_eq!(done.outcome.failure, None);
    assert!(done.log.contains("after_script took longer than 300ms"));
}

#[tokio::test]
async fn the_script_may_have_a_shorter_limit_that_leaves_time_for_after_script() {
    let done = job(&["sleep 4004"])
        .after(&["echo \"after=$CI_JOB_STATUS\""])
        .variable("RUNNER_SCRIPT_TIMEOUT", "300ms")
        .run()
        .await;
    assert_eq!(
        done.outcome.failure,
        Some(FailureReason::JobExecutionTimeout)
    );
    assert!(done.log.contains("\nafter=failed\n"), "{}", done.log);
}

#[rstest]
#[tokio::test]
async fn a_job_that_kills_all_it_can_see_ends_only_itself() {
    let done = job(&["kill -9 -1; sleep 4005"]).timeout(20).run().await;
    assert!(done.outcome.failure.is_some());
}
