//! What goes when its time is over.

use std::time::Duration;

use tappet_engine::JobEvent;
use tappet_model::{AttemptId, RunId, Timestamp};
use tappet_store::*;

use crate::world::*;

/// A run of one job that leaves an archive, which expires at once, and ends so.
async fn run_with_archive(world: &World, event: JobEvent) -> AttemptId {
    world.create(&[job("build")]).await;
    let id = world.take().await.attempt.id;
    let now = world.now();
    let new = NewArtifact {
        attempt_id: id,
        kind: "archive".into(),
        name: None,
        format: "zip".into(),
        filename: "artifacts.zip".into(),
        size_bytes: 1000,
        sha256: [1; 32],
        expires_at: Some(now),
        report: None,
        now,
    };
    world.store.add_artifact(new).await.unwrap();
    world.job_event(id, event).await.unwrap();
    id
}

/// Whose files go now.
async fn expire(world: &World) -> Vec<AttemptId> {
    let now = world.now();
    let again_at = now.plus(Duration::from_secs(3600));
    let expired = world.store.expire_artifacts_due(now, again_at, 100).await;
    let removed = expired.unwrap().removed;
    removed.into_iter().map(|file| file.attempt_id).collect()
}

#[tokio::test]
async fn the_newest_success_of_a_ref_keeps_its_files_past_their_time() {
    let world = World::new().await;
    let old = run_with_archive(&world, JobEvent::Success).await;
    let newest = run_with_archive(&world, JobEvent::Success).await;
    let failed = run_with_archive(&world, failure()).await;
    let amount = world.store.artifacts_due(world.now()).await.unwrap();
    assert_eq!((amount.count, amount.bytes), (2, 2000));
    assert_eq!(expire(&world).await, [old, failed]);
    assert_eq!(world.store.artifacts(newest).await.unwrap().len(), 1);

    // It is looked at again later, and goes when it is no longer the newest.
    let due = world.store.next_artifact_due().await.unwrap().unwrap();
    assert!(due > world.now());
    run_with_archive(&world, JobEvent::Success).await;
    assert_eq!(expire(&world).await, [] as [AttemptId; 0]);
    world.later(2 * HOUR);
    assert_eq!(expire(&world).await, [newest]);
}

#[tokio::test]
async fn a_project_may_let_the_newest_go_as_well() {
    let world = World::new().await;
    let id = run_with_archive(&world, JobEvent::Success).await;
    let settings = ProjectSettings {
        drops_latest_artifact: true,
        ..ProjectSettings::default()
    };
    let change = ProjectChange {
        settings: Some(settings),
        ..ProjectChange::default()
    };
    world
        .store
        .update_project(world.project, change, world.now())
        .await
        .unwrap();
    assert_eq!(expire(&world).await, [id]);
}

#[tokio::test]
async fn a_batch_has_a_limit_and_says_that_there_is_more() {
    let world = World::new().await;
    for _ in 0..3 {
        run_with_archive(&world, failure()).await;
    }
    let now = world.now();
    let expired = world.store.expire_artifacts_due(now, now, 2).await.unwrap();
    assert_eq!((expired.removed.len(), expired.has_more), (2, true));
    let expired = world.store.expire_artifacts_due(now, now, 2).await.unwrap();
    assert_eq!((expired.removed.len(), expired.has_more), (1, false));
    assert_eq!(world.store.next_artifact_due().await.unwrap(), None);
}

#[tokio::test]
async fn an_attempt_without_an_end_is_not_old_and_an_unknown_one_is() {
    let world = World::new().await;
    let ended = run_with_archive(&world, failure()).await;
    let waiting = world.create(&[job("build")]).await.changed[0].id;
    let unknown = AttemptId(999);
    let ids = vec![ended, waiting, unknown];
    let old = |before: Timestamp| world.store.ended_before(ids.clone(), before);
    let now = world.now();
    assert_eq!(old(now).await.unwrap(), [ended, unknown].into());
    let early = now.minus(Duration::from_secs(3600));
    assert_eq!(old(early).await.unwrap(), [unknown].into());
    let runs = world.store.aged_runs(RunId(0), 1).await.unwrap();
    assert_eq!(runs.len(), 1);
    let rest = world.store.aged_runs(runs[0].id, 10).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert!(rest[0].created_at > runs[0].created_at);
}
