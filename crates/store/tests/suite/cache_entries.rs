//! Cached files of clients.

use tappet_model::{Timestamp, UserId};
use tappet_store::*;

use crate::world::*;

fn id(number: u8) -> CacheEntryId {
    format!("{number:030x}").parse().unwrap()
}

fn name(key: &str) -> CacheName {
    CacheName {
        entry_type: "generic".into(),
        key: key.into(),
        scope: String::new(),
    }
}

fn upload(world: &World, number: u8, name: CacheName) -> CacheUpload {
    CacheUpload {
        id: id(number),
        name,
        content_type: Some("text/plain".into()),
        creator_id: world.user,
        created_at: world.now(),
    }
}

fn part(number: u32, size_bytes: u64) -> CachePart {
    CachePart {
        number,
        size_bytes,
        sha256: [7; 32],
    }
}

fn search(key_prefix: &str) -> CacheSearch {
    CacheSearch {
        entry_type: "generic".into(),
        key_prefix: key_prefix.into(),
        scope: None,
        creator_id: None,
    }
}

impl World {
    async fn begin(&self, number: u8, name: CacheName) -> CacheCreation {
        self.begin_alone(number, name, false).await
    }

    async fn begin_alone(&self, number: u8, name: CacheName, alone: bool) -> CacheCreation {
        let upload = upload(self, number, name);
        let stale_before = Timestamp(self.now().0 - HOUR);
        let begun = self
            .store
            .create_cache_upload(upload, alone, stale_before)
            .await;
        begun.unwrap()
    }

    async fn complete(&self, number: u8) -> Option<CacheCompletion> {
        let done = self
            .store
            .complete_cache_upload(id(number), 10, Some("title".into()), self.now())
            .await;
        done.unwrap()
    }

    async fn cached(&self, number: u8, key: &str) -> CacheEntry {
        assert_eq!(
            self.begin(number, name(key)).await,
            CacheCreation::Created,
            "{key}"
        );
        self.complete(number).await.unwrap().entry
    }

    async fn keys(&self, search: CacheSearch) -> Vec<String> {
        let found = self.store.cache_entries(search, None, 100).await.unwrap();
        found.into_iter().map(|entry| entry.name.key).collect()
    }
}

#[tokio::test]
async fn an_entry_is_found_once_its_upload_is_complete() {
    let world = World::new().await;
    assert_eq!(world.begin(1, name("a")).await, CacheCreation::Created);
    for part in [part(2, 4), part(1, 5), part(1, 6)] {
        assert!(world.store.add_cache_part(id(1), part).await.unwrap());
    }
    let state = world.store.cache_state(id(1)).await.unwrap();
    let Some(CacheState::Uploading(upload, parts)) = state else {
        panic!("{state:?}");
    };
    assert_eq!(upload.name, name("a"));
    assert_eq!(parts, [part(1, 6), part(2, 4)]);
    assert_eq!(world.store.cache_entry(name("a")).await.unwrap(), None);

    let done = world.complete(1).await.unwrap();
    assert_eq!(done.replaced, None);
    assert_eq!(
        (&done.entry.id, &done.entry.name, done.entry.size_bytes),
        (&id(1), &name("a"), 10)
    );
    assert_eq!(done.entry.title.as_deref(), Some("title"));
    assert_eq!(done.entry.content_type.as_deref(), Some("text/plain"));
    let found = world.store.cache_entry(name("a")).await.unwrap();
    assert_eq!(found.as_ref(), Some(&done.entry));
    let state = world.store.cache_state(id(1)).await.unwrap();
    assert_eq!(state, Some(CacheState::Complete(done.entry)));
}

#[tokio::test]
async fn completing_again_changes_nothing() {
    let world = World::new().await;
    let first = world.cached(1, "a").await;
    let again = world.complete(1).await.unwrap();
    assert_eq!((again.entry, again.replaced), (first, None));
    assert_eq!(world.complete(2).await, None);
    assert!(!world.store.add_cache_part(id(1), part(1, 1)).await.unwrap());
    assert!(!world.store.add_cache_part(id(2), part(1, 1)).await.unwrap());
}

#[tokio::test]
async fn a_complete_name_takes_no_further_upload() {
    let world = World::new().await;
    world.cached(1, "a").await;
    assert_eq!(world.begin(2, name("a")).await, CacheCreation::Exists);
    let elsewhere = CacheName {
        scope: "main".into(),
        ..name("a")
    };
    assert_eq!(world.begin(3, elsewhere).await, CacheCreation::Created);
}

#[tokio::test]
async fn of_two_uploads_at_once_the_last_one_stays() {
    let world = World::new().await;
    world.begin(1, name("a")).await;
    world.begin(2, name("a")).await;
    world.complete(1).await.unwrap();
    let second = world.complete(2).await.unwrap();
    assert_eq!(second.replaced, Some(id(1)));
    assert_eq!(world.store.cache_state(id(1)).await.unwrap(), None);
    let found = world.store.cache_entry(name("a")).await.unwrap();
    assert_eq!(found, Some(second.entry));
}

#[tokio::test]
async fn who_wants_to_be_alone_is_told_of_an_upload_under_way() {
    let world = World::new().await;
    world.begin(1, name("a")).await;
    assert_eq!(
        world.begin_alone(2, name("a"), true).await,
        CacheCreation::InProgress
    );
    world.later(2 * HOUR);
    assert_eq!(
        world.begin_alone(2, name("a"), true).await,
        CacheCreation::Created,
        "the other one was given up"
    );
}

#[tokio::test]
async fn a_search_goes_by_the_beginning_of_the_key() {
    let world = World::new().await;
    for (number, key) in (1..).zip(["b", "patch/2", "patch/1", "patch", "patcha"]) {
        world.cached(number, key).await;
    }
    assert_eq!(world.keys(search("patch/")).await, ["patch/1", "patch/2"]);
    let all = ["b", "patch", "patch/1", "patch/2", "patcha"];
    assert_eq!(world.keys(search("")).await, all);
    let theirs = CacheSearch {
        creator_id: Some(UserId(99)),
        ..search("")
    };
    assert!(world.keys(theirs).await.is_empty());
    let scoped = CacheSearch {
        scope: Some("main".into()),
        ..search("")
    };
    assert!(world.keys(scoped).await.is_empty());
    let newest = world.store.newest_cache_entry(search("patch/")).await;
    assert_eq!(newest.unwrap().unwrap().name.key, "patch/1");
}

#[tokio::test]
async fn a_list_goes_on_behind_a_position() {
    let world = World::new().await;
    for (number, key) in (1..).zip(["a", "b", "c"]) {
        world.cached(number, key).await;
    }
    let position = CachePosition {
        key: "a".into(),
        scope: String::new(),
    };
    let next = world
        .store
        .cache_entries(search(""), Some(position), 1)
        .await
        .unwrap();
    assert_eq!(next.len(), 1);
    assert_eq!(next[0].name.key, "b");
}

#[tokio::test]
async fn a_deleted_entry_is_gone_with_its_parts() {
    let world = World::new().await;
    world.begin(1, name("a")).await;
    world.store.add_cache_part(id(1), part(1, 5)).await.unwrap();
    assert!(world.store.delete_cache_entry(id(1)).await.unwrap());
    assert!(!world.store.delete_cache_entry(id(1)).await.unwrap());
    assert_eq!(world.store.cache_state(id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn what_nobody_reads_and_what_nobody_finished_grows_old() {
    let world = World::new().await;
    world.cached(1, "read").await;
    world.cached(2, "unread").await;
    world.begin(3, name("unfinished")).await;
    world.store.add_cache_part(id(3), part(1, 5)).await.unwrap();
    let then = world.now();
    world.later(2 * HOUR);
    world
        .store
        .touch_cache_entry(id(1), world.now())
        .await
        .unwrap();
    world.begin(4, name("new")).await;

    let amount = world.store.aged_cache_entries(Some(then), then).await;
    assert_eq!(
        amount.unwrap(),
        Amount {
            count: 2,
            bytes: 15
        }
    );
    let kept_for_ever = world.store.aged_cache_entries(None, then).await;
    assert_eq!(kept_for_ever.unwrap(), Amount { count: 1, bytes: 5 });
    let gone = world
        .store
        .delete_aged_cache_entries(Some(then), then, 10)
        .await;
    let gone: Vec<_> = gone.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(gone, [id(2), id(3)]);
    assert_eq!(world.keys(search("")).await, ["read"]);
    assert!(world.store.cache_state(id(4)).await.unwrap().is_some());
}
