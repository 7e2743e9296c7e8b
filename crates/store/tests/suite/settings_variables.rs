//! Variables kept in settings.

use tappet_model::{ProjectId, VariableKind};
use tappet_store::*;

use crate::world::*;

fn new_variable(
    world: &World,
    level: VariableLevel,
    key: &str,
    scope: &str,
) -> NewSettingsVariable {
    NewSettingsVariable {
        level,
        key: key.into(),
        sealed_value: format!("sealed {key}").into_bytes(),
        is_hidden: false,
        traits: VariableTraits {
            kind: VariableKind::File,
            is_protected: true,
            is_masked: false,
            is_raw: true,
            environment_scope: scope.into(),
            description: Some("why".into()),
        },
        now: world.now(),
    }
}

fn group(path: &str) -> VariableLevel {
    VariableLevel::Group(path.into())
}

async fn add(world: &World, level: VariableLevel, key: &str) -> SettingsVariable {
    let new = new_variable(world, level, key, "*");
    world.store.create_settings_variable(new).await.unwrap()
}

#[tokio::test]
async fn a_variable_is_found_as_it_was_stored() {
    let world = World::new().await;
    for level in [
        VariableLevel::Instance,
        group("acme"),
        VariableLevel::Project(world.project),
    ] {
        let new = new_variable(&world, level.clone(), "A", "review/*");
        let made = world
            .store
            .create_settings_variable(new.clone())
            .await
            .unwrap();
        assert_eq!((&made.key, &made.traits), (&new.key, &new.traits));
        assert_eq!(
            (&made.level, &made.sealed_value),
            (&level, &new.sealed_value)
        );
        let found = world
            .store
            .settings_variables_named(&level, "A")
            .await
            .unwrap();
        assert_eq!(found, std::slice::from_ref(&made));
        let listed = world
            .store
            .settings_variables(&level, first_page())
            .await
            .unwrap();
        assert_eq!((listed.items, listed.total), (vec![made], Some(1)));
        assert!(
            world
                .store
                .settings_variables_named(&level, "a")
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_level_has_a_name_once_for_each_environment_scope() {
    let world = World::new().await;
    for level in [
        VariableLevel::Instance,
        group("acme"),
        VariableLevel::Project(world.project),
    ] {
        add(&world, level.clone(), "A").await;
        let again = new_variable(&world, level.clone(), "A", "*");
        let taken = world.store.create_settings_variable(again).await;
        assert!(
            matches!(taken, Err(StoreError::Taken { field: "key" })),
            "{taken:?}"
        );
        let other = new_variable(&world, level, "A", "production");
        world.store.create_settings_variable(other).await.unwrap();
    }
    let shouted = new_variable(&world, group("ACME"), "A", "*");
    assert!(world.store.create_settings_variable(shouted).await.is_err());
}

#[tokio::test]
async fn a_change_needs_the_variable_as_it_was_read() {
    let world = World::new().await;
    let made = add(&world, VariableLevel::Instance, "A").await;
    let change = |sealed_value: Option<&str>| VariableChange {
        id: made.id,
        revision: made.revision,
        sealed_value: sealed_value.map(|text| text.as_bytes().to_vec()),
        traits: VariableTraits {
            is_masked: true,
            ..made.traits.clone()
        },
        now: world.now(),
    };
    let changed = world
        .store
        .change_settings_variable(change(None))
        .await
        .unwrap();
    let VariableChanged::Changed(changed) = changed else {
        panic!("it is as it was read");
    };
    assert!(changed.traits.is_masked);
    assert_eq!(changed.sealed_value, made.sealed_value);
    let stale = world
        .store
        .change_settings_variable(change(Some("x")))
        .await
        .unwrap();
    assert_eq!(stale, VariableChanged::Stale);
}

#[tokio::test]
async fn a_change_cannot_take_the_place_of_another_variable() {
    let world = World::new().await;
    add(&world, VariableLevel::Instance, "A").await;
    let other = new_variable(&world, VariableLevel::Instance, "A", "production");
    let other = world.store.create_settings_variable(other).await.unwrap();
    let change = VariableChange {
        id: other.id,
        revision: other.revision,
        sealed_value: None,
        traits: VariableTraits {
            environment_scope: "*".into(),
            ..other.traits
        },
        now: world.now(),
    };
    let taken = world.store.change_settings_variable(change).await;
    assert!(
        matches!(taken, Err(StoreError::Taken { field: "key" })),
        "{taken:?}"
    );
}

#[tokio::test]
async fn a_removed_variable_is_gone_once() {
    let world = World::new().await;
    let made = add(&world, VariableLevel::Instance, "A").await;
    assert!(world.store.delete_settings_variable(made.id).await.unwrap());
    assert!(!world.store.delete_settings_variable(made.id).await.unwrap());
    let count = world
        .store
        .count_settings_variables(&VariableLevel::Instance)
        .await;
    assert_eq!(count.unwrap(), 0);
}

#[tokio::test]
async fn a_project_gets_those_of_the_instance_then_of_its_groups_from_outside_in() {
    let world = World::new().await;
    let new = new_project("Acme/tools/cutter", world.user, world.now());
    let project = world.store.create_project(new).await.unwrap();
    // Added against the order in which they are given.
    add(&world, VariableLevel::Project(project.id), "OWN").await;
    add(&world, group("acme/tools"), "INNER").await;
    add(&world, group("acme"), "OUTER").await;
    add(&world, VariableLevel::Instance, "ALL").await;
    add(&world, VariableLevel::Instance, "ALL_TOO").await;
    // Of others.
    add(&world, group("acme/tools/cutter"), "X").await;
    add(&world, group("acme/tool"), "X").await;
    add(&world, VariableLevel::Project(world.project), "X").await;
    let given = world.store.settings_variables_for(&project).await.unwrap();
    let keys: Vec<&str> = given.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(keys, ["ALL", "ALL_TOO", "OUTER", "INNER", "OWN"]);
}

#[tokio::test]
async fn a_variable_of_no_project_is_refused() {
    let world = World::new().await;
    let orphan = new_variable(&world, VariableLevel::Project(ProjectId(99)), "A", "*");
    let refused = world.store.create_settings_variable(orphan).await;
    assert!(
        matches!(refused, Err(StoreError::Database(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn projects_of_a_group_are_those_under_its_path() {
    let world = World::new().await;
    let under = async |group: &str| {
        let found = world
            .store
            .projects_under(group, world.user, world.now())
            .await;
        let levels = found.unwrap().into_iter().map(|one| one.level);
        levels.collect::<Vec<_>>()
    };
    assert_eq!(under("acme").await, [Some(50)]);
    assert_eq!(under("ACME").await, [Some(50)]);
    for none in ["acm", "acme/web", "acme/", "", "acme0"] {
        assert_eq!(under(none).await, [], "{none}");
    }
}

#[tokio::test]
async fn values_of_other_keys_are_found_in_pages_and_swapped_only_as_they_were() {
    let world = World::new().await;
    for key in ["A", "B", "C"] {
        add(&world, VariableLevel::Instance, key).await;
    }
    let place = SealedPlace::SettingsVariables;
    let store = &world.store;
    // Every sealed value of this test begins with an `s`.
    assert!(
        store
            .sealed_with_other_keys(place, b's', 0, 9)
            .await
            .unwrap()
            .is_empty()
    );
    let first = store
        .sealed_with_other_keys(place, b'N', 0, 2)
        .await
        .unwrap();
    assert_eq!(first.len(), 2);
    let rest = store
        .sealed_with_other_keys(place, b'N', first[1].id, 2)
        .await
        .unwrap();
    assert_eq!(rest.len(), 1);
    let swap = |value: &SealedValue, old: &[u8]| Resealed {
        id: value.id,
        old: old.to_vec(),
        new: b"New".to_vec(),
        token_hash: None,
    };
    let swaps = vec![
        swap(&first[0], &first[0].sealed),
        swap(&first[1], b"changed since"),
    ];
    store.reseal(place, swaps).await.unwrap();
    let left = store
        .sealed_with_other_keys(place, b'N', 0, 9)
        .await
        .unwrap();
    assert_eq!(left, [first[1].clone(), rest[0].clone()]);
}
