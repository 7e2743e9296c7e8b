//! Attempts of a project, played, erased, kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use tappet_engine::JobEvent;
use tappet_model::Status;
use tappet_store::*;

use crate::filled::filled;
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
        name: None,
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

#[tokio::test]
async fn pages_of_a_ref_hold_its_attempts_among_many_runs() {
    let world = filled(2500).await;
    let whole = ProjectAttempts {
        limit: 100_000,
        ..ProjectAttempts::default()
    };
    let all = world.store.project_attempts(world.project, whole);
    let all = all.await.unwrap();
    let mut refs = HashMap::new();
    for attempt in &all {
        if let Entry::Vacant(of_run) = refs.entry(attempt.run_id) {
            let run = world.store.run(attempt.run_id).await.unwrap().unwrap();
            of_run.insert(run.ref_name);
        }
    }
    assert!(all.iter().any(|attempt| attempt.is_retried));
    let statuses: [&[Status]; 4] = [
        &[],
        &[Status::Success],
        &[Status::Failed],
        &[Status::Skipped, Status::Failed, Status::Running],
    ];
    let retried = all.iter().find(|attempt| attempt.is_retried).unwrap();
    let a_branch = refs
        .values()
        .find(|name| name.starts_with("branch-"))
        .unwrap();
    for name in ["main", "none", a_branch, &refs[&retried.run_id]] {
        for statuses in statuses {
            for (before, offset) in [(None, 0), (None, 990), (Some(all[5000].id), 0)] {
                let wanted = ProjectAttempts {
                    statuses: statuses.to_vec(),
                    ref_name: Some(name.to_owned()),
                    before,
                    offset,
                    limit: 50,
                };
                let expected: Vec<_> = all
                    .iter()
                    .filter(|attempt| refs[&attempt.run_id] == name)
                    .filter(|attempt| statuses.is_empty() || statuses.contains(&attempt.status))
                    .filter(|attempt| before.is_none_or(|before| attempt.id < before))
                    .skip(usize::try_from(offset).unwrap())
                    .take(50)
                    .collect();
                let found = world.store.project_attempts(world.project, wanted);
                let found = found.await.unwrap();
                let what = format!("{name} {statuses:?} {before:?} {offset}");
                assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{what}");
            }
        }
    }
}
