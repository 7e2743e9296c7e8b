//! Runs are renamed and deleted.

use tappet_engine::JobEvent;
use tappet_model::{RefKind, RunId};
use tappet_store::*;

use crate::world::*;

async fn newest(world: &World, kind: RunScope) -> Vec<RunId> {
    let filter = RunFilter {
        scope: Some(kind),
        ..RunFilter::default()
    };
    let list = world.store.runs(world.project, filter, first_page());
    list.await.unwrap().items.iter().map(|run| run.id).collect()
}

#[tokio::test]
async fn a_deleted_run_leaves_nothing_behind() {
    let world = World::new().await;
    let kept = world.create(&[job("test")]).await.run.id;
    let key = IdempotencyKey {
        project_id: world.project,
        credential: "token:1".into(),
        key: "once".into(),
    };
    let run = world
        .create_with(|new| new.idempotency = Some((key.clone(), [7; 32])))
        .await
        .run
        .id;
    world.take().await;
    let attempt = world.take().await.attempt.id;
    world.job_event(attempt, failure()).await.unwrap();
    let again = world.job_event(attempt, JobEvent::Retry).await.unwrap();
    let file = world.store.add_artifact(NewArtifact {
        attempt_id: attempt,
        kind: "archive".into(),
        name: None,
        format: "zip".into(),
        filename: "out.zip".into(),
        report: None,
        size_bytes: 3,
        sha256: [1; 32],
        expires_at: None,
        now: world.now(),
    });
    let file = file.await.unwrap();

    let removed = world.store.delete_run(run).await.unwrap();
    assert_eq!(removed.artifacts, [file]);
    assert_eq!(removed.attempts, [attempt, again.changed[0].id]);
    assert_eq!(world.store.run(run).await.unwrap(), None);
    assert_eq!(world.store.attempt(attempt).await.unwrap(), None);
    assert_eq!(world.store.events(run, 0, 100).await.unwrap(), []);
    let known = world.store.run_by_idempotency_key(key, world.now()).await;
    assert_eq!(known.unwrap(), None);
    assert_eq!(world.store.pending_attempts().await.unwrap(), []);
    assert_eq!(newest(&world, RunScope::Branches).await, [kept]);
    let twice = world.store.delete_run(run).await;
    assert!(matches!(twice, Err(StoreError::NotFound(_))));
}

#[tokio::test]
async fn ids_of_deleted_runs_and_jobs_are_never_used_again() {
    let world = World::new().await;
    world.create(&[job("test")]).await;
    let last = world.create(&[job("a"), job("b")]).await;
    world.store.delete_run(last.run.id).await.unwrap();
    let highest = last.changed[1].id;
    let next = world.create(&[job("test")]).await;
    assert!(next.run.id > last.run.id && next.changed[0].id > highest);
    world.store.delete_run(next.run.id).await.unwrap();

    let world = world.reopen();
    let after = world.create(&[job("test")]).await;
    assert!(after.run.id > next.run.id && after.changed[0].id > next.changed[0].id);
}

#[tokio::test]
async fn the_last_run_of_a_tag_takes_the_tag_out_of_the_list() {
    let world = World::new().await;
    let tag = world.create_with(|new| new.ref_kind = RefKind::Tag).await;
    assert_eq!(newest(&world, RunScope::Tags).await, [tag.run.id]);
    world.store.delete_run(tag.run.id).await.unwrap();
    assert_eq!(newest(&world, RunScope::Tags).await, []);
}

#[tokio::test]
async fn a_new_name_stays_when_the_run_goes_on() {
    let world = World::new().await;
    let run = world.create(&[job("test")]).await.run.id;
    let attempt = world.take().await.attempt.id;
    let renamed = world.store.rename_run(run, Some("Nightly".into()));
    assert_eq!(renamed.await.unwrap().name.as_deref(), Some("Nightly"));
    let ended = world.job_event(attempt, JobEvent::Success).await.unwrap();
    assert_eq!(ended.run.name.as_deref(), Some("Nightly"));
    let missing = world.store.rename_run(RunId(99), None).await;
    assert!(matches!(missing, Err(StoreError::NotFound(_))));
}
