//! Which other projects' job tokens a project lets in.

use tappet_model::ProjectId;
use tappet_store::*;

use crate::world::*;

async fn another(world: &World, path: &str) -> ProjectId {
    let new = new_project(path, world.user, world.now());
    world.store.create_project(new).await.unwrap().id
}

fn grant(world: &World, source_id: ProjectId) -> JobTokenGrant {
    JobTokenGrant {
        project_id: world.project,
        source_id,
        added_by: Some(world.user),
        limit: 2,
        now: world.now(),
    }
}

#[tokio::test]
async fn a_grant_holds_in_one_direction_until_it_is_taken_back() {
    let world = World::new().await;
    let other = another(&world, "acme/api").await;
    let store = &world.store;
    let lets_in = || store.lets_jobs_in(world.project, other);
    assert!(!lets_in().await.unwrap());
    let add = || store.let_jobs_in(grant(&world, other));
    assert_eq!(add().await.unwrap(), GrantOutcome::Added);
    assert_eq!(add().await.unwrap(), GrantOutcome::Known);
    assert!(lets_in().await.unwrap());
    assert!(!store.lets_jobs_in(other, world.project).await.unwrap());
    assert!(store.keep_jobs_out(world.project, other).await.unwrap());
    assert!(!store.keep_jobs_out(world.project, other).await.unwrap());
    assert!(!lets_in().await.unwrap());
}

#[tokio::test]
async fn the_list_begins_with_the_project_itself_and_is_limited() {
    let world = World::new().await;
    let others = [
        another(&world, "acme/a").await,
        another(&world, "acme/b").await,
        another(&world, "acme/c").await,
    ];
    let store = &world.store;
    for other in &others[..2] {
        store.let_jobs_in(grant(&world, *other)).await.unwrap();
    }
    let outcome = store.let_jobs_in(grant(&world, others[2])).await.unwrap();
    assert_eq!(outcome, GrantOutcome::LimitReached);
    let list = store
        .job_token_sources(world.project, page(1, 2))
        .await
        .unwrap();
    let ids: Vec<_> = list.items.iter().map(|project| project.id).collect();
    assert_eq!(ids, [world.project, others[0]]);
    assert_eq!((list.total, list.has_next), (Some(3), true));
}

#[tokio::test]
async fn an_open_project_lets_every_job_in() {
    let world = World::new().await;
    let other = another(&world, "acme/api").await;
    let store = &world.store;
    store
        .set_job_token_scope(world.project, true)
        .await
        .unwrap();
    assert!(store.has_open_job_token_scope(world.project).await.unwrap());
    assert!(store.lets_jobs_in(world.project, other).await.unwrap());
    assert!(!store.lets_jobs_in(other, world.project).await.unwrap());
    store
        .set_job_token_scope(world.project, false)
        .await
        .unwrap();
    assert!(!store.lets_jobs_in(world.project, other).await.unwrap());
}
