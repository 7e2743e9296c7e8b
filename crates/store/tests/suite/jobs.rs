//! Attempts of a project, played, erased, kept.

use tappet_engine::JobEvent;
use tappet_model::Status;
use tappet_store::*;

use crate::world::*;

async fn names(world: &World, wanted: ProjectAttempts) -> Vec<String> {
    let list = world.store.project_attempts(world.project, wanted).await;
    let names = list.unwrap().into_iter().map(|attempt| attempt.name);
    names.collect()
}

fn with(statuses: &[Status]) -> ProjectAttempts {
    ProjectAttempts {
        statuses: statuses.to_vec(),
        limit: 100,
        ..ProjectAttempts::default()
    }
}

#[tokio::test]
async fn attempts_are_found_wherever_their_status_keeps_them() {
    let world = World::new().await;
    let other = new_project("acme/other", world.user, world.now());
    let other = world.store.create_project(other).await.unwrap().id;
    world.create_with(|new| new.project_id = other).await;
    let foreign = world.take().await.attempt.id;
    world.job_event(foreign, JobEvent::Success).await.unwrap();

    world
        .create(&[job("ends"), job("waits"), job("later").stage(1)])
        .await;
    world
        .create_with(|new| {
            new.ref_name = "topic".into();
            new.content =
                NewRunContent::Planned(Box::new(workflow(&[job("by hand").manual(), job("runs")])));
        })
        .await;
    let ends = world.take().await.attempt.id;
    world.job_event(ends, failure()).await.unwrap();
    let waits = world.take().await.attempt;
    assert_eq!(waits.name, "waits");
    world.take().await;
    world.job_event(waits.id, JobEvent::Cancel).await.unwrap();

    let all = ["runs", "by hand", "later", "waits", "ends"];
    assert_eq!(names(&world, with(&[])).await, all);
    let one = |status: Status| names(&world, with(&[status]));
    let world = &world;
    assert_eq!(one(Status::Failed).await, ["ends"]);
    assert_eq!(one(Status::Canceling).await, ["waits"]);
    assert_eq!(one(Status::Running).await, ["runs"]);
    assert_eq!(one(Status::Manual).await, ["by hand"]);
    assert_eq!(one(Status::Created).await, ["later"]);
    assert_eq!(names(world, with(&Status::ALL)).await, all);
    let topic = ProjectAttempts {
        ref_name: Some("topic".into()),
        ..with(&[Status::Manual, Status::Failed])
    };
    assert_eq!(names(world, topic).await, ["by hand"]);
    let after = ProjectAttempts {
        before: Some(waits.id),
        ..with(&[])
    };
    assert_eq!(names(world, after).await, ["ends"]);
    let page = ProjectAttempts {
        offset: 1,
        limit: 2,
        ..with(&[])
    };
    assert_eq!(names(world, page).await, ["by hand", "later"]);
}

#[tokio::test]
async fn variables_of_a_played_job_go_with_its_assignment_and_its_retry() {
    let world = World::new().await;
    let run = world.create(&[job("by hand").manual()]).await;
    let id = run.changed[0].id;
    let sealed = || Some(b"sealed".to_vec());
    let play = world.store.play_attempt(id, sealed(), world.now());
    assert_eq!(play.await.unwrap().changed[0].status, Status::Pending);
    let taken = world.take().await;
    assert_eq!(taken.sealed_job_variables, sealed());
    let again = world.store.play_attempt(id, Some(Vec::new()), world.now());
    assert!(matches!(again.await, Err(StoreError::Refused(_))));
    world.job_event(id, failure()).await.unwrap();
    world.job_event(id, JobEvent::Retry).await.unwrap();
    assert_eq!(world.take().await.sealed_job_variables, sealed());
}

#[tokio::test]
async fn an_erased_attempt_says_when_and_has_no_files() {
    let world = World::new().await;
    world.create(&[job("test")]).await;
    let id = world.take().await.attempt.id;
    let file = |kind: &str| NewArtifact {
        attempt_id: id,
        kind: kind.into(),
        format: "zip".into(),
        filename: "out.zip".into(),
        report: None,
        size_bytes: 3,
        sha256: [1; 32],
        expires_at: Some(world.later(HOUR)),
        now: world.now(),
    };
    world.store.add_artifact(file("archive")).await.unwrap();
    world.store.add_artifact(file("junit")).await.unwrap();
    assert!(world.store.keep_artifacts(id).await.unwrap());
    assert_eq!(world.store.next_artifact_due().await.unwrap(), None);
    let over = world.now();
    let expire = world.store.expire_artifacts(world.project, over);
    expire.await.unwrap();
    assert_eq!(world.store.next_artifact_due().await.unwrap(), Some(over));

    world.job_event(id, JobEvent::Success).await.unwrap();
    let now = world.now();
    let files = world.store.erase_attempt(id, now).await.unwrap();
    assert_eq!(files.len(), 2);
    let erased = world.store.attempt(id).await.unwrap().unwrap();
    assert_eq!((erased.erased_at, erased.artifacts), (Some(now), vec![]));
    assert!(!world.store.keep_artifacts(id).await.unwrap());
}
