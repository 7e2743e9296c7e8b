//! Artifacts of dbt: which commits have some, and which files nobody needs any more.

use tappet_model::CiConfigId;
use tappet_store::*;

use crate::world::*;

struct Uploads {
    world: World,
    config: CiConfigId,
}

impl Uploads {
    async fn new() -> Self {
        let world = World::new().await;
        let config = world.config().await;
        Self { world, config }
    }

    /// Gives the digests that are not needed any more.
    async fn add(&self, run_type: &str, commit: &str, content: u8) -> Vec<[u8; 32]> {
        let upload = DbtUpload {
            config_id: self.config,
            commit_sha: commit.into(),
            run_type: run_type.into(),
            run_key: None,
            size_bytes: 7,
            sha256: [content; 32],
            created_at: self.world.now(),
        };
        self.world.store.add_dbt_upload(upload, 2).await.unwrap()
    }

    async fn content(&self, run_type: &str, commit: &str) -> Option<u8> {
        let found = self
            .world
            .store
            .dbt_upload(self.config, commit.into(), run_type.into());
        found.await.unwrap().map(|upload| upload.sha256[0])
    }
}

#[tokio::test]
async fn a_commit_has_one_of_each_type() {
    let uploads = Uploads::new().await;
    assert_eq!(uploads.content("production", "a1").await, None);
    uploads.add("production", "a1", 1).await;
    uploads.add("pull_request", "a1", 2).await;
    assert_eq!(uploads.content("production", "a1").await, Some(1));
    assert_eq!(uploads.content("pull_request", "a1").await, Some(2));

    let replaced = uploads.add("production", "a1", 3).await;
    assert_eq!(replaced, [[1; 32]]);
    assert_eq!(uploads.content("production", "a1").await, Some(3));
}

#[tokio::test]
async fn what_was_told_is_kept() {
    let uploads = Uploads::new().await;
    let upload = DbtUpload {
        config_id: uploads.config,
        commit_sha: "a1".into(),
        run_type: "production".into(),
        run_key: Some("k".into()),
        size_bytes: 1 << 40,
        sha256: [9; 32],
        created_at: uploads.world.now(),
    };
    let store = &uploads.world.store;
    store.add_dbt_upload(upload.clone(), 1).await.unwrap();
    let world = uploads.world.reopen();
    let found = world
        .store
        .dbt_upload(uploads.config, "a1".into(), "production".into());
    assert_eq!(found.await.unwrap(), Some(upload));
}

#[tokio::test]
async fn the_same_file_again_is_still_needed() {
    let uploads = Uploads::new().await;
    uploads.add("production", "a1", 1).await;
    assert_eq!(
        uploads.add("production", "a1", 1).await,
        Vec::<[u8; 32]>::new()
    );
    assert_eq!(uploads.content("production", "a1").await, Some(1));
}

#[tokio::test]
async fn the_newest_of_each_type_stay() {
    let uploads = Uploads::new().await;
    uploads.add("production", "a1", 1).await;
    uploads.add("pull_request", "a1", 9).await;
    uploads.add("production", "a2", 2).await;
    let gone = uploads.add("production", "a3", 3).await;
    assert_eq!(gone, [[1; 32]]);
    assert_eq!(uploads.content("production", "a1").await, None);
    assert_eq!(uploads.content("production", "a2").await, Some(2));
    assert_eq!(uploads.content("pull_request", "a1").await, Some(9));
}

#[tokio::test]
async fn a_file_goes_with_the_last_upload_that_has_it() {
    let uploads = Uploads::new().await;
    uploads.add("production", "a1", 1).await;
    uploads.add("pull_request", "a1", 1).await;
    let replaced = uploads.add("production", "a1", 2).await;
    assert_eq!(replaced, Vec::<[u8; 32]>::new());
    let replaced = uploads.add("pull_request", "a1", 2).await;
    assert_eq!(replaced, [[1; 32]]);
}

#[tokio::test]
async fn a_config_or_a_project_goes_with_its_uploads() {
    let uploads = Uploads::new().await;
    uploads.add("production", "a1", 1).await;
    let store = &uploads.world.store;
    let forgotten = store.delete_dbt_uploads(uploads.config).await.unwrap();
    assert_eq!(forgotten, [[1; 32]]);
    assert_eq!(uploads.content("production", "a1").await, None);

    uploads.add("production", "a2", 2).await;
    uploads.add("pull_request", "a2", 2).await;
    let store = &uploads.world.store;
    let forgotten = store.delete_dbt_uploads_of_project(uploads.world.project);
    assert_eq!(forgotten.await.unwrap(), [[2; 32]]);
    assert_eq!(uploads.content("production", "a2").await, None);
}

#[tokio::test]
async fn a_snapshot_tells_which_archives_there_are() {
    let uploads = Uploads::new().await;
    for (commit, content) in [("a1", 3), ("a2", 1)] {
        uploads.add("production", commit, content).await;
        uploads.add("pull_request", commit, content).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy.db");
    let snapshot = Snapshot::take(&uploads.world.database(), &copy).unwrap();
    let after = |digest: Option<u8>| {
        let digest = digest.map(|content| [content; 32]);
        let archives = snapshot.dbt_archives(digest, 10).unwrap();
        archives.iter().map(|digest| digest[0]).collect::<Vec<_>>()
    };
    assert_eq!(after(None), [1, 3]);
    assert_eq!(after(Some(1)), [3]);
    assert_eq!(after(Some(3)), Vec::<u8>::new());
    snapshot.forget_dbt_archive(&[1; 32]).unwrap();
    assert_eq!(after(None), [3]);
    assert_eq!(uploads.content("production", "a2").await, Some(1));
}
