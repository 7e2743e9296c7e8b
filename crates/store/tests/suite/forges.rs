//! Forges of projects, and what came from them.

use tappet_model::{ForgeKind, ProjectId, RunId, Timestamp};
use tappet_store::*;

use crate::world::*;

impl World {
    /// How the project may be bound.
    pub fn binding(&self) -> ForgeBinding {
        let now = self.now();
        ForgeBinding {
            project_id: self.project,
            kind: ForgeKind::Github,
            api_url: "https://api.github.com".into(),
            repository: "acme/web".into(),
            sealed_token: vec![1, 7],
            sealed_webhook_secret: vec![1, 8],
            owner_id: self.user,
            created_at: now,
            updated_at: now,
        }
    }

    /// Binds the project to a forge.
    pub async fn bind(&self) -> ForgeBinding {
        let binding = self.binding();
        let set = self.store.set_forge_binding(binding.clone());
        set.await.unwrap();
        binding
    }

    async fn bound(&self) -> Option<ForgeBinding> {
        self.store.forge_binding(self.project).await.unwrap()
    }

    fn delivery(&self, delivery: &str) -> NewForgeDelivery {
        let now = self.now();
        NewForgeDelivery {
            project_id: self.project,
            delivery: delivery.into(),
            event: "pull_request".into(),
            outcome: "started run 7".into(),
            runs: vec![RunId(7)],
            forget_before: Timestamp(now.0 - HOUR),
            now,
        }
    }

    async fn deliveries(&self) -> Vec<String> {
        let list = self.store.forge_deliveries(self.project, first_page());
        let list = list.await.unwrap();
        assert_eq!(list.total, Some(list.items.len() as u64));
        list.items.into_iter().map(|one| one.delivery).collect()
    }
}

fn comment(world: &World, comment_id: &str) -> ForgeComment {
    ForgeComment {
        project_id: world.project,
        number: "6".into(),
        comment_id: comment_id.into(),
        digest: "d".into(),
    }
}

#[tokio::test]
async fn a_project_has_the_forge_that_was_set_last() {
    let world = World::new().await;
    assert_eq!(world.bound().await, None);
    assert!(!world.store.has_forges().await.unwrap());
    let first = world.bind().await;
    assert_eq!(world.bound().await, Some(first.clone()));
    assert!(world.store.has_forges().await.unwrap());

    let second = ForgeBinding {
        kind: ForgeKind::Gitea,
        api_url: "https://git.example.com/api/v1".into(),
        repository: "acme/site".into(),
        sealed_token: vec![2],
        sealed_webhook_secret: vec![3],
        ..world.binding()
    };
    world.store.set_forge_binding(second.clone()).await.unwrap();
    let world = world.reopen();
    let kept = ForgeBinding {
        created_at: first.created_at,
        ..second
    };
    assert_eq!(world.bound().await, Some(kept));
}

#[tokio::test]
async fn a_forge_goes_with_all_that_belongs_to_it() {
    let world = World::new().await;
    world.bind().await;
    world.create(&[job("test")]).await;
    let delivery = world.delivery("d1");
    world.store.add_forge_delivery(delivery).await.unwrap();
    let comment = comment(&world, "1");
    world.store.set_forge_comment(comment).await.unwrap();

    let delete = async || world.store.delete_forge_binding(world.project).await;
    assert!(delete().await.unwrap());
    assert!(!delete().await.unwrap());
    assert!(!world.store.has_forges().await.unwrap());
    assert_eq!(world.deliveries().await, Vec::<String>::new());
    let left = world.store.forge_comment(world.project, "6".into());
    assert_eq!(left.await.unwrap(), None);
    world.bind().await;
    assert_eq!(world.store.due_forge_reports().await.unwrap(), []);
}

#[tokio::test]
async fn a_deleted_project_has_no_forge() {
    let world = World::new().await;
    world.bind().await;
    let run = world.create(&[job("test")]).await.run.id;
    let now = world.now();
    assert!(
        world
            .store
            .delete_project(world.project, now)
            .await
            .unwrap()
    );
    assert_eq!(world.bound().await, None);
    // Its runs still come to an end.
    let cancel = tappet_engine::RunEvent::Cancel;
    world.run_event(run, cancel).await.unwrap();
    assert_eq!(world.store.due_forge_reports().await.unwrap(), []);
    world.store.empty_project(world.project).await.unwrap();
}

#[tokio::test]
async fn a_delivery_is_taken_once() {
    let world = World::new().await;
    let knows = async |project| {
        let knows = world.store.knows_forge_delivery(project, "d1".into());
        knows.await.unwrap()
    };
    assert!(!knows(world.project).await);
    let new = world.delivery("d1");
    world.store.add_forge_delivery(new.clone()).await.unwrap();
    assert!(knows(world.project).await);
    assert!(!knows(ProjectId(99)).await, "names are the project's own");
    let again = world.store.add_forge_delivery(new.clone()).await;
    assert!(matches!(
        again,
        Err(StoreError::Taken { field: "delivery" })
    ));

    let list = world.store.forge_deliveries(world.project, first_page());
    let one = list.await.unwrap().items.remove(0);
    let expected = ForgeDelivery {
        id: one.id,
        project_id: world.project,
        delivery: new.delivery,
        event: new.event,
        outcome: new.outcome,
        runs: new.runs,
        received_at: new.now,
    };
    assert_eq!(one, expected);
}

#[tokio::test]
async fn deliveries_are_listed_newest_first_and_forgotten_with_time() {
    let world = World::new().await;
    for name in ["d1", "d2"] {
        let delivery = world.delivery(name);
        world.store.add_forge_delivery(delivery).await.unwrap();
    }
    assert_eq!(world.deliveries().await, ["d2", "d1"]);
    world.later(2 * HOUR);
    let delivery = world.delivery("d3");
    world.store.add_forge_delivery(delivery).await.unwrap();
    assert_eq!(world.deliveries().await, ["d3"]);
    // A name that was forgotten is a new one.
    let delivery = world.delivery("d1");
    world.store.add_forge_delivery(delivery).await.unwrap();
    let page = world.store.forge_deliveries(world.project, page(2, 1));
    let page = page.await.unwrap();
    assert_eq!(page.items[0].delivery, "d3");
    assert!(!page.has_next);
}

#[tokio::test]
async fn a_pull_request_has_one_comment() {
    let world = World::new().await;
    let of_six = async || {
        let found = world.store.forge_comment(world.project, "6".into());
        found.await.unwrap()
    };
    assert_eq!(of_six().await, None);
    for id in ["1", "2"] {
        let set = world.store.set_forge_comment(comment(&world, id));
        set.await.unwrap();
        assert_eq!(of_six().await, Some(comment(&world, id)));
    }
    let other = world.store.forge_comment(world.project, "7".into());
    assert_eq!(other.await.unwrap(), None);
}

#[tokio::test]
async fn another_forge_knows_nothing_of_what_the_first_was_told() {
    let world = World::new().await;
    let binding = world.bind().await;
    world.create(&[job("test")]).await;
    let set = world.store.set_forge_comment(comment(&world, "1"));
    set.await.unwrap();
    let is_known = async || {
        let comment = world.store.forge_comment(world.project, "6".into());
        let due = world.store.due_forge_reports().await.unwrap();
        (comment.await.unwrap().is_some(), due.len())
    };

    let mut renewed = binding.clone();
    renewed.sealed_token = vec![9];
    world.store.set_forge_binding(renewed).await.unwrap();
    assert_eq!(is_known().await, (true, 1));
    let mut moved = binding;
    moved.repository = "acme/elsewhere".into();
    world.store.set_forge_binding(moved).await.unwrap();
    assert_eq!(is_known().await, (false, 0));
}

#[tokio::test]
async fn secrets_of_forges_can_be_sealed_anew() {
    let world = World::new().await;
    world.bind().await;
    let places = [
        (SealedPlace::ForgeTokens, vec![1, 7], vec![2, 7]),
        (SealedPlace::ForgeSecrets, vec![1, 8], vec![2, 8]),
    ];
    for (place, old, new) in places {
        let store = &world.store;
        let found = store.sealed_with_other_keys(place, 2, 0, 10).await.unwrap();
        let id = world.project.0;
        assert_eq!(
            found,
            [SealedValue {
                id,
                sealed: old.clone()
            }]
        );
        let resealed = Resealed {
            id,
            old,
            new,
            token_hash: None,
        };
        store.reseal(place, vec![resealed]).await.unwrap();
        let left = store.sealed_with_other_keys(place, 2, 0, 10).await;
        assert_eq!(left.unwrap(), []);
    }
    let bound = world.bound().await.unwrap();
    assert_eq!(bound.sealed_token, [2, 7]);
    assert_eq!(bound.sealed_webhook_secret, [2, 8]);
}
