//! Protected branches and tags.

use tappet_model::RefKind;
use tappet_store::*;

use crate::world::*;

fn rule(world: &World, kind: RefKind, name: &str) -> NewProtectedRef {
    NewProtectedRef {
        project_id: world.project,
        kind,
        name: name.into(),
        push_level: 40,
        merge_level: 30,
        allow_force_push: false,
        now: world.now(),
    }
}

#[tokio::test]
async fn a_name_is_protected_once_as_branch_and_once_as_tag() {
    let world = World::new().await;
    let store = &world.store;
    for kind in [RefKind::Branch, RefKind::Tag] {
        store.protect_ref(rule(&world, kind, "v*")).await.unwrap();
    }
    let again = store.protect_ref(rule(&world, RefKind::Tag, "v*")).await;
    assert!(matches!(again, Err(StoreError::Taken { field: "name" })));
    let tags = store
        .protected_refs(world.project, RefKind::Tag)
        .await
        .unwrap();
    assert_eq!(tags.len(), 1);
}

#[tokio::test]
async fn a_rule_is_changed_in_part_and_removed_once() {
    let world = World::new().await;
    let store = &world.store;
    let new = rule(&world, RefKind::Branch, "main");
    let id = store.protect_ref(new).await.unwrap().id;
    let change = ProtectedRefChange {
        push_level: Some(0),
        allow_force_push: Some(true),
        ..ProtectedRefChange::default()
    };
    let changed = store.update_protected_ref(id, change).await.unwrap();
    assert_eq!((changed.push_level, changed.merge_level), (0, 30));
    assert!(changed.allow_force_push);
    assert!(store.unprotect_ref(id).await.unwrap());
    assert!(!store.unprotect_ref(id).await.unwrap());
    let gone = store.update_protected_ref(id, change).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))));
}
