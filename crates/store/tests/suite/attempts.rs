//! Reading attempts.

use tappet_engine::JobEvent;
use tappet_model::Status;
use tappet_store::*;

use crate::world::*;

async fn names(world: &World, run: tappet_model::RunId, filter: AttemptFilter) -> Vec<String> {
    let list = world
        .store
        .attempts(run, filter, first_page())
        .await
        .unwrap();
    assert_eq!(list.total, Some(list.items.len() as u64));
    list.items
        .iter()
        .map(|attempt| format!("{}#{}", attempt.name, attempt.number))
        .collect()
}

#[tokio::test]
async fn a_list_shows_the_newest_attempts_unless_asked_for_all() {
    let world = World::new().await;
    let run = world
        .create(&[job("a").retry(1), job("b"), job("c").stage(1)])
        .await
        .run
        .id;
    let first = world.take().await.attempt;
    world.job_event(first.id, failure()).await.unwrap();

    let filter = AttemptFilter::default();
    assert_eq!(names(&world, run, filter).await, ["a#2", "c#1", "b#1"]);
    let everything = AttemptFilter {
        include_retried: true,
        ..AttemptFilter::default()
    };
    assert_eq!(
        names(&world, run, everything).await,
        ["a#2", "c#1", "b#1", "a#1"]
    );
    let failed = AttemptFilter {
        statuses: vec![Status::Failed, Status::Created],
        include_retried: true,
    };
    assert_eq!(names(&world, run, failed).await, ["c#1", "a#1"]);

    // By stage and file, whatever the ids.
    let ordered = world.store.run_attempts(run).await.unwrap();
    let ordered: Vec<_> = ordered
        .iter()
        .map(|attempt| attempt.name.as_str())
        .collect();
    assert_eq!(ordered, ["a", "b", "c"]);
}

#[tokio::test]
async fn pages_of_attempts() {
    let world = World::new().await;
    let run = world.create(&["a", "b", "c"].map(job)).await.run.id;
    let list = world
        .store
        .attempts(run, AttemptFilter::default(), page(2, 2))
        .await
        .unwrap();
    assert_eq!(list.items.len(), 1);
    assert_eq!(list.items[0].name, "a");
    assert_eq!((list.total, list.has_next), (Some(3), false));
}

#[tokio::test]
async fn an_attempt_knows_its_job() {
    let world = World::new().await;
    let run = world
        .create(&[
            job("build").tags(&["arm", "big"]),
            job("test").stage(1).needs(&[0]),
            job("deploy").stage(2).manual(),
        ])
        .await
        .run;
    let attempts = world.store.run_attempts(run.id).await.unwrap();
    assert_eq!(attempts[0].tags, ["arm", "big"]);
    assert_eq!(attempts[0].needs, None);
    assert_eq!(attempts[1].needs, Some(vec!["build".to_owned()]));
    assert_eq!(
        (attempts[1].stage.as_str(), attempts[1].stage_index),
        ("stage 1", 1)
    );
    assert!(attempts[2].is_manual && !attempts[1].is_manual);
    assert_eq!(attempts[2].position, 2);
    assert_eq!(attempts[2].project_id, world.project);
    assert_eq!(
        world.store.attempt(attempts[1].id).await.unwrap().as_ref(),
        Some(&attempts[1])
    );
}

#[tokio::test]
async fn times_follow_the_attempt() {
    let world = World::new().await;
    world.create(&[job("a"), job("b").stage(1)]).await;
    let a = world.take().await.attempt;
    assert!(a.queued_at < a.started_at);
    assert_eq!(a.finished_at, None);
    let advance = world.job_event(a.id, JobEvent::Success).await.unwrap();
    let a = world.store.attempt(a.id).await.unwrap().unwrap();
    assert_eq!(a.finished_at, Some(advance.run.updated_at));
    let b = world.store.attempt(advance.changed[1].id).await.unwrap();
    let b = b.unwrap();
    assert_eq!(b.queued_at, a.finished_at);
    assert_eq!(b.created_at, a.created_at);
}
