//! What comes to be with a run.

use tappet_model::{FailureReason, Status};
use tappet_store::*;

use crate::world::*;

#[tokio::test]
async fn a_run_comes_with_jobs_and_first_attempts() {
    let world = World::new().await;
    let advance = world.create(&[job("build"), job("test").stage(1)]).await;

    assert_eq!(advance.run.status, Status::Pending);
    assert_eq!(advance.run.stages, ["stage 0", "stage 1"]);
    let changed: Vec<_> = advance
        .changed
        .iter()
        .map(|attempt| (attempt.name.as_str(), attempt.status, attempt.is_new))
        .collect();
    assert_eq!(
        changed,
        [
            ("build", Status::Pending, true),
            ("test", Status::Created, true)
        ]
    );

    let stored = world.store.run(advance.run.id).await.unwrap().unwrap();
    assert_eq!(stored, advance.run);
    let attempts = world.store.run_attempts(stored.id).await.unwrap();
    assert_eq!(attempts[0].queued_at, Some(stored.created_at));
    assert_eq!(attempts[1].queued_at, None);
    assert!(attempts.iter().all(|attempt| attempt.number == 1));
    assert_ne!(attempts[0].job_id, attempts[1].job_id);
}

#[tokio::test]
async fn numbers_in_a_project_have_no_gaps() {
    let world = World::new().await;
    let other = world
        .store
        .create_project(new_project("acme/api", world.user, world.now()))
        .await
        .unwrap();
    let mut iids = Vec::new();
    for _ in 0..3 {
        iids.push(world.create_with(|_| {}).await.run.iid);
        world.create_with(|new| new.project_id = other.id).await;
        // What is refused takes no number.
        let mut refused = world.new_run(&[job("test")]);
        refused.trigger_id = Some(tappet_model::TriggerId(99));
        world.store.create_run(refused).await.unwrap_err();
    }
    assert_eq!(iids, [1, 2, 3]);
}

#[tokio::test]
async fn an_invalid_file_leaves_a_failed_run_without_jobs() {
    let world = World::new().await;
    let run = world
        .create_with(|new| {
            new.content = NewRunContent::Invalid {
                errors: "jobs:test config is wrong".into(),
                reason: FailureReason::ConfigError,
            };
        })
        .await
        .run;
    assert_eq!(run.status, Status::Failed);
    assert_eq!(run.failure_reason, Some(FailureReason::ConfigError));
    assert_eq!(run.finished_at, Some(run.created_at));
    assert_eq!(
        run.yaml_errors.as_deref(),
        Some("jobs:test config is wrong")
    );
    assert_eq!(world.store.run(run.id).await.unwrap().unwrap(), run);
    assert_eq!(world.statuses(run.id).await, []);

    let after = world
        .run_event(run.id, tappet_engine::RunEvent::Retry)
        .await
        .unwrap();
    assert_eq!(after.run, run);
}

#[tokio::test]
async fn what_was_given_can_be_read_again() {
    let world = World::new().await;
    let notes = RunNotes {
        left_out: vec![tappet_model::plan::LeftOut {
            name: "deploy".into(),
            reason: "rules:if".into(),
        }],
        warnings: vec!["line 3: duplicate key".into()],
    };
    let given = notes.clone();
    let run = world
        .create_with(|new| {
            new.sealed_variables = Some(vec![1, 2, 3]);
            if let NewRunContent::Planned(workflow) = &mut new.content {
                workflow.name = Some("nightly".into());
                workflow.notes = given;
            }
        })
        .await
        .run;
    assert_eq!(run.name.as_deref(), Some("nightly"));
    let store = &world.store;
    assert_eq!(
        store.run_variables(run.id).await.unwrap(),
        Some(vec![1, 2, 3])
    );
    assert_eq!(store.run_notes(run.id).await.unwrap(), Some(notes));
    assert_eq!(
        store.run_notes(tappet_model::RunId(99)).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn an_unknown_project_has_no_runs() {
    let world = World::new().await;
    let mut new = world.new_run(&[job("test")]);
    new.project_id = tappet_model::ProjectId(99);
    let error = world.store.create_run(new).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound("project")), "{error}");
}

#[tokio::test]
async fn a_run_of_manual_jobs_only_waits_for_nobody() {
    let world = World::new().await;
    let blocking = world.create(&[job("deploy").manual()]).await;
    assert_eq!(blocking.run.status, Status::Manual);
    assert_eq!(blocking.run.finished_at, None);
    let claim = world.any_job();
    assert!(world.store.claim(claim).await.unwrap().is_none());
}
