//! What becomes of events when their run has ended long ago.

use tappet_engine::RunEvent;
use tappet_model::{FailureReason, RunId, Timestamp};
use tappet_store::*;

use crate::world::*;

/// A run of one job that has ended.
async fn ended(world: &World) -> RunId {
    let run = world.create(&[job("a")]).await.run.id;
    let id = world.take().await.attempt.id;
    world.job_event(id, failure()).await.unwrap();
    run
}

async fn rows(world: &World, run: RunId) -> usize {
    world.store.events(run, 0, 100).await.unwrap().len()
}

/// Deletes in steps of `limit`; how many it were.
async fn delete(world: &World, before: Timestamp, limit: u32) -> u64 {
    let (mut count, mut after) = (0, 0);
    loop {
        let step = world.store.delete_old_events(after, before, limit);
        let step = step.await.unwrap();
        count += step.count;
        match step.next {
            Some(next) => after = next,
            None => return count,
        }
    }
}

#[tokio::test]
async fn events_of_runs_that_ended_go_and_others_stay() {
    let world = World::new().await;
    let waiting = world.create(&[job("a").tags(&["nobody"])]).await.run.id;
    let old = ended(&world).await;
    let last = ended(&world).await;
    let kept = rows(&world, waiting).await;
    let later = world.later(HOUR);
    let counted = world.store.count_old_events(0, later, 100).await.unwrap();
    assert_eq!(rows(&world, old).await, 7);
    assert_eq!((counted.count, counted.next), (3, None));
    assert_eq!(delete(&world, later, 100).await, 3);
    assert_eq!(rows(&world, old).await, 0);
    assert_eq!(rows(&world, waiting).await, kept);
    // Ids go on from the newest of all.
    assert_eq!(rows(&world, last).await, 7);
    let newest = world.store.events(last, 0, 100).await.unwrap().pop();
    let world = world.reopen();
    let next = world.create(&[job("a")]).await.last_event;
    assert!(next > newest.unwrap().id);
}

#[tokio::test]
async fn events_of_a_run_that_ended_lately_stay() {
    let world = World::new().await;
    let begun = world.create(&[job("a")]).await.run.id;
    let between = world.later(HOUR);
    let id = world.take().await.attempt.id;
    world.job_event(id, failure()).await.unwrap();
    ended(&world).await;
    assert_eq!(delete(&world, between, 100).await, 0);
    assert_eq!(rows(&world, begun).await, 7);
}

#[tokio::test]
async fn small_steps_come_to_the_same() {
    let world = World::new().await;
    for _ in 0..5 {
        world.create(&[job("a").tags(&["nobody"])]).await;
        ended(&world).await;
    }
    let later = world.later(HOUR);
    assert_eq!(delete(&world, later, 2).await, 4 * 3);
    assert_eq!(delete(&world, later, 2).await, 0);
}

/// Kind, status and id of what a reader at `after` is told of lost events.
async fn instead(world: &World, run: RunId, after: i64) -> Vec<(String, String, i64)> {
    let told = world.store.events_instead_of_lost(run, after).await;
    let status = |event: &EventRecord| {
        let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
        body["status"].as_str().unwrap().to_owned()
    };
    let told = told.unwrap().into_iter();
    told.map(|event| (event.kind.clone(), status(&event), event.id))
        .collect()
}

fn event(kind: &str, status: &str, id: i64) -> (String, String, i64) {
    (kind.to_owned(), status.to_owned(), id)
}

#[tokio::test]
async fn who_asks_for_what_is_gone_is_told_how_all_stands() {
    let world = World::new().await;
    let run = ended(&world).await;
    let all = world.store.events(run, 0, 100).await.unwrap();
    for read in &all {
        assert_eq!(instead(&world, run, read.id).await, []);
    }
    ended(&world).await;
    delete(&world, world.later(HOUR), 100).await;
    let place = all[2].id;
    let stands = [event("job", "failed", place), event("run", "failed", place)];
    assert_eq!(instead(&world, run, place).await, stands);

    // It goes on: who read all of what is left needs nothing else.
    world.run_event(run, RunEvent::Retry).await.unwrap();
    let left = world.store.events(run, 0, 100).await.unwrap();
    let newest = left.last().unwrap().id;
    let stands = [
        event("job", "pending", place),
        event("run", "running", newest),
    ];
    assert_eq!(instead(&world, run, place).await, stands);
    assert_eq!(instead(&world, run, left[0].id).await, []);
    assert_eq!(instead(&world, run, newest).await, []);
}

#[tokio::test]
async fn a_run_that_was_refused_has_lost_nothing() {
    let world = World::new().await;
    let refused = world
        .create_with(|new| {
            new.content = NewRunContent::Invalid {
                errors: "no jobs".into(),
                reason: FailureReason::ConfigError,
            };
        })
        .await;
    assert_eq!(instead(&world, refused.run.id, 0).await, []);
}
