//! People: who can be added, changed, blocked and removed, and their tokens.

use rstest::rstest;
use tappet_model::{Timestamp, UserId};
use tappet_store::*;

use crate::world::*;

pub fn new_user(username: &str, now: Timestamp) -> NewUser {
    NewUser {
        username: username.into(),
        name: format!("Name of {username}"),
        email: format!("{username}@example.com"),
        is_admin: false,
        is_external: false,
        password: None,
        profile: Profile::default(),
        now,
    }
}

pub async fn add(world: &World, username: &str) -> UserId {
    let new = new_user(username, world.now());
    world.store.create_user(new).await.unwrap().user.id
}

#[tokio::test]
async fn names_and_addresses_are_taken_once_whatever_the_case() {
    let world = World::new().await;
    add(&world, "ada").await;
    let mut same_both = new_user("ADA", world.now());
    same_both.email = "Ada@Example.com".into();
    let mut same_name = new_user("Ada", world.now());
    same_name.email = "other@example.com".into();
    for (new, field) in [(same_both, "email"), (same_name, "username")] {
        let error = world.store.create_user(new).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Taken { field: taken } if taken == field),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name() {
    let world = World::new().await;
    let id = add(&world, "ada").await;
    let change = UserChange {
        name: Some("Ada L.".into()),
        email: Some("ada@example.com".into()),
        profile: Some(Profile {
            bio: "Counts".into(),
            ..Profile::default()
        }),
        ..UserChange::default()
    };
    let account = world.store.update_user(id, change).await.unwrap();
    assert_eq!(account.user.username, "ada");
    assert_eq!(account.user.name, "Ada L.");
    assert_eq!(account.profile.bio, "Counts");
    assert!(!account.has_password);
    assert_eq!(world.store.account(id).await.unwrap(), Some(account));
}

#[tokio::test]
async fn a_new_password_and_a_block_end_the_sessions() {
    let world = World::new().await;
    let store = &world.store;
    let id = add(&world, "ada").await;
    let end = Timestamp(world.now().0 + HOUR);
    let is_open = async || {
        let user = store.user_by_session(hash("s"), world.now()).await;
        user.unwrap().is_some()
    };
    store.create_session(hash("s"), id, end).await.unwrap();
    let change = UserChange {
        password: Some("$argon2id$…".into()),
        ..UserChange::default()
    };
    let account = store.update_user(id, change).await.unwrap();
    assert!(account.has_password && !is_open().await);

    store.create_session(hash("s"), id, end).await.unwrap();
    assert!(store.set_blocked(id, true).await.unwrap());
    assert!(!is_open().await);
    assert!(!store.set_blocked(id, true).await.unwrap());
    assert!(store.set_blocked(id, false).await.unwrap());
}

#[rstest]
#[case(PeopleFilter::default(), &["bob_x", "ada", "root"])]
#[case(PeopleFilter { ascending: true, ..PeopleFilter::default() }, &["root", "ada", "bob_x"])]
#[case(PeopleFilter { username: Some("ADA".into()), ..PeopleFilter::default() }, &["ada"])]
#[case(PeopleFilter { search: Some("name of".into()), ..PeopleFilter::default() }, &["bob_x", "ada"])]
#[case(PeopleFilter { search: Some("b_x".into()), ..PeopleFilter::default() }, &["bob_x"])]
#[case(PeopleFilter { search: Some("A_a".into()), ..PeopleFilter::default() }, &[])]
#[case(PeopleFilter { search: Some("ada@EXAMPLE.com".into()), ..PeopleFilter::default() }, &["ada"])]
#[case(PeopleFilter { search: Some("example.com".into()), ..PeopleFilter::default() }, &[])]
#[case(PeopleFilter { is_admin: Some(true), ..PeopleFilter::default() }, &["root"])]
#[case(PeopleFilter { is_blocked: Some(true), ..PeopleFilter::default() }, &["bob_x"])]
#[case(PeopleFilter { without_projects: true, ..PeopleFilter::default() }, &["bob_x", "ada"])]
#[case(PeopleFilter { order_by: PeopleOrder::Username, ..PeopleFilter::default() }, &["root", "bob_x", "ada"])]
#[tokio::test]
async fn people_are_found_by_what_is_known_of_them(
    #[case] filter: PeopleFilter,
    #[case] expected: &[&str],
) {
    let world = World::new().await;
    add(&world, "ada").await;
    let bob = add(&world, "bob_x").await;
    world.store.set_blocked(bob, true).await.unwrap();
    let list = world.store.accounts(filter, first_page()).await.unwrap();
    let names: Vec<_> = list.items.iter().map(|a| &*a.user.username).collect();
    assert_eq!(names, expected);
    assert_eq!(list.total, Some(expected.len() as u64));
}

#[tokio::test]
async fn who_left_nothing_behind_can_be_removed() {
    let world = World::new().await;
    let store = &world.store;
    let id = add(&world, "ada").await;
    store
        .create_access_token(new_token(id, "laptop", world.now()))
        .await
        .unwrap();
    let member = Member {
        project_id: world.project,
        user_id: id,
        level: 30,
        expires_at: None,
        created_by: Some(world.user),
        created_at: world.now(),
    };
    store.add_member(member).await.unwrap();
    let deletion = store.delete_user(id, world.now()).await.unwrap();
    assert_eq!(deletion, UserDeletion::Deleted);
    assert_eq!(store.account(id).await.unwrap(), None);
    let found = store.access_token_by_hash(hash("laptop")).await.unwrap();
    assert_eq!(found, None);
}

#[tokio::test]
async fn the_last_owner_and_whoever_ran_something_stay() {
    let world = World::new().await;
    let store = &world.store;
    let deletion = store.delete_user(world.user, world.now()).await.unwrap();
    let projects = vec!["acme/web".to_owned()];
    assert_eq!(deletion, UserDeletion::LastOwner { projects });

    let id = add(&world, "ada").await;
    world.create_with(|run| run.user_id = Some(id)).await;
    let deletion = store.delete_user(id, world.now()).await.unwrap();
    let things = vec!["pipelines"];
    assert_eq!(deletion, UserDeletion::InUse { things });
    assert!(store.account(id).await.unwrap().is_some());
}

#[tokio::test]
async fn unfinished_runs_are_those_that_somebody_may_have_to_stop() {
    let world = World::new().await;
    let store = &world.store;
    let ada = add(&world, "ada").await;
    let waiting = world
        .create_with(|run| run.user_id = Some(ada))
        .await
        .run
        .id;
    let over = world
        .create_with(|run| run.user_id = Some(ada))
        .await
        .run
        .id;
    world.create_with(|_| {}).await;
    world
        .run_event(over, tappet_engine::RunEvent::Cancel)
        .await
        .unwrap();
    assert_eq!(store.unfinished_runs_of(ada).await.unwrap(), [waiting]);
}

fn new_token(user_id: UserId, name: &str, now: Timestamp) -> NewAccessToken {
    NewAccessToken {
        user_id,
        name: name.into(),
        description: String::new(),
        scopes: vec!["api".into()],
        hash: hash(name),
        expires_at: None,
        now,
    }
}

#[tokio::test]
async fn a_revoked_token_opens_nothing_but_is_remembered() {
    let world = World::new().await;
    let store = &world.store;
    let token = store
        .create_access_token(new_token(world.user, "laptop", world.now()))
        .await
        .unwrap();
    let opens = async || {
        let found = store
            .user_by_access_token(hash("laptop"), world.now())
            .await;
        found.unwrap().is_some()
    };
    assert!(opens().await);
    let now = world.now();
    assert!(store.revoke_access_token(token.id, now).await.unwrap());
    assert!(!store.revoke_access_token(token.id, now).await.unwrap());
    assert!(!opens().await);
    let found = store.access_token_by_hash(hash("laptop")).await.unwrap();
    assert_eq!(found.unwrap().revoked_at, Some(now));
}

#[tokio::test]
async fn a_token_is_rotated_once() {
    let world = World::new().await;
    let store = &world.store;
    let old = store
        .create_access_token(new_token(world.user, "old", world.now()))
        .await
        .unwrap();
    let new = new_token(world.user, "new", world.now());
    let rotated = store.rotate_access_token(old.id, new).await.unwrap();
    assert!(rotated.unwrap().is_active(world.now()));
    let again = new_token(world.user, "again", world.now());
    assert_eq!(
        store.rotate_access_token(old.id, again).await.unwrap(),
        None
    );
    let found = store.access_token_by_hash(hash("again")).await.unwrap();
    assert_eq!(found, None);
}

#[tokio::test]
async fn tokens_are_found_by_their_state() {
    let world = World::new().await;
    let store = &world.store;
    let ada = add(&world, "ada").await;
    for name in ["good", "revoked", "expired"] {
        let mut new = new_token(ada, name, world.now());
        new.expires_at = (name == "expired").then_some(new.now);
        let token = store.create_access_token(new).await.unwrap();
        if name == "revoked" {
            store
                .revoke_access_token(token.id, world.now())
                .await
                .unwrap();
        }
    }
    let now = world.now();
    let of_ada = TokenFilter {
        user_id: Some(ada),
        ..TokenFilter::default()
    };
    for (change, expected) in [
        (of_ada.clone(), &["good", "revoked", "expired"][..]),
        (
            TokenFilter {
                is_active: Some((true, now)),
                ..of_ada.clone()
            },
            &["good"],
        ),
        (
            TokenFilter {
                is_active: Some((false, now)),
                ..of_ada.clone()
            },
            &["revoked", "expired"],
        ),
        (
            TokenFilter {
                is_revoked: Some(true),
                ..of_ada.clone()
            },
            &["revoked"],
        ),
        (
            TokenFilter {
                search: Some("O".into()),
                order: TokenOrder::CreatedDesc,
                ..of_ada
            },
            &["revoked", "good"],
        ),
    ] {
        let list = store
            .access_tokens(change.clone(), first_page())
            .await
            .unwrap();
        let names: Vec<_> = list.items.iter().map(|token| &*token.name).collect();
        assert_eq!(names, expected, "{change:?}");
    }
}
