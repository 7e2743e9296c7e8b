//! Secrets and variables of workflows.

use rstest::rstest;
use tappet_model::{ProjectId, WorkflowVariantId};
use tappet_store::*;

use crate::world::*;

const SECRET: SettingKind = SettingKind::Secret;
const VARIABLE: SettingKind = SettingKind::Variable;

fn everywhere() -> VariantAttributes {
    VariantAttributes::default()
}

fn in_project(id: ProjectId) -> VariantAttributes {
    [VariantAttribute::Repository(id)].into_iter().collect()
}

fn value(kind: SettingKind, setting: &str, attributes: VariantAttributes) -> NewWorkflowVariant {
    NewWorkflowVariant {
        kind,
        setting: setting.into(),
        name: "default".into(),
        attributes,
        sealed_value: b"sealed".to_vec(),
        description: None,
    }
}

impl World {
    async fn keep(&self, new: NewWorkflowVariant) -> KeptVariant {
        let kept = self
            .store
            .keep_workflow_variants(vec![new], IfPresent::Replace, self.now())
            .await;
        kept.unwrap().remove(0)
    }

    async fn setting(&self, kind: SettingKind, name: &str) -> Option<WorkflowSetting> {
        let lookup = SettingLookup::Name(name.into());
        self.store.workflow_setting(kind, lookup).await.unwrap()
    }
}

#[tokio::test]
async fn a_value_is_found_as_it_was_kept() {
    let world = World::new().await;
    let new = NewWorkflowVariant {
        description: Some("for releases".into()),
        attributes: [
            VariantAttribute::Workflow("deploy.yml".into()),
            VariantAttribute::Branch("release/*".into()),
            VariantAttribute::Environment("production".into()),
            VariantAttribute::Repository(world.project),
        ]
        .into_iter()
        .collect(),
        ..value(SECRET, "KEY", everywhere())
    };
    let kept = world.keep(new.clone()).await;
    assert!(kept.created_setting && kept.created_variant);
    let setting = world.setting(SECRET, "KEY").await.unwrap();
    assert_eq!(setting, kept.setting);
    let [variant] = setting.variants.as_slice() else {
        panic!("{setting:?}");
    };
    assert_eq!(variant.id, kept.variant);
    assert_eq!(
        (
            &variant.name,
            &variant.attributes,
            &variant.sealed_value,
            &variant.description
        ),
        (
            &new.name,
            &new.attributes,
            &new.sealed_value,
            &new.description
        )
    );
    for lookup in [
        SettingLookup::Id(setting.id),
        SettingLookup::Variant(variant.id),
        SettingLookup::Name("key".into()),
    ] {
        let found = world.store.workflow_setting(SECRET, lookup.clone()).await;
        assert_eq!(found.unwrap().as_ref(), Some(&setting), "{lookup:?}");
        let other = world.store.workflow_setting(VARIABLE, lookup).await;
        assert_eq!(other.unwrap(), None, "a secret is no variable");
    }
}

#[tokio::test]
async fn the_order_of_conditions_makes_no_difference() {
    let world = World::new().await;
    let of = |branches: &[&str]| {
        branches
            .iter()
            .map(|name| VariantAttribute::Branch((*name).into()))
            .collect::<VariantAttributes>()
    };
    world.keep(value(SECRET, "KEY", of(&["main", "dev"]))).await;
    let again = world
        .keep(value(SECRET, "KEY", of(&["dev", "main", "dev"])))
        .await;
    assert!(!again.created_variant);
}

#[tokio::test]
async fn keeping_again_replaces_the_value_and_leaves_the_description() {
    let world = World::new().await;
    let first = NewWorkflowVariant {
        description: Some("why".into()),
        ..value(VARIABLE, "REGION", everywhere())
    };
    let first = world.keep(first).await;
    let second = NewWorkflowVariant {
        sealed_value: b"other".to_vec(),
        ..value(VARIABLE, "region", everywhere())
    };
    let second = world.keep(second).await;
    assert!(!second.created_setting && !second.created_variant);
    assert_eq!(second.variant, first.variant);
    let variant = &second.setting.variants[0];
    assert_eq!(second.setting.name, "REGION");
    assert_eq!(variant.sealed_value, b"other");
    assert_eq!(variant.description.as_deref(), Some("why"));
    assert!(second.setting.updated_at > first.setting.updated_at);
}

#[tokio::test]
async fn values_for_other_places_stand_beside_each_other() {
    let world = World::new().await;
    world.keep(value(SECRET, "KEY", everywhere())).await;
    let scoped = world
        .keep(value(SECRET, "KEY", in_project(world.project)))
        .await;
    assert!(!scoped.created_setting && scoped.created_variant);
    assert_eq!(scoped.setting.variants.len(), 2);
}

#[tokio::test]
async fn of_several_values_all_are_kept_or_none() {
    let world = World::new().await;
    world.keep(value(SECRET, "B", everywhere())).await;
    let all = ["A", "B", "C"].map(|name| value(SECRET, name, everywhere()));
    let taken = world
        .store
        .keep_workflow_variants(all.to_vec(), IfPresent::Refuse, world.now())
        .await;
    assert!(
        matches!(taken, Err(StoreError::Taken { field: "variant" })),
        "{taken:?}"
    );
    assert_eq!(world.setting(SECRET, "A").await, None);
    let kept = world
        .store
        .keep_workflow_variants(all.to_vec(), IfPresent::Replace, world.now())
        .await
        .unwrap();
    let created: Vec<bool> = kept.iter().map(|one| one.created_setting).collect();
    assert_eq!(created, [true, false, true]);
}

#[tokio::test]
async fn lists_go_by_kind_and_name() {
    let world = World::new().await;
    for (kind, name) in [(VARIABLE, "A"), (SECRET, "b"), (SECRET, "C"), (SECRET, "A")] {
        world.keep(value(kind, name, everywhere())).await;
    }
    let listed = |kind| {
        let store = world.store.clone();
        async move {
            let all = store.workflow_settings(kind).await.unwrap();
            let named = all.into_iter().map(|one| (one.kind, one.name));
            named.collect::<Vec<_>>()
        }
    };
    let secrets = ["A", "b", "C"].map(|name| (SECRET, name.to_owned()));
    let variable = (VARIABLE, "A".to_owned());
    assert_eq!(listed(Some(SECRET)).await, secrets);
    assert_eq!(
        listed(Some(VARIABLE)).await,
        std::slice::from_ref(&variable)
    );
    assert_eq!(listed(None).await, [&secrets[..], &[variable]].concat());
}

fn change(id: WorkflowVariantId, world: &World) -> WorkflowVariantChange {
    WorkflowVariantChange {
        id,
        sealed_value: None,
        name: None,
        description: None,
        attributes: None,
        now: world.now(),
    }
}

#[tokio::test]
async fn a_change_touches_what_it_names() {
    let world = World::new().await;
    let kept = world.keep(value(SECRET, "KEY", everywhere())).await;
    let renamed = WorkflowVariantChange {
        name: Some("production".into()),
        description: Some(Some("why".into())),
        attributes: Some(in_project(world.project)),
        ..change(kept.variant, &world)
    };
    let setting = world.store.change_workflow_variant(renamed).await.unwrap();
    let variant = setting.unwrap().variants.remove(0);
    assert_eq!(variant.name, "production");
    assert_eq!(variant.description.as_deref(), Some("why"));
    assert_eq!(variant.attributes, in_project(world.project));
    assert_eq!(variant.sealed_value, b"sealed");
    let valued = WorkflowVariantChange {
        sealed_value: Some(b"new".to_vec()),
        description: Some(None),
        ..change(kept.variant, &world)
    };
    let setting = world.store.change_workflow_variant(valued).await.unwrap();
    let variant = setting.unwrap().variants.remove(0);
    assert_eq!(
        (
            variant.sealed_value.as_slice(),
            variant.name.as_str(),
            variant.description
        ),
        (&b"new"[..], "production", None)
    );
}

#[tokio::test]
async fn a_change_into_another_variant_is_refused() {
    let world = World::new().await;
    world.keep(value(SECRET, "KEY", everywhere())).await;
    let scoped = world
        .keep(value(SECRET, "KEY", in_project(world.project)))
        .await;
    let clash = WorkflowVariantChange {
        attributes: Some(everywhere()),
        ..change(scoped.variant, &world)
    };
    let taken = world.store.change_workflow_variant(clash).await;
    assert!(
        matches!(taken, Err(StoreError::Taken { field: "variant" })),
        "{taken:?}"
    );
    let gone = change(WorkflowVariantId(99), &world);
    assert_eq!(
        world.store.change_workflow_variant(gone).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn the_last_variant_takes_its_setting_along() {
    let world = World::new().await;
    let first = world.keep(value(SECRET, "KEY", everywhere())).await.variant;
    let second = world
        .keep(value(SECRET, "KEY", in_project(world.project)))
        .await
        .variant;
    let delete = |id| world.store.delete_workflow_variant(id, world.now());
    assert_eq!(delete(first).await.unwrap(), Some(false));
    assert_eq!(delete(first).await.unwrap(), None);
    assert_eq!(delete(second).await.unwrap(), Some(true));
    assert_eq!(world.setting(SECRET, "KEY").await, None);
}

#[tokio::test]
async fn a_setting_goes_with_all_its_variants() {
    let world = World::new().await;
    world.keep(value(SECRET, "KEY", everywhere())).await;
    let kept = world
        .keep(value(SECRET, "KEY", in_project(world.project)))
        .await;
    let id = kept.setting.id;
    assert!(world.store.delete_workflow_setting(id).await.unwrap());
    assert!(!world.store.delete_workflow_setting(id).await.unwrap());
    let lookup = SettingLookup::Variant(kept.variant);
    let found = world.store.workflow_setting(SECRET, lookup).await;
    assert_eq!(found.unwrap(), None);
}

#[rstest]
#[case::of_the_project_alone(&[1], 0)]
#[case::of_two_projects(&[1, 2], 1)]
#[case::of_another_project(&[2], 1)]
#[case::of_none(&[], 1)]
#[tokio::test]
async fn a_deleted_project_takes_along_what_is_for_it_alone(
    #[case] named: &[usize],
    #[case] left: usize,
) {
    let world = World::new().await;
    let other = new_project("acme/other", world.user, world.now());
    let other = world.store.create_project(other).await.unwrap().id;
    let projects = [world.project, other];
    let attributes = named
        .iter()
        .map(|at| VariantAttribute::Repository(projects[at - 1]));
    world.keep(value(SECRET, "KEY", attributes.collect())).await;
    let now = world.now();
    assert!(
        world
            .store
            .delete_project(world.project, now)
            .await
            .unwrap()
    );
    world.store.empty_project(world.project).await.unwrap();
    let all = world.store.workflow_settings(None).await.unwrap();
    assert_eq!(all.len(), left);
}
