//! Projects.

use tappet_model::ProjectId;
use tappet_store::*;

use crate::world::*;

#[tokio::test]
async fn a_project_is_found_by_path_whatever_the_case() {
    let world = World::new().await;
    let mut new = new_project("Acme/API", world.user, world.now());
    new.source = RepositorySource::Remote("https://example.com/api.git".into());
    let project = world.store.create_project(new).await.unwrap();
    assert_eq!(project.ci_config_path, ".gitlab-ci.yml");
    assert_eq!(project.timeout_s, 3600);
    let found = world.store.project_by_path("acme/api").await.unwrap();
    assert_eq!(found.as_ref(), Some(&project));
    assert_eq!(
        world.store.project(project.id).await.unwrap(),
        Some(project)
    );
    assert_eq!(world.store.project(ProjectId(99)).await.unwrap(), None);
}

#[tokio::test]
async fn a_path_is_taken_once_whatever_the_case() {
    let world = World::new().await;
    let new = new_project("ACME/web", world.user, world.now());
    let error = world.store.create_project(new).await;
    assert!(matches!(error, Err(StoreError::Taken { field: "path" })));
}

#[tokio::test]
async fn each_project_has_a_ci_config_of_its_own() {
    let world = World::new().await;
    let new = new_project("acme/api", world.user, world.now());
    let other = world.store.create_project(new).await.unwrap();
    let first = world.store.project(world.project).await.unwrap().unwrap();
    assert_ne!(first.ci_config_id, other.ci_config_id);
}

#[tokio::test]
async fn search_takes_any_part_of_the_path_literally() {
    let world = World::new().await;
    for path in ["acme/api", "other/100%_done"] {
        let new = new_project(path, world.user, world.now());
        world.store.create_project(new).await.unwrap();
    }
    for (search, expected) in [
        (None, &["other/100%_done", "acme/api", "acme/web"][..]),
        (Some("ACME"), &["acme/api", "acme/web"]),
        (Some("%_"), &["other/100%_done"]),
        (Some("e_a"), &[]),
    ] {
        let list = world
            .store
            .projects(search.map(str::to_owned), first_page())
            .await
            .unwrap();
        let paths: Vec<_> = list.items.iter().map(|p| p.path.as_str()).collect();
        assert_eq!(paths, expected, "{search:?}");
        assert_eq!(list.total, Some(expected.len() as u64));
    }
}
