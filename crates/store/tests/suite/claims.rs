//! Who gets which attempt.

use std::collections::HashSet;
use std::sync::Arc;

use rstest::rstest;
use tappet_engine::JobEvent;
use tappet_model::{RunnerId, Status};

use crate::world::*;

#[tokio::test]
async fn the_oldest_waits_least() {
    let world = World::new().await;
    let first = world.create(&[job("a"), job("b")]).await;
    let second = world.create(&[job("c")]).await;
    let mut names = Vec::new();
    for _ in 0..3 {
        names.push(world.take().await.attempt.name);
    }
    assert_eq!(names, ["a", "b", "c"]);
    assert!(first.run.id < second.run.id);
    let claim = world.any_job();
    assert!(world.store.claim(claim).await.unwrap().is_none());
}

#[tokio::test]
async fn a_claim_tells_everything_about_the_job() {
    let world = World::new().await;
    world
        .create_with(|new| new.sealed_variables = Some(vec![7]))
        .await;
    let assignment = world.take().await;
    assert_eq!(assignment.attempt.status, Status::Running);
    assert_eq!(assignment.attempt.runner_id, Some(world.runner));
    assert_eq!(assignment.run.status, Status::Running);
    assert_eq!(assignment.run.started_at, assignment.attempt.started_at);
    assert_eq!(assignment.project.path, "acme/web");
    assert_eq!(
        assignment.user.map(|user| user.username).as_deref(),
        Some("root")
    );
    assert_eq!(assignment.spec.script, ["echo test"]);
    assert_eq!(assignment.sealed_variables, Some(vec![7]));

    let again = world
        .store
        .assignment(assignment.attempt.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again.attempt, assignment.attempt);
}

#[rstest]
#[case::untagged(&[], &[], true, true)]
#[case::untagged_refused(&[], &["linux"], false, false)]
#[case::all_tags(&["linux", "arm"], &["arm", "big", "linux"], false, true)]
#[case::one_tag_missing(&["linux", "arm"], &["linux"], true, false)]
#[case::no_tags(&["linux"], &[], true, false)]
#[tokio::test]
async fn tags_decide(
    #[case] of_job: &[&'static str],
    #[case] of_runner: &[&str],
    #[case] run_untagged: bool,
    #[case] fits: bool,
) {
    let world = World::new().await;
    world.create(&[job("test").tags(of_job)]).await;
    let mut claim = world.claim_with(of_runner);
    claim.run_untagged = run_untagged;
    assert_eq!(world.store.claim(claim).await.unwrap().is_some(), fits);
}

#[tokio::test]
async fn what_does_not_fit_does_not_stand_in_the_way() {
    let world = World::new().await;
    world
        .create(&[
            job("arm").tags(&["arm"]),
            job("mac").tags(&["mac"]),
            job("any"),
            job("late arm").tags(&["arm"]),
        ])
        .await;
    let mut names = Vec::new();
    for tags in [&[][..], &["mac", "arm"], &["mac", "arm"], &["arm"]] {
        let claim = world.claim_with(tags);
        names.push(
            world
                .store
                .claim(claim)
                .await
                .unwrap()
                .unwrap()
                .attempt
                .name,
        );
    }
    assert_eq!(names, ["any", "arm", "mac", "late arm"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_attempt_is_handed_out_twice() {
    let world = Arc::new(World::new().await);
    let jobs = ["a", "b", "c", "d"].map(job);
    for _ in 0..10 {
        world.create(&jobs).await;
    }
    let claimers: Vec<_> = (0..8)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let mut taken = Vec::new();
                while let Some(assignment) = world.store.claim(world.any_job()).await.unwrap() {
                    taken.push(assignment.attempt.id);
                }
                taken
            })
        })
        .collect();
    let mut taken = Vec::new();
    for claimer in claimers {
        taken.extend(claimer.await.unwrap());
    }
    assert_eq!(taken.len(), 40);
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 40);
}

#[tokio::test]
async fn an_unknown_runner_gets_nothing() {
    let world = World::new().await;
    world.create(&[job("test")]).await;
    let mut claim = world.any_job();
    claim.runner_id = RunnerId(99);
    assert!(world.store.claim(claim).await.unwrap().is_none());
    assert_eq!(world.take().await.attempt.name, "test");
}

#[tokio::test]
async fn what_was_canceled_in_the_queue_is_not_handed_out() {
    let world = World::new().await;
    let run = world.create(&[job("a"), job("b")]).await;
    world
        .job_event(run.changed[0].id, JobEvent::Cancel)
        .await
        .unwrap();
    assert_eq!(world.take().await.attempt.name, "b");
}

#[tokio::test]
async fn held_attempts_are_those_between_claim_and_end() {
    let world = World::new().await;
    world
        .create(&[job("short").timeout_s(90), job("long"), job("waits")])
        .await;
    let short = world.take().await.attempt;
    let long = world.take().await.attempt;
    let held = world.store.executing_attempts().await.unwrap();
    assert_eq!(
        held.iter()
            .map(|held| (held.id, held.timeout_s, held.system_id.as_str()))
            .collect::<Vec<_>>(),
        [(short.id, 90, "s_1"), (long.id, 3600, "s_1")]
    );
    assert_eq!(Some(held[0].started_at), short.started_at);

    world.job_event(short.id, JobEvent::Success).await.unwrap();
    world.job_event(long.id, JobEvent::Cancel).await.unwrap();
    let held = world.store.executing_attempts().await.unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].status, Status::Canceling);
}

#[tokio::test]
async fn an_expected_claim_sent_behind_a_creation_gets_its_job() {
    let world = World::new().await;
    let new = world.new_run(&[job("test")]);
    let mut claim = world.any_job();
    claim.is_expected = true;
    let (creation, claimed) = tokio::join!(world.store.create_run(new), world.store.claim(claim));
    let made = created(creation.unwrap()).changed[0].id;
    assert_eq!(claimed.unwrap().unwrap().attempt.id, made);
}
