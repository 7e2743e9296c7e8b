//! Runs that are held: nothing of them starts before they are released.

#[path = "support/scenario.rs"]
mod scenario;

use rstest::rstest;
use scenario::Scenario;
use tappet_engine::{Event, Graph, Refused, RunEvent, RunHold, RunState};
use tappet_model::{FailureReason, Status};

const GRAPH: &str = "build@one; lint@one manual; test@two; deploy@three manual blocking";

fn held(graph: &str, actions: &[&str]) -> Scenario {
    let mut run = Scenario::start(&format!("held; {graph}"));
    for action in actions {
        run.apply(action).expect(action);
    }
    run
}

#[test]
fn nothing_has_happened_to_a_held_run() {
    held(GRAPH, &[]).expect("created: build lint test deploy created");
}

#[test]
fn a_released_run_goes_on_as_one_that_starts() {
    let run = held(GRAPH, &["release"]);
    run.expect("pending: build pending, lint manual, test deploy created");
    assert_eq!(run.story(), Scenario::start(GRAPH).story());
}

#[rstest]
#[case::run("run build", Refused::NotPending)]
#[case::late_success("success build", Refused::NotRunning)]
#[case::play("play lint", Refused::NotPlayable)]
#[case::retry("retry build", Refused::NotRetryable)]
#[case::enqueue("enqueue build", Refused::NotPossible)]
#[case::drop("give_up build", Refused::NotRunning)]
#[case::rerun("rerun_stage one", Refused::NotOver)]
fn nobody_moves_a_job_of_a_held_run(#[case] action: &str, #[case] refused: Refused) {
    let mut run = held(GRAPH, &[]);
    assert_eq!(run.apply(action), Err(refused));
    run.expect("created: build lint test deploy created");
}

#[test]
fn a_canceled_held_run_is_over() {
    held(GRAPH, &["cancel_run"]).expect("canceled: build lint test deploy canceled");
}

#[test]
fn a_canceled_held_run_that_is_retried_waits_again() {
    let run = held(GRAPH, &["cancel_run", "retry_run"]);
    run.expect("created: build lint test deploy created");
    assert_eq!(
        run.story().last().map(String::as_str),
        Some("run: canceled created")
    );
    held(GRAPH, &["cancel_run", "retry_run", "release"])
        .expect("pending: build pending, lint manual, test deploy created");
}

#[test]
fn a_job_that_is_canceled_takes_nothing_along_before_the_release() {
    held(GRAPH, &["cancel build"]).expect("created: build canceled, lint test deploy created");
    held(GRAPH, &["cancel build", "release"])
        .expect("canceled: build canceled, lint manual, test deploy skipped");
}

#[test]
fn a_canceled_job_that_is_retried_waits_with_the_others() {
    let run = held(GRAPH, &["cancel build", "retry build"]);
    run.expect("created: build lint test deploy created");
    assert_eq!(run.story(), ["build #2: created"]);
}

#[test]
fn one_workflow_of_a_held_run_can_be_canceled() {
    let graph = "a@one needs(); b@two needs()";
    held(graph, &["cancel_stage one"]).expect("created: a canceled, b created");
    held(graph, &["cancel_stage one", "retry_stage one"]).expect("created: a b created");
    held(graph, &["cancel_stage one", "release"]).expect("running: a canceled, b pending");
}

#[test]
fn the_workflows_of_a_held_run_have_not_begun_either() {
    let graph = Graph {
        jobs: vec![job(0), job(0), job(1)],
        ..Graph::default()
    };
    let mut run = RunState::held(&graph);
    let cancel = tappet_engine::JobEvent::Cancel;
    run.step(
        &graph,
        Event::Job {
            job: 0,
            event: cancel,
        },
    )
    .expect("a created job can be canceled");
    let before = [Status::Created, Status::Created];
    assert_eq!(run.stage_statuses(&graph, &before), before);
}

#[test]
fn a_run_held_for_too_long_fails_with_all_that_had_not_begun() {
    let run = held(
        "build@one; lint@one manual; gone@two never; test@two",
        &["cancel lint", "give_up_run"],
    );
    run.expect("failed: build test failed, lint canceled, gone skipped");
}

#[test]
fn what_is_given_up_is_not_repeated_by_itself() {
    held("a@one retry(2)", &["give_up_run"]).expect("failed: a failed");
}

#[test]
fn a_run_held_for_too_long_fails_though_its_jobs_may() {
    let graph = "a@one may_fail; b@one manual";
    held(graph, &["give_up_run"]).expect("failed: a b failed");
    held(graph, &["give_up_run", "retry_run"]).expect("running: a pending, b manual");
    held(graph, &["give_up_run", "retry a", "success a"]).expect("success: a success, b failed");
}

#[test]
fn the_reason_is_told_of_each_job() {
    let graph = Graph {
        jobs: vec![job(0)],
        ..Graph::default()
    };
    let mut run = RunState::held(&graph);
    let reason = FailureReason::StuckOrTimeoutFailure;
    run.step(&graph, Event::Run(RunEvent::GiveUp { reason }))
        .expect("a held run can be given up");
    assert_eq!(run.jobs[0].failure_reason, Some(reason));
    assert_eq!(run.hold, RunHold::GivenUp);
}

fn job(stage: usize) -> tappet_engine::GraphJob {
    tappet_engine::GraphJob {
        stage,
        when: tappet_model::plan::When::OnSuccess,
        allow_failure: tappet_model::plan::AllowFailure::No,
        needs: None,
        retry: tappet_model::plan::RetryPolicy::default(),
        group: None,
    }
}
