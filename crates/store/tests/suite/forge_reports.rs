//! What forges are to be told: each change of a run of a bound project makes the run
//! due, and nothing else does.

use std::collections::BTreeMap;

use tappet_engine::{JobEvent, RunEvent};
use tappet_model::{RunId, Timestamp};
use tappet_store::*;

use crate::world::*;

async fn due(world: &World) -> Vec<DueForgeReport> {
    world.store.due_forge_reports().await.unwrap()
}

async fn only_due(world: &World) -> DueForgeReport {
    let mut due = due(world).await;
    assert_eq!(due.len(), 1, "{due:?}");
    due.remove(0)
}

fn told(digest: &str) -> ForgeTold {
    ForgeTold {
        statuses: BTreeMap::from([("tappet/pr".to_owned(), digest.to_owned())]),
    }
}

/// All was told.
fn success(version: i64) -> ForgeReportOutcome {
    ForgeReportOutcome {
        version,
        told: told("x"),
        retry_at: None,
        tries: 0,
        error: None,
        quiet_until: None,
    }
}

fn failed(version: i64, retry_at: Option<Timestamp>) -> ForgeReportOutcome {
    ForgeReportOutcome {
        told: ForgeTold::default(),
        retry_at,
        tries: 1,
        error: Some("the forge answered 500".into()),
        ..success(version)
    }
}

async fn finish(world: &World, run: RunId, outcome: ForgeReportOutcome) {
    let store = &world.store;
    store.finish_forge_report(run, outcome).await.unwrap();
}

async fn error(world: &World, run: RunId) -> Option<String> {
    world.store.forge_report_error(run).await.unwrap()
}

#[tokio::test]
async fn projects_without_a_forge_have_nothing_to_tell() {
    let world = World::new().await;
    let run = world.create(&[job("test")]).await.run.id;
    world.take().await;
    assert_eq!(due(&world).await, []);
    world.bind().await;
    assert_eq!(due(&world).await, [], "old runs are not told of");

    // From its next change on it is.
    world.run_event(run, RunEvent::Cancel).await.unwrap();
    let report = only_due(&world).await;
    assert_eq!((report.run_id, report.version), (run, 1));
}

#[tokio::test]
async fn every_change_is_to_be_told() {
    let world = World::new().await;
    world.bind().await;
    let run = world.create(&[job("test")]).await.run;
    let first = only_due(&world).await;
    assert_eq!(
        first,
        DueForgeReport {
            run_id: run.id,
            project_id: world.project,
            version: 1,
            told: ForgeTold::default(),
            tries: 0,
            due_at: run.created_at,
        }
    );
    finish(&world, run.id, success(1)).await;
    assert_eq!(due(&world).await, []);

    let attempt = world.take().await.attempt;
    let second = only_due(&world).await;
    assert_eq!((second.version, second.told), (2, told("x")));
    assert_eq!(second.due_at, attempt.started_at.unwrap());
    world
        .job_event(attempt.id, JobEvent::Success)
        .await
        .unwrap();
    let third = only_due(&world).await;
    assert_eq!(third.version, 3);
    assert_eq!(third.due_at, second.due_at, "it is due since then");
}

#[tokio::test]
async fn a_run_whose_file_is_wrong_is_told_of_too() {
    let world = World::new().await;
    world.bind().await;
    let run = world
        .create_with(|new| {
            new.content = NewRunContent::Invalid {
                errors: "jobs config should contain at least one visible job".into(),
                reason: tappet_model::FailureReason::ConfigError,
            };
        })
        .await
        .run;
    assert_eq!(only_due(&world).await.run_id, run.id);
}

#[tokio::test]
async fn what_changes_while_it_is_told_is_told_again() {
    let world = World::new().await;
    world.bind().await;
    let run = world.create(&[job("test")]).await.run.id;
    let telling = only_due(&world).await;
    world.take().await;
    finish(&world, run, success(telling.version)).await;
    let again = only_due(&world).await;
    assert_eq!((again.version, again.told), (2, told("x")));
    finish(&world, run, success(2)).await;
    assert_eq!(due(&world).await, []);
}

#[tokio::test]
async fn a_failure_waits_though_the_run_changes() {
    let world = World::new().await;
    world.bind().await;
    let run = world.create(&[job("test")]).await.run.id;
    let later = Timestamp(world.now().0 + HOUR);
    finish(&world, run, failed(1, Some(later))).await;
    assert_eq!(
        error(&world, run).await.as_deref(),
        Some("the forge answered 500")
    );
    let waiting = only_due(&world).await;
    assert_eq!((waiting.due_at, waiting.tries), (later, 1));
    world.take().await;
    let waiting = only_due(&world).await;
    assert_eq!((waiting.due_at, waiting.version), (later, 2));

    finish(&world, run, success(2)).await;
    assert_eq!(
        (due(&world).await, error(&world, run).await),
        (vec![], None)
    );
}

#[tokio::test]
async fn a_failure_of_what_changed_meanwhile_waits_too() {
    let world = World::new().await;
    world.bind().await;
    let run = world.create(&[job("test")]).await.run.id;
    world.take().await;
    let later = Timestamp(world.now().0 + HOUR);
    finish(&world, run, failed(1, Some(later))).await;
    let waiting = only_due(&world).await;
    assert_eq!((waiting.due_at, waiting.version), (later, 2));
}

#[tokio::test]
async fn what_was_given_up_is_tried_again_with_the_next_change() {
    let world = World::new().await;
    world.bind().await;
    let run = world.create(&[job("test")]).await.run.id;
    finish(&world, run, failed(1, None)).await;
    assert_eq!(due(&world).await, []);
    let started_at = world.take().await.attempt.started_at.unwrap();
    let again = only_due(&world).await;
    assert_eq!((again.due_at, again.tries), (started_at, 1));
}

#[tokio::test]
async fn a_forge_that_wants_quiet_has_it_from_the_whole_project() {
    let world = World::new().await;
    let binding = world.bind().await;
    let run = world.create(&[job("test")]).await.run.id;
    let later = Timestamp(world.now().0 + HOUR);
    let limited = ForgeReportOutcome {
        quiet_until: Some(later),
        ..failed(1, Some(later))
    };
    finish(&world, run, limited).await;
    let other = world.create(&[job("test")]).await.run.id;
    let next = only_due(&world).await;
    assert_eq!((next.run_id, next.due_at), (other, later));
    let world = world.reopen();
    assert_eq!(only_due(&world).await.due_at, later);

    // A new token has a limit of its own.
    world.store.set_forge_binding(binding).await.unwrap();
    assert!(only_due(&world).await.due_at < later);
}

#[tokio::test]
async fn each_project_tells_of_what_is_due_first() {
    let world = World::new().await;
    world.bind().await;
    let now = world.now();
    let other = new_project("acme/other", world.user, now);
    let other = world.store.create_project(other).await.unwrap().id;
    let binding = ForgeBinding {
        project_id: other,
        ..world.binding()
    };
    world.store.set_forge_binding(binding).await.unwrap();
    let first = world.create(&[job("test")]).await.run.id;
    let second = world.create(&[job("test")]).await.run.id;
    let of_other = world.create_with(|new| new.project_id = other).await.run.id;
    let ids = async || -> Vec<RunId> { due(&world).await.iter().map(|one| one.run_id).collect() };
    assert_eq!(ids().await, [first, of_other]);
    finish(&world, first, success(1)).await;
    assert_eq!(ids().await, [second, of_other]);
}

#[tokio::test]
async fn what_is_to_be_told_outlives_the_process() {
    let world = World::new().await;
    world.bind().await;
    world.create(&[job("test")]).await;
    let before = due(&world).await;
    let world = world.reopen();
    assert_eq!(due(&world).await, before);
    world.take().await;
    assert_eq!(only_due(&world).await.version, 2);
}

#[tokio::test]
async fn a_run_and_what_it_had_to_tell_go_together() {
    let world = World::new().await;
    world.bind().await;
    let run = world.create(&[job("test")]).await.run.id;
    world.store.delete_run(run).await.unwrap();
    assert_eq!(due(&world).await, []);
    // Somebody was telling of it.
    finish(&world, run, success(1)).await;
    assert_eq!(error(&world, run).await, None);
}

#[tokio::test]
async fn a_superseded_run_has_something_to_tell() {
    let world = World::new().await;
    world.bind().await;
    let older = world.create_for("a1", None).await.id;
    finish(&world, older, success(1)).await;
    world.create_for("a2", None).await;
    let report = only_due(&world).await;
    assert_eq!((report.run_id, report.version), (older, 2));
}

#[tokio::test]
async fn an_approval_is_told_though_the_run_goes_on_waiting() {
    let world = World::new().await;
    world.bind().await;
    let hold = Hold::Approval {
        then_diffs_s: Some(60),
    };
    let run = world.create_for("a1", Some(hold)).await.id;
    finish(&world, run, success(1)).await;
    world.store.approve_run(run, world.now()).await.unwrap();
    assert_eq!(only_due(&world).await.version, 2);
}
