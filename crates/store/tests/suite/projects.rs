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
    assert_ne!(first.ci_configs[0].id, other.ci_configs[0].id);
}

async fn paths(world: &World, filter: ProjectFilter) -> Vec<String> {
    let list = world
        .store
        .visible_projects(filter, world.now(), first_page())
        .await
        .unwrap();
    assert_eq!(list.total, Some(list.items.len() as u64));
    list.items.into_iter().map(|project| project.path).collect()
}

/// What an administrator sees.
fn all() -> ProjectFilter {
    ProjectFilter {
        viewer: Viewer::Everything,
        ..ProjectFilter::default()
    }
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
        let filter = ProjectFilter {
            search: search.map(str::to_owned),
            ..all()
        };
        assert_eq!(paths(&world, filter).await, expected, "{search:?}");
    }
}

#[tokio::test]
async fn everybody_sees_what_is_open_to_them_and_their_own() {
    let world = World::new().await;
    let store = &world.store;
    for visibility in ["internal", "public"] {
        let mut new = new_project(&format!("acme/{visibility}"), world.user, world.now());
        new.visibility = visibility.into();
        store.create_project(new).await.unwrap();
    }
    let ada = crate::people::add(&world, "ada").await;
    let person = |is_external| Viewer::Person {
        id: ada,
        is_external,
    };
    let seen = async |viewer| {
        let filter = ProjectFilter {
            viewer,
            ..ProjectFilter::default()
        };
        paths(&world, filter).await
    };
    assert_eq!(seen(Viewer::Anybody).await, ["acme/public"]);
    assert_eq!(seen(person(true)).await, ["acme/public"]);
    let open = ["acme/public", "acme/internal"];
    assert_eq!(seen(person(false)).await, open);

    let member = Member {
        project_id: world.project,
        user_id: ada,
        level: 30,
        expires_at: None,
        created_by: None,
        created_at: world.now(),
    };
    store.add_member(member).await.unwrap();
    assert_eq!(seen(person(true)).await, ["acme/public", "acme/web"]);
    for (level, expected) in [(30, &["acme/web"][..]), (40, &[])] {
        let filter = ProjectFilter {
            viewer: person(false),
            member: Some((ada, level)),
            ..ProjectFilter::default()
        };
        assert_eq!(paths(&world, filter).await, expected);
    }
}

#[tokio::test]
async fn orders_and_bounds_of_a_list() {
    let world = World::new().await;
    for path in ["acme/api", "acme/zoo"] {
        let new = new_project(path, world.user, world.now());
        world.store.create_project(new).await.unwrap();
    }
    let change = ProjectChange {
        settings: Some(ProjectSettings {
            is_archived: true,
            ..ProjectSettings::default()
        }),
        ..ProjectChange::default()
    };
    let change = world
        .store
        .update_project(world.project, change, world.now());
    change.await.unwrap();
    for (filter, expected) in [
        (
            ProjectFilter {
                order_by: ProjectOrder::Path,
                ascending: true,
                ..all()
            },
            &["acme/api", "acme/web", "acme/zoo"][..],
        ),
        (
            ProjectFilter {
                order_by: ProjectOrder::UpdatedAt,
                ..all()
            },
            &["acme/web", "acme/zoo", "acme/api"],
        ),
        (
            ProjectFilter {
                id_after: Some(world.project),
                ..all()
            },
            &["acme/zoo", "acme/api"],
        ),
        (
            ProjectFilter {
                id_before: Some(ProjectId(world.project.0 + 1)),
                ..all()
            },
            &["acme/web"],
        ),
        (
            ProjectFilter {
                is_archived: Some(false),
                ..all()
            },
            &["acme/zoo", "acme/api"],
        ),
    ] {
        assert_eq!(paths(&world, filter.clone()).await, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_renamed_project_is_found_where_it_was_until_somebody_moves_in() {
    let world = World::new().await;
    let store = &world.store;
    let rename = async |path: &str| {
        let change = ProjectChange {
            path: Some(path.into()),
            ..ProjectChange::default()
        };
        store
            .update_project(world.project, change, world.now())
            .await
    };
    rename("acme/site").await.unwrap();
    assert_eq!(store.project_by_path("acme/web").await.unwrap(), None);
    let moved = store.project_by_any_path("ACME/web").await.unwrap();
    assert_eq!(moved.unwrap().path, "acme/site");

    let new = new_project("acme/web", world.user, world.now());
    store.create_project(new).await.unwrap();
    let present = store.project_by_any_path("acme/web").await.unwrap();
    assert_eq!(present.unwrap().path, "acme/web");
    let taken = rename("acme/web").await;
    assert!(matches!(taken, Err(StoreError::Taken { field: "path" })));
    rename("ACME/site").await.unwrap();
    let present = store.project_by_any_path("acme/site").await.unwrap();
    assert_eq!(present.unwrap().path, "ACME/site");
}

#[tokio::test]
async fn a_deleted_project_is_gone_and_its_path_free() {
    let world = World::new().await;
    let store = &world.store;
    assert!(
        store
            .delete_project(world.project, world.now())
            .await
            .unwrap()
    );
    assert!(
        !store
            .delete_project(world.project, world.now())
            .await
            .unwrap()
    );
    assert_eq!(store.project(world.project).await.unwrap(), None);
    assert_eq!(store.deleted_projects().await.unwrap(), [world.project]);
    assert!(paths(&world, all()).await.is_empty());
    let new = new_project("acme/web", world.user, world.now());
    store.create_project(new).await.unwrap();
    store.empty_project(world.project).await.unwrap();
    assert_eq!(store.deleted_projects().await.unwrap(), []);
}
