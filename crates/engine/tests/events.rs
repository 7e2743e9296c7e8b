//! What events do beyond GitLab's own cases: who may do what when, cancel,
//! retry, delays, exit codes, and the order in which changes are told.

#[path = "support/scenario.rs"]
mod scenario;

use rstest::rstest;
use scenario::Scenario;
use tappet_engine::{Event, Graph, GraphJob, JobState, Refused, RunState, Transition};
use tappet_model::Status;
use tappet_model::plan::{AllowFailure, RetryPolicy, When};

/// Applies actions, one after another.
fn after(graph: &str, actions: &[&str]) -> Scenario {
    let mut run = Scenario::start(graph);
    for action in actions {
        run.apply(action).expect(action);
    }
    run
}

#[test]
fn a_start_enqueues_jobs_and_then_moves_the_run() {
    let run = Scenario::start("a@one; b@one manual; c@two; d@two on_failure needs()");
    assert_eq!(
        run.story(),
        [
            "a: created pending",
            "b: created manual",
            "d: created skipped",
            "run: created pending",
        ]
    );
}

#[test]
fn a_cascade_is_told_in_causal_order() {
    let run = after("c@one needs(b); b@one needs(a); a@one; d@two", &["drop a"]);
    assert_eq!(
        run.story(),
        [
            "a: pending running",
            "run: pending running",
            "a: running failed",
            "b: created skipped",
            "c: created skipped",
            "d: created skipped",
            "run: running failed",
        ]
    );
}

#[test]
fn a_run_without_jobs_succeeds() {
    let (state, transitions) = RunState::start(&Graph::default());
    assert_eq!(state.status, Status::Success);
    assert_eq!(
        transitions,
        [Transition::Run {
            from: Status::Created,
            to: Status::Success
        }]
    );
}

#[rstest]
#[case::take_twice("a@one", &["run a"], "run a", Refused::NotPending)]
#[case::take_too_early("a@one; b@two", &[], "run b", Refused::NotPending)]
#[case::take_after_cancel("a@one", &["cancel a"], "run a", Refused::NotPending)]
#[case::success_twice("a@one", &["success a"], "success a", Refused::NotRunning)]
#[case::failure_after_success("a@one", &["success a"], "drop a", Refused::NotRunning)]
#[case::success_after_cancel("a@one", &["run a", "cancel a"], "success a", Refused::NotRunning)]
#[case::success_too_early("a@one; b@two", &[], "success b", Refused::NotRunning)]
#[case::give_up_too_early("a@one; b@two", &[], "give_up b", Refused::NotRunning)]
#[case::give_up_what_nobody_played("a@one manual", &[], "give_up a", Refused::NotRunning)]
#[case::late_failure_of_an_older_attempt(
    "a@one retry(2)",
    &["drop a"],
    "late_drop a",
    Refused::NotRunning
)]
#[case::play_a_normal_job("a@one", &[], "play a", Refused::NotPlayable)]
#[case::play_twice("a@one manual", &["play a"], "play a", Refused::NotPlayable)]
#[case::retry_a_pending_job("a@one", &[], "retry a", Refused::NotRetryable)]
#[case::retry_a_running_job("a@one", &["run a"], "retry a", Refused::NotRetryable)]
#[case::retry_a_skipped_job("a@one; b@two", &["drop a"], "retry b", Refused::NotRetryable)]
#[case::retry_a_manual_job("a@one manual", &[], "retry a", Refused::NotRetryable)]
#[case::retry_while_canceling(
    "a@one",
    &["run_gracefully a", "cancel a"],
    "retry a",
    Refused::NotRetryable
)]
#[case::force_what_runs("a@one", &["run a"], "force_cancel a", Refused::NotPossible)]
#[case::force_what_is_over("a@one", &["success a"], "force_cancel a", Refused::NotPossible)]
#[case::skip_what_runs("a@one", &["run a"], "skip a", Refused::NotPossible)]
#[case::skip_what_is_over("a@one", &["success a"], "skip a", Refused::NotPossible)]
#[case::enqueue_too_early("a@one; b@two", &[], "enqueue b", Refused::NotPossible)]
#[case::enqueue_a_manual_job("a@one manual", &[], "enqueue a", Refused::NotPossible)]
#[case::enqueue_what_was_played("a@one delayed", &["play a"], "enqueue a", Refused::NotPossible)]
#[case::enqueue_what_was_canceled("a@one delayed", &["cancel a"], "enqueue a", Refused::NotPossible)]
#[case::play_after_the_delay("a@one delayed", &["enqueue a"], "play a", Refused::NotPlayable)]
#[case::take_before_the_delay_is_over("a@one delayed", &[], "run a", Refused::NotPending)]
#[case::retry_a_delayed_job("a@one delayed", &[], "retry a", Refused::NotRetryable)]
#[case::no_such_job("a@one", &[], "run z", Refused::UnknownJob)]
fn refuses(
    #[case] graph: &str,
    #[case] before: &[&str],
    #[case] action: &str,
    #[case] expected: Refused,
) {
    assert_eq!(after(graph, before).apply(action), Err(expected));
}

#[test]
fn a_runner_without_grace_loses_the_job_at_once() {
    let run = after("a@one; b@two always", &["run a", "cancel a"]);
    run.expect("canceled: a canceled, b skipped");
}

#[rstest]
#[case::it_failed("drop a")]
#[case::it_went_well("success a")]
#[case::it_fell_silent("force_cancel a")]
fn a_canceling_job_ends_canceled(#[case] end: &str) {
    let mut run = after("a@one retry(2); b@two", &["run_gracefully a", "cancel a"]);
    run.expect("running: a canceling, b created");
    run.apply(end).expect(end);
    run.expect("canceled: a canceled, b skipped");
}

#[rstest]
#[case::over("a@one", &["success a"])]
#[case::skipped("a@one on_failure", &[])]
#[case::canceled("a@one", &["cancel a"])]
#[case::canceling("a@one", &["run_gracefully a", "cancel a"])]
fn canceling_again_changes_nothing(#[case] graph: &str, #[case] before: &[&str]) {
    for action in ["cancel a", "cancel_run"] {
        let mut run = after(graph, before);
        run.apply(action).expect("a cancel is never refused");
        assert!(run.story().is_empty(), "{:?}", run.story());
    }
}

#[test]
fn canceling_a_run_stops_all_that_is_not_over() {
    let graph = "done@one; quick@one; slow@one; waits@one; asks@one manual blocking; \
                 may@one manual; late@one delayed; \
                 next@two always";
    let mut run = after(
        graph,
        &[
            "success done",
            "run quick",
            "run_gracefully slow",
            "cancel_run",
        ],
    );
    run.expect(
        "canceling: done success, quick waits asks late next canceled, may manual, slow canceling",
    );
    run.apply("drop slow").expect("the runner reports the end");
    run.expect("canceled: done success, quick waits asks late next slow canceled, may manual");
}

#[test]
fn canceling_a_run_that_is_over_changes_nothing() {
    let mut run = after("a@one; clean_up@two manual", &["success a"]);
    run.expect("success: a success, clean_up manual");
    run.apply("cancel_run").expect("a cancel is never refused");
    run.expect("success: a success, clean_up manual");
    run.apply("play clean_up")
        .expect("it is still to be played");
}

#[test]
fn retrying_a_run_repeats_what_failed_or_was_canceled() {
    let graph = "done@one; bad@one; stopped@one; asked@one manual; next@two; clean@two on_failure";
    let mut run = after(
        graph,
        &[
            "success done",
            "drop bad",
            "play asked",
            "drop asked",
            "cancel stopped",
        ],
    );
    run.expect(
        "running: done success, bad asked failed, stopped canceled, next skipped, clean pending",
    );
    run.apply("success clean").expect("clean up");
    run.apply("retry_run").expect("a run can be retried");
    assert_eq!(
        run.story(),
        [
            "bad #2: pending",
            "stopped #2: pending",
            "asked #2: manual",
            "next: skipped created",
            "run: failed running",
        ]
    );
}

#[test]
fn retrying_a_run_that_went_well_changes_nothing() {
    let run = after("a@one; b@two on_failure", &["success a", "retry_run"]);
    assert!(run.story().is_empty(), "{:?}", run.story());
}

#[test]
fn retrying_a_canceled_run_waits_for_earlier_stages_again() {
    let run = after("a@one; b@two", &["cancel_run", "retry_run"]);
    assert_eq!(
        run.story(),
        ["a #2: pending", "b #2: created", "run: canceled running"]
    );
}

#[test]
fn the_retry_policy_repeats_a_failure_before_others_see_it() {
    let mut run = after("a@one retry(2); b@two", &["drop a"]);
    assert_eq!(
        run.story()[2..],
        ["a: running failed", "a #2 automatic: pending"],
        "the run goes on, so it has no change to tell"
    );
    run.apply("drop a").expect("second failure");
    run.apply("drop a").expect("third failure");
    run.expect("failed: a failed, b skipped");
}

#[test]
fn a_retry_by_hand_renews_the_automatic_ones() {
    let mut run = after("a@one retry(1)", &["drop a", "drop a", "retry a", "drop a"]);
    run.expect("running: a pending");
    assert_eq!(
        run.story()[1..],
        ["a: running failed", "a #4 automatic: pending"]
    );
    run.apply("drop a").expect("last failure");
    run.expect("failed: a failed");
}

#[test]
fn a_canceled_job_is_not_repeated() {
    after("a@one retry(2)", &["run a", "cancel a"]).expect("canceled: a canceled");
}

#[rstest]
#[case::allowed_code("drop(3) a", "running: a failed, b pending, c skipped")]
#[case::other_code("drop a", "running: a failed, b skipped, c pending")]
#[case::no_code("give_up a", "running: a failed, b skipped, c pending")]
#[case::cancel("cancel a", "canceled: a canceled, b c skipped")]
fn only_listed_exit_codes_are_warnings(#[case] end: &str, #[case] expected: &str) {
    after("a@one may_fail(3); b@two; c@two on_failure", &[end]).expect(expected);
}

#[test]
fn a_retried_job_waits_if_earlier_ones_run_again() {
    let mut run = after(
        "a@one; b@two",
        &["success a", "drop b", "retry a", "retry b"],
    );
    run.expect("running: a pending, b created");
    run.apply("drop a").expect("a fails this time");
    run.expect("failed: a failed, b skipped");
    run.apply("retry a").expect("a is over");
    run.apply("success a").expect("a goes well again");
    run.expect("running: a success, b pending");
}

#[test]
fn a_retried_manual_job_needs_no_second_play() {
    after("a@one manual", &["play a", "success a", "retry a"]).expect("running: a pending");
}

#[rstest]
#[case::timer("enqueue b")]
#[case::person("play b")]
fn a_delayed_job_waits_for_its_timer_or_a_person(#[case] action: &str) {
    let mut run = after("a@one; b@two delayed; c@three", &["success a"]);
    run.expect("scheduled: a success, b scheduled, c created");
    run.apply(action).expect(action);
    run.expect("running: a success, b pending, c created");
}

#[test]
fn a_delayed_job_that_is_canceled_lets_nothing_after_it_run() {
    after("a@one delayed; b@two", &["cancel a"]).expect("canceled: a canceled, b skipped");
}

#[test]
fn a_retried_delayed_job_waits_only_with_its_whole_run() {
    let ended = ["enqueue a", "drop a"];
    after("a@one delayed", &[&ended[..], &["retry a"]].concat()).expect("running: a pending");
    after("a@one delayed", &[&ended[..], &["retry_run"]].concat()).expect("scheduled: a scheduled");
}

#[test]
fn a_played_job_tells_only_of_jobs_that_change() {
    let run = after(
        "a@one manual; b@one manual; c@two needs(a); d@two needs(b); e@three needs(c)",
        &["play a"],
    );
    assert_eq!(
        run.story(),
        [
            "a: manual pending",
            "c: skipped created",
            "e: skipped created",
            "run: skipped pending",
        ]
    );
}

#[test]
fn a_skip_from_outside_lets_the_rest_go_on() {
    after("a@one; b@two; c@two needs(a)", &["skip a"]).expect("pending: a c skipped, b pending");
}

#[test]
fn the_first_failure_may_cancel_the_rest() {
    let mut run = after(
        "cancel_on_failure; a@one retry(1); b@one; c@two always",
        &["run_gracefully b", "drop a"],
    );
    run.expect("running: a pending, b running, c created");
    run.apply("drop a").expect("no retry is left");
    run.expect("canceling: a failed, b canceling, c canceled");
    run.apply("drop b").expect("the runner reports the end");
    run.expect("failed: a failed, b c canceled");
}

#[test]
fn foreign_statuses_count_beside_the_jobs_until_they_change() {
    let (mut state, _) = RunState::start(&Graph::default());
    let graph = Graph::default();
    let mut set = |statuses: &[Status]| {
        let external = statuses.iter().map(|&status| (status, false)).collect();
        state.step(&graph, Event::External(external)).unwrap();
        state.status
    };
    assert_eq!(set(&[Status::Running]), Status::Running);
    assert_eq!(set(&[Status::Running, Status::Failed]), Status::Running);
    assert_eq!(set(&[Status::Success, Status::Failed]), Status::Failed);
    assert_eq!(set(&[Status::Success]), Status::Success);
}

#[test]
fn a_failed_foreign_status_fails_a_run_whose_jobs_passed() {
    let job = |status| JobState {
        status,
        attempt: 1,
        automatic_retries: 0,
        failure_reason: None,
        exit_code: None,
        cancels_gracefully: false,
    };
    let graph = Graph {
        jobs: vec![GraphJob {
            stage: 0,
            when: When::OnSuccess,
            allow_failure: AllowFailure::default(),
            needs: None,
            retry: RetryPolicy::default(),
            group: None,
        }],
        ..Graph::default()
    };
    let mut state = RunState {
        jobs: vec![job(Status::Success)],
        status: Status::Success,
        ..RunState::without_jobs()
    };
    let external = [(Status::Failed, false)].into_iter().collect();
    let told = state.step(&graph, Event::External(external)).unwrap();
    assert_eq!(
        told,
        [Transition::Run {
            from: Status::Success,
            to: Status::Failed
        }]
    );
}
