//! One key, one run.

use std::collections::HashSet;
use std::sync::Arc;

use tappet_model::Timestamp;
use tappet_store::*;

use crate::world::*;

fn key(world: &World, credential: &str, key: &str) -> IdempotencyKey {
    IdempotencyKey {
        project_id: world.project,
        credential: credential.into(),
        key: key.into(),
    }
}

fn keyed(world: &World, name: &str, body: u8) -> NewRun {
    let mut new = world.new_run(&[job("test")]);
    new.idempotency = Some((key(world, "trigger:1", name), [body; 32]));
    new
}

async fn count(world: &World) -> u64 {
    let runs = world
        .store
        .runs(world.project, RunFilter::default(), first_page())
        .await
        .unwrap();
    runs.total.unwrap()
}

#[tokio::test]
async fn the_same_request_gets_the_same_run() {
    let world = World::new().await;
    let first = created(world.store.create_run(keyed(&world, "k", 1)).await.unwrap());
    let again = world.store.create_run(keyed(&world, "k", 1)).await.unwrap();
    assert_eq!(again, Creation::Replayed(Box::new(first.run.clone())));
    assert_eq!(count(&world).await, 1);

    let remembered = world
        .store
        .run_by_idempotency_key(key(&world, "trigger:1", "k"), world.now())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(remembered.fingerprint, [1; 32]);
    assert_eq!(remembered.run.id, first.run.id);
}

#[tokio::test]
async fn another_request_with_the_key_is_refused() {
    let world = World::new().await;
    world.store.create_run(keyed(&world, "k", 1)).await.unwrap();
    let error = world.store.create_run(keyed(&world, "k", 2)).await;
    assert!(matches!(error, Err(StoreError::KeyReused)));
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn a_key_belongs_to_its_credential() {
    let world = World::new().await;
    world.store.create_run(keyed(&world, "k", 1)).await.unwrap();
    let mut other = keyed(&world, "k", 1);
    other.idempotency = Some((key(&world, "token:1", "k"), [1; 32]));
    created(world.store.create_run(other).await.unwrap());
    assert_eq!(count(&world).await, 2);
}

#[tokio::test]
async fn a_key_lives_for_a_day() {
    let world = World::new().await;
    let first = created(world.store.create_run(keyed(&world, "k", 1)).await.unwrap());
    let almost = Timestamp(first.run.created_at.0 + 24 * HOUR - 1);
    let over = Timestamp(almost.0 + 1);
    let name = || key(&world, "trigger:1", "k");
    let known = |at| world.store.run_by_idempotency_key(name(), at);
    assert!(known(almost).await.unwrap().is_some());
    assert!(known(over).await.unwrap().is_none());

    world.later(24 * HOUR);
    created(world.store.create_run(keyed(&world, "k", 2)).await.unwrap());
    assert_eq!(count(&world).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_at_once_start_one_run() {
    let world = Arc::new(World::new().await);
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.store.create_run(keyed(&world, "k", 1)).await })
        })
        .collect();
    let mut ids = HashSet::new();
    let mut made = 0;
    for caller in callers {
        match caller.await.unwrap().unwrap() {
            Creation::Created { advance, .. } => {
                made += 1;
                ids.insert(advance.run.id);
            }
            Creation::Replayed(run) => {
                ids.insert(run.id);
            }
        }
    }
    assert_eq!((made, ids.len()), (1, 1));
    assert_eq!(count(&world).await, 1);
}

#[tokio::test]
async fn what_was_refused_is_not_remembered() {
    let world = World::new().await;
    let mut wrong = keyed(&world, "k", 1);
    wrong.trigger_id = Some(tappet_model::TriggerId(99));
    world.store.create_run(wrong).await.unwrap_err();
    created(world.store.create_run(keyed(&world, "k", 2)).await.unwrap());
}
