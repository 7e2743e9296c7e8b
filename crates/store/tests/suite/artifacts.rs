//! Uploaded files.

use tappet_engine::JobEvent;
use tappet_model::{AttemptId, Timestamp};
use tappet_store::*;

use crate::world::*;

fn archive(world: &World, attempt_id: AttemptId, digest: u8) -> NewArtifact {
    NewArtifact {
        attempt_id,
        kind: "archive".into(),
        format: "zip".into(),
        filename: "artifacts.zip".into(),
        size_bytes: 1000,
        sha256: [digest; 32],
        expires_at: None,
        report: None,
        now: world.now(),
    }
}

#[tokio::test]
async fn the_same_upload_counts_once() {
    let world = World::new().await;
    let id = world.create(&[job("build")]).await.changed[0].id;
    let first = world.store.add_artifact(archive(&world, id, 1)).await;
    let again = world.store.add_artifact(archive(&world, id, 1)).await;
    assert_eq!(first.unwrap(), again.unwrap());
    let other = world.store.add_artifact(archive(&world, id, 2)).await;
    assert!(matches!(other, Err(StoreError::Taken { .. })));

    let attempt = world.store.attempt(id).await.unwrap().unwrap();
    assert_eq!(attempt.artifacts.len(), 1);
    assert_eq!(attempt.archive.unwrap().sha256, [1; 32]);
    assert_eq!(world.store.artifacts(id).await.unwrap(), attempt.artifacts);
}

#[tokio::test]
async fn files_expire_in_order() {
    let world = World::new().await;
    let run = world.create(&["a", "b", "c"].map(job)).await;
    let mut ids = Vec::new();
    for (attempt, expires_at) in run.changed.iter().zip([Some(300), Some(100), None]) {
        let mut new = archive(&world, attempt.id, 1);
        new.expires_at = expires_at.map(Timestamp);
        ids.push(world.store.add_artifact(new).await.unwrap().id);
    }
    let store = &world.store;
    assert_eq!(
        store.next_artifact_expiry().await.unwrap(),
        Some(Timestamp(100))
    );
    let expired = store.expired_artifacts(Timestamp(299), 10).await.unwrap();
    assert_eq!(expired.len(), 1);
    assert_eq!(expired[0].id, ids[1]);
    store.delete_artifact(ids[1]).await.unwrap();
    let expired = store.expired_artifacts(Timestamp(300), 10).await.unwrap();
    assert_eq!(expired[0].id, ids[0]);
    store.delete_artifact(ids[0]).await.unwrap();
    assert_eq!(store.next_artifact_expiry().await.unwrap(), None);
    let attempt = store.attempt(run.changed[0].id).await.unwrap().unwrap();
    assert_eq!(attempt.archive, None);
}

/// Runs the next job, which leaves an archive when `keeps`.
async fn run_next(world: &World, keeps: bool) {
    let attempt = world.take().await.attempt.id;
    if keeps {
        let new = archive(world, attempt, 1);
        world.store.add_artifact(new).await.unwrap();
    }
    world.job_event(attempt, JobEvent::Success).await.unwrap();
}

fn sources(assignment: &Assignment) -> Vec<&str> {
    assignment
        .artifact_sources
        .iter()
        .map(|attempt| attempt.name.as_str())
        .collect()
}

#[tokio::test]
async fn a_job_starts_with_the_archives_of_earlier_stages() {
    let world = World::new().await;
    world
        .create(&[
            job("a"),
            job("b"),
            job("without"),
            job("middle").stage(1),
            job("last").stage(2),
        ])
        .await;
    for keeps in [true, true, false] {
        run_next(&world, keeps).await;
    }
    let middle = world.take().await;
    assert_eq!(sources(&middle), ["a", "b"]);
    let id = middle.attempt.id;
    let new = archive(&world, id, 1);
    world.store.add_artifact(new).await.unwrap();
    world.job_event(id, JobEvent::Success).await.unwrap();
    assert_eq!(sources(&world.take().await), ["a", "b", "middle"]);
}

#[tokio::test]
async fn a_job_can_name_whose_archives_it_wants() {
    let world = World::new().await;
    world
        .create(&[
            job("a"),
            job("b"),
            job("none").stage(1).artifacts_from(&[]),
            job("some").stage(1).artifacts_from(&["b", "gone"]),
        ])
        .await;
    run_next(&world, true).await;
    run_next(&world, true).await;
    assert_eq!(sources(&world.take().await), [""; 0]);
    assert_eq!(sources(&world.take().await), ["b"]);
}
