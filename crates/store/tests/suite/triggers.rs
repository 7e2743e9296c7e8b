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
        project_limit: 100,
        now: world.now(),
    }
}

async fn create(world: &World, token: &str) -> Trigger {
    create_new(world, new_trigger(world, token)).await
}

async fn create_new(world: &World, new: NewTrigger) -> Trigger {
    match world.store.create_trigger(new).await.unwrap() {
        TriggerCreation::Created(trigger) => *trigger,
        TriggerCreation::LimitReached => panic!("the project has too many triggers"),
    }
}

#[tokio::test]
async fn a_token_finds_its_trigger() {
    let world = World::new().await;
    let trigger = create(&world, "first token").await;
    create(&world, "second token").await;
    let found = world
        .store
        .trigger_by_hash(hash("first token"))
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
    let ended = store.trigger_by_hash(hash("abcd")).await.unwrap().unwrap();
    assert!(!ended.is_live(now));
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
    let trigger = create_new(&world, new).await;
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

#[tokio::test]
async fn a_project_has_only_so_many_live_triggers() {
    let world = World::new().await;
    let limited = |token: &str| NewTrigger {
        project_limit: 2,
        ..new_trigger(&world, token)
    };
    let first = create_new(&world, limited("one.")).await;
    create_new(&world, limited("two.")).await;
    let third = || world.store.create_trigger(limited("three"));
    assert_eq!(third().await.unwrap(), TriggerCreation::LimitReached);
    let store = &world.store;
    store
        .revoke_trigger(world.project, first.id, world.now())
        .await
        .unwrap();
    assert!(matches!(
        third().await.unwrap(),
        TriggerCreation::Created(_)
    ));
}

#[tokio::test]
async fn a_revoked_token_never_comes_back() {
    let world = World::new().await;
    let trigger = create(&world, "abcd").await;
    let store = &world.store;
    store
        .revoke_trigger(world.project, trigger.id, world.now())
        .await
        .unwrap();
    let again = store.create_trigger(new_trigger(&world, "abcd")).await;
    assert!(matches!(again, Err(StoreError::Taken { field: "token" })));
}

#[tokio::test]
async fn a_change_touches_only_what_it_names() {
    let world = World::new().await;
    let mut new = new_trigger(&world, "abcd");
    new.owner_id = None;
    let legacy = create_new(&world, new).await;
    assert!(legacy.is_legacy());
    let change = |change| {
        let store = &world.store;
        store.change_trigger(world.project, legacy.id, change, world.now())
    };
    let described = change(TriggerChange {
        description: Some("nightly".into()),
        ..TriggerChange::default()
    });
    let described = described.await.unwrap().unwrap();
    assert_eq!(
        (described.description.as_str(), described.owner_id),
        ("nightly", None)
    );
    let owned = change(TriggerChange {
        owner_id: Some(world.user),
        ..TriggerChange::default()
    });
    let owned = owned.await.unwrap().unwrap();
    assert_eq!(owned.description, "nightly");
    assert_eq!(owned.owner_id, Some(world.user));
    assert_eq!(owned.created_at, legacy.created_at);

    let store = &world.store;
    store
        .revoke_trigger(world.project, legacy.id, world.now())
        .await
        .unwrap();
    assert_eq!(change(TriggerChange::default()).await.unwrap(), None);
}

#[tokio::test]
async fn the_way_of_a_run_goes_back_through_the_jobs_that_started_it() {
    let world = World::new().await;
    let first = world.create_with(|_| {}).await;
    let mut last = first.clone();
    for _ in 0..3 {
        let job = last.changed[0].id;
        last = world
            .create_with(|new| new.origin.source_attempt_id = Some(job))
            .await;
    }
    let store = &world.store;
    let way = store.ancestry(last.run.id, 10).await.unwrap();
    assert_eq!(way.len(), 4);
    assert_eq!(way[0].run_id, last.run.id);
    assert_eq!(way[3].run_id, first.run.id);
    assert_eq!(way[3].ref_name, first.run.ref_name);
    assert_eq!(store.ancestry(last.run.id, 2).await.unwrap().len(), 2);
    assert_eq!(store.ancestry(first.run.id, 10).await.unwrap().len(), 1);
}
