//! Members of projects.

use rstest::rstest;
use tappet_model::{Timestamp, UserId};
use tappet_store::*;

use crate::people::add;
use crate::world::*;

fn member(world: &World, user_id: UserId, level: u32) -> Member {
    Member {
        project_id: world.project,
        user_id,
        level,
        expires_at: None,
        created_by: Some(world.user),
        created_at: world.now(),
    }
}

#[tokio::test]
async fn an_expired_membership_is_none_and_can_be_replaced() {
    let world = World::new().await;
    let store = &world.store;
    let ada = add(&world, "ada").await;
    let mut short = member(&world, ada, 30);
    let end = Timestamp(world.now().0 + HOUR);
    short.expires_at = Some(end);
    store.add_member(short.clone()).await.unwrap();
    let level = async |now| {
        let found = store.membership(world.project, ada, now).await.unwrap();
        found.map(|member| member.level)
    };
    assert_eq!(level(world.now()).await, Some(30));
    assert_eq!(level(end).await, None);

    let again = store.add_member(member(&world, ada, 40)).await;
    assert!(matches!(again, Err(StoreError::Taken { field: "user_id" })));
    let mut later = member(&world, ada, 40);
    later.created_at = end;
    store.add_member(later).await.unwrap();
    assert_eq!(level(end).await, Some(40));
}

#[rstest]
#[case(MemberFilter::default(), &["root", "ada", "bob"])]
#[case(MemberFilter { search: Some("ADA".into()), ..MemberFilter::default() }, &["ada"])]
#[case(MemberFilter { user_ids: Some(vec![UserId(1)]), ..MemberFilter::default() }, &["root"])]
#[case(MemberFilter { user_ids: Some(vec![]), ..MemberFilter::default() }, &[])]
#[tokio::test]
async fn members_are_listed_with_who_they_are(
    #[case] filter: MemberFilter,
    #[case] expected: &[&str],
) {
    let world = World::new().await;
    for name in ["ada", "bob"] {
        let id = add(&world, name).await;
        world
            .store
            .add_member(member(&world, id, 30))
            .await
            .unwrap();
    }
    let list = world
        .store
        .members(world.project, filter, world.now(), first_page())
        .await
        .unwrap();
    let names: Vec<_> = list.items.iter().map(|(_, user)| &*user.username).collect();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_project_keeps_an_owner() {
    let world = World::new().await;
    let store = &world.store;
    let (project, root) = (world.project, world.user);
    let lower = || store.update_member(project, root, 40, None, world.now());
    let leave = || store.remove_member(project, root, world.now());
    assert_eq!(lower().await.unwrap(), MemberChange::LastOwner);
    assert_eq!(leave().await.unwrap(), MemberChange::LastOwner);
    let end = Some(Some(Timestamp(world.now().0 + HOUR)));
    let expire = store.update_member(project, root, 50, end, world.now());
    assert_eq!(expire.await.unwrap(), MemberChange::LastOwner);

    let ada = add(&world, "ada").await;
    store.add_member(member(&world, ada, 50)).await.unwrap();
    assert!(matches!(lower().await.unwrap(), MemberChange::Done(now) if now.level == 40));
    assert!(matches!(leave().await.unwrap(), MemberChange::Done(_)));
    assert_eq!(leave().await.unwrap(), MemberChange::Missing);
}
