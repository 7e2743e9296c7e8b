//! Delayed jobs: each remembers when it starts, for as long as it waits for that.

use rstest::rstest;
use tappet_engine::{JobEvent, RunEvent};
use tappet_model::{AttemptId, RunId, Status, Timestamp};
use tappet_store::*;

use crate::world::*;

async fn newest(world: &World, run: RunId, name: &str) -> Attempt {
    let attempts = world.store.run_attempts(run).await.unwrap();
    let found = attempts.into_iter().find(|attempt| attempt.name == name);
    found.unwrap()
}

async fn due(world: &World, now: Timestamp) -> Vec<AttemptId> {
    world.store.due_attempts(now).await.unwrap()
}

fn plus(time: Timestamp, micros: i64) -> Timestamp {
    Timestamp(time.0 + micros)
}

const AGES: Timestamp = Timestamp(i64::MAX);

#[tokio::test]
async fn a_delay_begins_when_the_job_would_have_started() {
    let world = World::new().await;
    let run = world
        .create(&[job("build"), job("deploy").stage(1).delayed(3600)])
        .await
        .run;
    let waiting = newest(&world, run.id, "deploy").await;
    assert_eq!((waiting.status, waiting.starts_at), (Status::Created, None));
    let build = world.take().await.attempt.id;
    let now = world.now();
    let success = Action::Job(JobEvent::Success);
    let advance = world
        .store
        .act(Target::Attempt(build), success, now)
        .await
        .unwrap();
    assert_eq!(advance.run.status, Status::Scheduled);

    let deploy = newest(&world, run.id, "deploy").await;
    let ends = plus(now, HOUR);
    assert_eq!(
        (deploy.status, deploy.starts_at),
        (Status::Scheduled, Some(ends))
    );
    assert_eq!(due(&world, plus(ends, -1)).await, []);
    assert_eq!(due(&world, ends).await, [deploy.id]);
    let next = async |after| world.store.next_delay_end(after).await.unwrap();
    assert_eq!(next(plus(ends, -1)).await, Some(ends));
    assert_eq!(next(ends).await, None);
}

#[tokio::test]
async fn a_delay_outlives_the_process() {
    let world = World::new().await;
    let run = world.create(&[job("deploy").delayed(60)]).await.run;
    let deploy = newest(&world, run.id, "deploy").await;
    assert_eq!(deploy.starts_at, Some(plus(run.created_at, 60 * SECOND)));
    let world = world.reopen();
    assert_eq!(newest(&world, run.id, "deploy").await, deploy);
    assert_eq!(due(&world, AGES).await, [deploy.id]);
}

#[rstest]
#[case::time(JobEvent::Enqueue, Status::Pending)]
#[case::play(JobEvent::Play, Status::Pending)]
#[case::cancel(JobEvent::Cancel, Status::Canceled)]
#[tokio::test]
async fn a_delay_ends_once(#[case] event: JobEvent, #[case] status: Status) {
    let world = World::new().await;
    let run = world.create(&[job("deploy").delayed(60)]).await.run;
    let id = newest(&world, run.id, "deploy").await.id;
    world.job_event(id, event).await.unwrap();
    let deploy = newest(&world, run.id, "deploy").await;
    assert_eq!((deploy.status, deploy.starts_at), (status, None));
    assert_eq!(due(&world, AGES).await, []);
    let late = world.job_event(id, JobEvent::Enqueue).await.unwrap_err();
    assert!(matches!(late, StoreError::Refused(_)), "{late}");
}

#[tokio::test]
async fn delays_that_are_over_come_in_the_order_of_their_ends() {
    let world = World::new().await;
    let jobs = [job("late").delayed(90), job("soon").delayed(30)];
    let run = world.create(&jobs).await.run;
    let [late, soon] = [
        newest(&world, run.id, "late").await.id,
        newest(&world, run.id, "soon").await.id,
    ];
    assert_eq!(due(&world, plus(run.created_at, 60 * SECOND)).await, [soon]);
    assert_eq!(due(&world, AGES).await, [soon, late]);
}

#[tokio::test]
async fn a_retried_run_waits_for_its_delay_again() {
    let world = World::new().await;
    let run = world.create(&[job("deploy").delayed(60)]).await.run;
    let first = newest(&world, run.id, "deploy").await;
    world.job_event(first.id, JobEvent::Cancel).await.unwrap();
    let advance = world.run_event(run.id, RunEvent::Retry).await.unwrap();
    let second = newest(&world, run.id, "deploy").await;
    let retried_at = advance.run.updated_at;
    assert_eq!(second.starts_at, Some(plus(retried_at, 60 * SECOND)));
    assert_eq!(due(&world, AGES).await, [second.id]);
}
