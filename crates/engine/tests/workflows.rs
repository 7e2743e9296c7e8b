//! Runs made of workflows: jobs about which somebody decides, matrices, and what
//! happens to one workflow of several.

#[path = "support/scenario.rs"]
mod scenario;

use rstest::rstest;
use scenario::Scenario;
use tappet_engine::{Event, Graph, GraphJob, JobEvent, Refused, RunState};
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

/// Where a run gets by these actions.
fn check(graph: &str, actions: &[&str], expected: &str) {
    after(graph, actions).expect(expected);
}

const CHAIN: &str = "build@ci needs(); test@ci decided needs(build); note@ci decided needs(test)";

#[rstest]
#[case::too_early(&[], "pending: build pending, test note created")]
#[case::after_success(
    &["success build"],
    "running: build success, test waiting_for_callback, note created"
)]
#[case::after_failure(
    &["drop build"],
    "running: build failed, test waiting_for_callback, note created"
)]
#[case::after_cancel(
    &["cancel build"],
    "running: build canceled, test waiting_for_callback, note created"
)]
#[case::it_starts(&["success build", "enqueue test"], "running: build success, test pending, note created")]
#[case::it_is_skipped_and_the_next_one_is_asked_about(
    &["drop build", "skip test"],
    "running: build failed, test skipped, note waiting_for_callback"
)]
#[case::it_cannot_be_decided(
    &["success build", "misfit test"],
    "running: build success, test failed, note waiting_for_callback"
)]
#[case::all_is_skipped(
    &["drop build", "skip test", "skip note"],
    "failed: build failed, test note skipped"
)]
fn a_job_is_decided_once_what_it_needs_is_over(#[case] actions: &[&str], #[case] expected: &str) {
    check(CHAIN, actions, expected);
}

#[test]
fn a_skipped_need_does_not_let_a_job_be_decided_before_the_others_are_over() {
    let graph = "a@ci never needs(); b@ci needs(); c@ci decided needs(a b)";
    check(graph, &[], "pending: a skipped, b pending, c created");
}

#[test]
fn a_job_that_is_not_part_of_the_run_is_skipped_at_once() {
    let graph = "a@ci needs(); b@ci never needs(a)";
    check(graph, &[], "pending: a pending, b skipped");
}

#[test]
fn a_need_that_is_retried_takes_the_decision_back() {
    let mut run = after(CHAIN, &["drop build", "retry build"]);
    run.expect("running: build pending, test note created");
    assert_eq!(run.apply("enqueue test"), Err(Refused::NotPossible));
    assert_eq!(run.apply("skip test"), Err(Refused::NotPossible));
    run.apply("success build").unwrap();
    run.expect("running: build success, test waiting_for_callback, note created");
}

#[test]
fn a_decided_job_that_is_retried_starts_without_being_asked_about() {
    check(
        CHAIN,
        &["success build", "enqueue test", "drop test", "retry test"],
        "running: build success, test pending, note created",
    );
}

const LEGS: &str = "a@ci needs() group(0); b@ci needs() group(0); c@ci needs() group(0)";

#[rstest]
#[case::the_first_failure_cancels("", "fail_fast", &["run b", "drop a"], "failed: a failed, b c canceled")]
#[case::gracefully("", "fail_fast", &["run_gracefully b", "drop a"], "canceling: a failed, b canceling, c canceled")]
#[case::not_what_is_over("", "fail_fast", &["success b", "drop a"], "failed: a failed, b success, c canceled")]
#[case::not_without_it("", "none", &["run b", "drop a"], "running: a failed, b running, c pending")]
#[case::not_when_it_may_fail("may_fail", "fail_fast", &["drop a"], "running: a failed, b c pending")]
#[case::not_before_the_last_repetition("retry(1)", "fail_fast", &["drop a"], "running: a b c pending")]
#[case::a_cancel_is_no_failure("", "fail_fast", &["cancel a"], "running: a canceled, b c pending")]
fn legs_fail_together(
    #[case] first: &str,
    #[case] group: &str,
    #[case] actions: &[&str],
    #[case] expected: &str,
) {
    let legs = LEGS.replacen("needs()", &format!("{first} needs()"), 1);
    check(&format!("groups {group}; {legs}"), actions, expected);
}

#[rstest]
#[case::at_first(&[], "running: a b pending, c waiting_for_resource")]
#[case::one_ends(&["success a"], "running: a success, b c pending")]
#[case::one_fails(&["drop a"], "running: a failed, b c pending")]
#[case::one_is_canceled(&["cancel b"], "running: a c pending, b canceled")]
#[case::one_cleans_up(
    &["run_gracefully a", "cancel a"],
    "running: a canceling, b pending, c waiting_for_resource"
)]
#[case::one_that_waits_is_canceled(&["cancel c", "success a"], "running: a success, b pending, c canceled")]
#[case::a_retry_waits(
    &["drop a", "retry a"],
    "running: a waiting_for_resource, b c pending"
)]
#[case::nobody_jumps_the_line(&["enqueue c"], "running: a b pending, c waiting_for_resource")]
#[case::the_run_is_canceled(&["run a", "cancel_run"], "canceled: a b c canceled")]
#[case::all_are_repeated(
    &["cancel_run", "retry_run"],
    "running: a b pending, c waiting_for_resource"
)]
fn so_many_legs_at_a_time(#[case] actions: &[&str], #[case] expected: &str) {
    check(&format!("groups max(2); {LEGS}"), actions, expected);
}

#[test]
fn an_automatic_repetition_gives_its_place_to_the_next_leg() {
    let graph = "groups max(1); a@ci needs() retry(1) group(0); b@ci needs() group(0)";
    check(
        graph,
        &["drop a"],
        "running: a waiting_for_resource, b pending",
    );
}

#[test]
fn a_limit_of_none_lets_one_leg_go() {
    check(
        &format!("groups max(0); {LEGS}"),
        &["success a"],
        "running: a success, b pending, c waiting_for_resource",
    );
}

const TWO: &str = "a@one needs(); b@one decided needs(a); c@two needs(); d@two decided needs(c)";

#[rstest]
#[case::cancel(
    &["drop a", "cancel_stage one"],
    "running: a failed, b canceled, c pending, d created"
)]
#[case::cancel_what_has_not_begun(
    &["run a", "cancel_stage one"],
    "running: a b canceled, c pending, d created"
)]
#[case::retry(
    &["drop a", "skip b", "retry_stage one"],
    "running: a pending, b created, c pending, d created"
)]
#[case::retry_only_what_went_wrong(
    &["success a", "enqueue b", "drop b", "retry_stage one"],
    "running: a success, b waiting_for_callback, c pending, d created"
)]
#[case::rerun(
    &["success a", "skip b", "rerun_stage one"],
    "running: a pending, b created, c pending, d created"
)]
#[case::rerun_after_cancel(
    &["cancel_stage one", "rerun_stage one"],
    "running: a pending, b created, c pending, d created"
)]
#[case::others_stay_as_they_ended(
    &["drop a", "skip b", "drop c", "skip d", "retry_stage two"],
    "running: a failed, b skipped, c pending, d created"
)]
fn an_event_of_one_workflow_leaves_the_others_alone(
    #[case] actions: &[&str],
    #[case] expected: &str,
) {
    check(TWO, actions, expected);
}

#[rstest]
#[case("retry_stage one")]
#[case("rerun_stage one")]
fn a_workflow_is_not_repeated_before_it_is_over(#[case] action: &str) {
    let mut run = after(TWO, &["success a"]);
    assert_eq!(run.apply(action), Err(Refused::NotOver));
}

#[test]
fn a_retry_of_the_run_asks_only_about_jobs_after_a_repeated_one() {
    let mut run = after(TWO, &["drop a", "skip b", "success c", "skip d"]);
    run.apply("retry_run").unwrap();
    run.expect("running: a pending, b created, c success, d skipped");
}

#[test]
fn a_canceled_run_leaves_nothing_to_be_decided() {
    check(
        TWO,
        &["success a", "cancel_run"],
        "canceled: a success, b c d canceled",
    );
}

#[test]
fn a_run_that_is_one_workflow_is_repeated_as_a_whole() {
    let graph = "a@build; b@test; c@test on_failure";
    check(
        graph,
        &["success a", "success b", "rerun_stage"],
        "running: a pending, b c created",
    );
}

const PLAN_JOB: &str = "plan@ci needs(); test@ci decided needs(plan); end@ci decided needs(test)";

#[test]
fn a_waiting_job_turns_into_its_legs_and_followers_need_all_of_them() {
    let mut run = after(PLAN_JOB, &["success plan"]);
    run.apply("expand test test-1 test-2: max(2)").unwrap();
    run.expect(
        "running: plan success, test test-1 pending, test-2 waiting_for_resource, end created",
    );
    assert_eq!(
        run.story(),
        [
            "test: waiting_for_callback pending",
            "test-1: created pending",
            "test-2: created waiting_for_resource",
        ]
    );
    for leg in ["success test", "success test-1"] {
        run.apply(leg).unwrap();
    }
    run.expect("running: plan test test-1 success, test-2 pending, end created");
    run.apply("success test-2").unwrap();
    run.expect("running: plan test test-1 test-2 success, end waiting_for_callback");
}

#[test]
fn legs_of_an_expanded_job_are_asked_about_again_when_all_is_repeated() {
    check(
        PLAN_JOB,
        &[
            "success plan",
            "expand test test-1: fail_fast",
            "drop test",
            "skip end",
            "rerun_stage ci",
        ],
        "running: plan pending, test test-1 end created",
    );
}

#[test]
fn only_a_job_that_waits_for_a_decision_is_expanded() {
    let mut run = Scenario::start(PLAN_JOB);
    assert_eq!(run.apply("expand test test-1"), Err(Refused::NotPossible));
    run.expect("pending: plan pending, test end created");
}

#[rstest]
#[case::at_its_end(&["success a"], "failed: a success")]
#[case::not_before(&["run a"], "running: a running")]
#[case::nor_when_it_is_canceled(&["cancel_run"], "canceled: a canceled")]
fn a_run_with_a_broken_workflow_fails(#[case] actions: &[&str], #[case] expected: &str) {
    check("broken; a@ci needs()", actions, expected);
}

#[test]
fn a_run_of_broken_workflows_alone_fails_at_once() {
    let graph = Graph {
        is_broken: true,
        ..Graph::default()
    };
    assert_eq!(RunState::start(&graph).0.status, Status::Failed);
}

#[test]
fn the_status_of_a_workflow_is_that_of_its_jobs() {
    let job = |stage| GraphJob {
        stage,
        when: When::OnSuccess,
        allow_failure: AllowFailure::No,
        needs: Some(Vec::new()),
        retry: RetryPolicy::default(),
        group: None,
    };
    let graph = Graph {
        jobs: vec![job(0), job(1)],
        is_broken: true,
        ..Graph::default()
    };
    let (mut state, _) = RunState::start(&graph);
    let cancel = Event::Job {
        job: 0,
        event: JobEvent::Cancel,
    };
    state.step(&graph, cancel).unwrap();
    let without_jobs = Status::Success;
    assert_eq!(
        state.stage_statuses(&graph, &[Status::Created; 3]),
        [Status::Canceled, Status::Pending, without_jobs]
    );
}
