//! The administrator, access tokens, one-time sign-ins and sessions.

use tappet_model::{Timestamp, UserId};

use crate::world::*;

#[tokio::test]
async fn the_root_token_can_be_changed_and_changed_back() {
    let world = World::new().await;
    let store = &world.store;
    let is_valid = async |token| {
        let found = store.user_by_access_token(hash(token), world.now()).await;
        found.unwrap().is_some()
    };
    assert!(is_valid("root").await);

    let user = store.ensure_root(hash("new"), world.now()).await.unwrap();
    assert_eq!(user.id, world.user, "there is one root");
    assert!(user.is_admin);
    assert!(is_valid("new").await && !is_valid("root").await);

    store.ensure_root(hash("root"), world.now()).await.unwrap();
    assert!(is_valid("root").await && !is_valid("new").await);
}

#[tokio::test]
async fn a_token_knows_its_last_use_to_the_minute() {
    let world = World::new().await;
    let store = &world.store;
    let token = async || {
        let found = store.user_by_access_token(hash("root"), world.now()).await;
        found.unwrap().unwrap().1
    };
    let first = token().await;
    assert_eq!(first.last_used_at, None);
    assert_eq!(first.scopes, ["api", "sudo"]);
    let start = world.now();
    for (seconds, known) in [(0, 0), (30, 0), (60, 60), (61, 60)] {
        let now = Timestamp(start.0 + seconds * SECOND);
        store.touch_access_token(first.id, now).await.unwrap();
        let expected = Some(Timestamp(start.0 + known * SECOND));
        assert_eq!(token().await.last_used_at, expected, "after {seconds} s");
    }
}

#[tokio::test]
async fn a_sign_in_works_once() {
    let world = World::new().await;
    let store = &world.store;
    let soon = Timestamp(world.now().0 + HOUR);
    store
        .create_sign_in(hash("link"), world.user, soon)
        .await
        .unwrap();
    let redeem = || store.redeem_sign_in(hash("link"), world.now());
    assert_eq!(redeem().await.unwrap().unwrap().id, world.user);
    assert_eq!(redeem().await.unwrap(), None);
}

#[tokio::test]
async fn a_sign_in_ends_with_its_time() {
    let world = World::new().await;
    let store = &world.store;
    let end = world.now();
    store
        .create_sign_in(hash("link"), world.user, end)
        .await
        .unwrap();
    assert_eq!(store.redeem_sign_in(hash("link"), end).await.unwrap(), None);
}

#[tokio::test]
async fn a_session_lasts_until_it_is_ended_or_over() {
    let world = World::new().await;
    let store = &world.store;
    let end = Timestamp(world.now().0 + HOUR);
    for name in ["one", "two"] {
        store
            .create_session(hash(name), world.user, end)
            .await
            .unwrap();
    }
    let user = async |name, at| {
        let found = store.user_by_session(hash(name), at).await.unwrap();
        found.map(|user| user.id)
    };
    assert_eq!(user("one", world.now()).await, Some(world.user));
    store.end_session(hash("one")).await.unwrap();
    assert_eq!(user("one", world.now()).await, None);
    assert_eq!(user("two", world.now()).await, Some(world.user));
    assert_eq!(user("two", end).await, None);
}

#[tokio::test]
async fn an_unknown_user_is_none() {
    let world = World::new().await;
    assert_eq!(world.store.user(UserId(99)).await.unwrap(), None);
    assert!(world.store.user(world.user).await.unwrap().is_some());
}
