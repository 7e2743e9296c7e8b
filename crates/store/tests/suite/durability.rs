//! What was acknowledged stays.

use std::sync::Arc;

use tappet_engine::JobEvent;
use tappet_store::*;

use crate::world::*;

#[tokio::test]
async fn everything_acknowledged_is_there_after_a_restart() {
    let world = World::new().await;
    let run = world
        .create(&[job("a").retry(1), job("b"), job("c").stage(1)])
        .await
        .run
        .id;
    let a = world.take().await.attempt.id;
    world.job_event(a, failure()).await.unwrap();
    let held = world.take().await.attempt.id;
    let before = (
        world.store.run(run).await.unwrap(),
        world.store.run_attempts(run).await.unwrap(),
        world.store.executing_attempts().await.unwrap(),
    );

    let world = world.reopen();
    let after = (
        world.store.run(run).await.unwrap(),
        world.store.run_attempts(run).await.unwrap(),
        world.store.executing_attempts().await.unwrap(),
    );
    assert_eq!(before, after);

    // The run goes on as if nothing had happened.
    world.job_event(held, JobEvent::Success).await.unwrap();
    let a = world.take().await.attempt;
    assert_eq!((a.name.as_str(), a.number), ("a", 2));
    world.job_event(a.id, JobEvent::Success).await.unwrap();
    assert_eq!(world.take().await.attempt.name, "c");
    assert_eq!(world.create(&[job("a")]).await.run.iid, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_share_commits_and_lose_nothing() {
    let world = Arc::new(World::new().await);
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                for _ in 0..5 {
                    let id = world.create(&[job("a"), job("b")]).await.run.id;
                    // Visible to every reader as soon as it is acknowledged.
                    assert!(world.store.run(id).await.unwrap().is_some());
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let world = Arc::into_inner(world).unwrap().reopen();
    let list = world
        .store
        .runs(world.project, RunFilter::default(), page(1, 100))
        .await
        .unwrap();
    assert_eq!(list.total, Some(320));
    assert_eq!(list.items[0].iid, 320);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let world = World::new().await;
    world.create(&[job("a")]).await;
    world.store.close().await.unwrap();
    let new = world.new_run(&[job("a")]);
    assert!(matches!(
        world.store.create_run(new).await,
        Err(StoreError::Closed)
    ));
    assert!(matches!(world.store.check().await, Err(StoreError::Closed)));
    let world = world.reopen();
    assert_eq!(world.create(&[job("a")]).await.run.iid, 2);
}
