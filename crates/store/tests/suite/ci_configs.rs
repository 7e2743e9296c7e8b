//! CI configs: every project has one, with what people set on it.

use tappet_model::ProjectId;
use tappet_store::*;

use crate::world::*;

fn named(name: &str) -> CiConfigSettings {
    CiConfigSettings {
        name: name.into(),
        pipeline_files: vec!["ci/nightly.yml".into()],
        expects_diffs: true,
        ..CiConfigSettings::default()
    }
}

async fn add(world: &World, name: &str) -> StoreResult<CiConfig> {
    let store = &world.store;
    store
        .add_ci_config(world.project, named(name), 3, world.now())
        .await
}

async fn names(world: &World) -> Vec<String> {
    let configs = world.store.ci_configs(world.project).await.unwrap();
    configs
        .into_iter()
        .map(|config| config.settings.name)
        .collect()
}

fn taken<T>(result: StoreResult<T>) -> &'static str {
    match result {
        Err(StoreError::Taken { field }) => field,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("nothing was taken"),
    }
}

#[tokio::test]
async fn a_project_has_one_from_the_start() {
    let world = World::new().await;
    let project = world.store.project(world.project).await.unwrap().unwrap();
    let configs = world.store.ci_configs(world.project).await.unwrap();
    let expected = CiConfig {
        id: project.ci_configs[0].id,
        project_id: world.project,
        settings: CiConfigSettings::default(),
        created_at: project.created_at,
        updated_at: project.created_at,
    };
    assert_eq!(configs, [expected]);
}

#[tokio::test]
async fn more_can_be_added_and_set_anew() {
    let world = World::new().await;
    let added = add(&world, "nightly").await.unwrap();
    assert_eq!(added.settings, named("nightly"));
    assert_eq!(names(&world).await, ["default", "nightly"]);

    let now = world.now();
    let updated = world.store.update_ci_config(added.id, named("daily"), now);
    let updated = updated.await.unwrap().unwrap();
    assert_eq!(
        (updated.id, updated.created_at),
        (added.id, added.created_at)
    );
    assert_eq!(
        (updated.settings, updated.updated_at),
        (named("daily"), now)
    );

    let world = world.reopen();
    let kept = world.store.ci_config(added.id).await.unwrap().unwrap();
    assert_eq!(kept.settings, named("daily"));
}

#[tokio::test]
async fn a_name_is_there_once_in_a_project() {
    let world = World::new().await;
    let nightly = add(&world, "nightly").await.unwrap();
    assert_eq!(taken(add(&world, "nightly").await), "name");
    let rename = world
        .store
        .update_ci_config(nightly.id, named("default"), world.now());
    assert_eq!(taken(rename.await), "name");
    let same = world
        .store
        .update_ci_config(nightly.id, named("nightly"), world.now());
    same.await.unwrap().unwrap();
    add(&world, "Nightly").await.unwrap();
}

#[tokio::test]
async fn there_are_no_more_than_may_be() {
    let world = World::new().await;
    add(&world, "a").await.unwrap();
    add(&world, "b").await.unwrap();
    assert_eq!(taken(add(&world, "c").await), "limit");
}

#[tokio::test]
async fn a_deleted_one_leaves_its_runs_and_its_name() {
    let world = World::new().await;
    let run = world.create_for("a1", None).await.id;
    let first = world.config().await;
    let nightly = add(&world, "nightly").await.unwrap();
    let delete = async |id| world.store.delete_ci_config(id, world.now()).await;
    assert!(delete(first).await.unwrap());
    assert!(!delete(first).await.unwrap());
    assert_eq!(world.store.ci_config(first).await.unwrap(), None);
    let gone = world.store.update_ci_config(first, named("x"), world.now());
    assert_eq!(gone.await.unwrap(), None);
    assert_eq!(world.pull_request(run).await.config_id, first);
    let project = world.store.project(world.project).await.unwrap().unwrap();
    let named = CiConfigName {
        id: nightly.id,
        name: "nightly".into(),
    };
    assert_eq!(project.ci_configs, [named]);

    assert_eq!(taken(delete(nightly.id).await), "last");
    add(&world, "default").await.unwrap();
    assert_eq!(names(&world).await, ["nightly", "default"]);
}

#[tokio::test]
async fn those_of_deleted_projects_are_gone() {
    let world = World::new().await;
    let id = world.config().await;
    let deleted = world.store.delete_project(world.project, world.now());
    assert!(deleted.await.unwrap());
    assert_eq!(world.store.ci_config(id).await.unwrap(), None);
}

#[tokio::test]
async fn an_unknown_project_has_none() {
    let world = World::new().await;
    let configs = world.store.ci_configs(ProjectId(99)).await.unwrap();
    assert_eq!(configs, []);
    let added = world
        .store
        .add_ci_config(ProjectId(99), named("x"), 3, world.now());
    added.await.unwrap_err();
}
