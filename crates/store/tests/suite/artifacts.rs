//! Uploaded files.

use tappet_engine::JobEvent;
use tappet_model::AttemptId;
use tappet_store::*;

use crate::world::*;

fn archive(world: &World, attempt_id: AttemptId, digest: u8) -> NewArtifact {
    NewArtifact {
        attempt_id,
        kind: "archive".into(),
        name: None,
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
