//! Trigger tokens.

use tappet_model::{Timestamp, TriggerId};
use tappet_store::*;

use crate::world::*;

fn new_trigger(world: &World, token: &str) -> NewTrigger {
    NewTrigger {
        project_id: world.project,
        owner_id: Some(world.user),
        description: token.into(),
        token_hash: hash(token),
        sealed_token: token.as_bytes().to_vec(),
        short_token: token[..4].into(),
        expires_at: None,
        now: world.now(),
    }
}

async fn create(world: &World, token: &str) -> Trigger {
    let new = new_trigger(world, token);
    world.store.create_trigger(new).await.unwrap()
}

#[tokio::test]
async fn a_token_finds_its_trigger() {
    let world = World::new().await;
    let trigger = create(&world, "first token").await;
    create(&world, "second token").await;
    let found = world
        .store
        .trigger_by_hash(hash("first token"), world.now())
        .await
        .unwrap();
    assert_eq!(found, Some(trigger.clone()));
    let found = world
        .store
        .trigger(world.project, trigger.id, world.now())
        .await
        .unwrap();
    assert_eq!(found, Some(trigger));
}

#[tokio::test]
async fn a_revoked_trigger_is_gone_but_its_runs_still_name_it() {
    let world = World::new().await;
    let trigger = create(&world, "abcd").await;
    let run = world
        .create_with(|new| new.trigger_id = Some(trigger.id))
        .await
        .run;
    let store = &world.store;
    let revoke = || store.revoke_trigger(world.project, trigger.id, world.now());
    assert!(revoke().await.unwrap());
    assert!(!revoke().await.unwrap());
    let now = world.now();
    assert_eq!(
        store.trigger_by_hash(hash("abcd"), now).await.unwrap(),
        None
    );
    assert_eq!(
        store.trigger(world.project, trigger.id, now).await.unwrap(),
        None
    );
    let list = store.triggers(world.project, now, first_page()).await;
    assert_eq!(list.unwrap().total, Some(0));

    let of_run = store.trigger_of_run(run.id).await.unwrap().unwrap();
    assert_eq!(of_run.id, trigger.id);
    let run = store.run(run.id).await.unwrap().unwrap();
    assert_eq!(run.trigger_short_token.as_deref(), Some("abcd"));
}

#[tokio::test]
async fn an_expired_trigger_is_gone() {
    let world = World::new().await;
    let mut new = new_trigger(&world, "abcd");
    let end = Timestamp(new.now.0 + HOUR);
    new.expires_at = Some(end);
    let trigger = world.store.create_trigger(new).await.unwrap();
    let at = |now| world.store.trigger(world.project, trigger.id, now);
    assert!(at(Timestamp(end.0 - 1)).await.unwrap().is_some());
    assert!(at(end).await.unwrap().is_none());
}

#[tokio::test]
async fn a_run_counts_as_use() {
    let world = World::new().await;
    let trigger = create(&world, "abcd").await;
    assert_eq!(trigger.last_used_at, None);
    let run = world
        .create_with(|new| new.trigger_id = Some(trigger.id))
        .await
        .run;
    assert_eq!(run.trigger_short_token.as_deref(), Some("abcd"));
    let trigger = world.store.trigger_of_run(run.id).await.unwrap().unwrap();
    assert_eq!(trigger.last_used_at, Some(run.created_at));
}

#[tokio::test]
async fn a_list_is_of_one_project_and_oldest_first() {
    let world = World::new().await;
    let other = new_project("acme/api", world.user, world.now());
    let other = world.store.create_project(other).await.unwrap().id;
    for token in ["one.", "two.", "three"] {
        create(&world, token).await;
    }
    let list = world
        .store
        .triggers(world.project, world.now(), page(1, 2))
        .await
        .unwrap();
    let names: Vec<_> = list.items.iter().map(|t| t.description.as_str()).collect();
    assert_eq!(names, ["one.", "two."]);
    assert_eq!((list.total, list.has_next), (Some(3), true));
    let none = world
        .store
        .triggers(other, world.now(), first_page())
        .await
        .unwrap();
    assert_eq!(none.total, Some(0));
    let foreign = list.items[0].id;
    assert!(
        !world
            .store
            .revoke_trigger(other, foreign, world.now())
            .await
            .unwrap()
    );
    assert!(
        !world
            .store
            .revoke_trigger(world.project, TriggerId(99), world.now())
            .await
            .unwrap()
    );
}
