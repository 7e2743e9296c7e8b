//! An instance into one file and back, while it works.

use std::path::Path;

use serde_json::json;
use tappet_server::backup::{self, restore};
use tappet_server::testing::{ROOT_TOKEN, TestReply, TestRequest};
use tappet_server::{Config, Server};
use tokio_util::sync::CancellationToken;

use super::{Scene, runner};

/// Shown to nobody.
fn no_progress(_: backup::Progress) {}

/// A server on a restored directory.
struct Restored(Server);

impl Restored {
    async fn start(data: &Path) -> Self {
        let mut config = Config::new("127.0.0.1:0".parse().unwrap(), data.to_owned());
        config.slots = 0;
        config.root_token = Some(ROOT_TOKEN.to_owned());
        Self(Server::start(config).await.unwrap())
    }

    async fn get(&self, path: &str) -> TestReply {
        let request = TestRequest::new(self.0.address(), "GET", path);
        request.root().send().await
    }

    async fn stop(self) {
        let hurry = CancellationToken::new();
        hurry.cancel();
        self.0.stop(hurry).await;
    }
}

/// A run whose first job left a log and an archive; gives the job's id.
async fn worked(scene: &Scene) -> i64 {
    scene.run().await;
    let job = runner::take(&scene.server).await;
    job.log(0, b"what the job said\n").await;
    assert_eq!(job.upload("out.zip", b"PK archive").await.status, 201);
    job.end("success").await;
    job.id
}

#[tokio::test]
async fn a_backup_made_under_load_holds_one_moment_and_all_its_files() {
    let scene = Scene::new().await;
    let job = worked(&scene).await;
    let file = scene.server.scratch().join("tappet.backup");
    let data = scene.server.data_dir().to_owned();
    let to = file.clone();
    let writing =
        tokio::task::spawn_blocking(move || backup::write(&data, &to, true, &mut no_progress));
    let mut started = Vec::new();
    while !writing.is_finished() {
        started.push(scene.run().await);
    }
    let summary = writing.await.unwrap().unwrap();
    assert!(summary.has_key);
    assert_eq!(summary.gone, 0);

    let restored = scene.server.scratch().join("restored");
    restore::restore(&file, &restored, None, false, &mut no_progress).unwrap();
    let server = Restored::start(&restored).await;
    let runs = server
        .get(&scene.path("/pipelines?per_page=100&sort=asc"))
        .await
        .json();
    let all = scene.get("/pipelines?per_page=100&sort=asc").await.json();
    let (runs, all) = (runs.as_array().unwrap(), all.as_array().unwrap());
    assert!(!runs.is_empty() && runs.len() <= all.len());
    for (restored, original) in runs.iter().zip(all) {
        assert_eq!(restored["id"], original["id"]);
        assert_eq!(restored["sha"], original["sha"]);
    }
    let log = server.get(&scene.path(&format!("/jobs/{job}/trace"))).await;
    assert_eq!(log.text(), "what the job said\n");
    let archive = server
        .get(&scene.path(&format!("/jobs/{job}/artifacts")))
        .await;
    assert_eq!(&archive.body[..], b"PK archive");
    // The key came along, so the trigger tokens can be shown again.
    let triggers = server.get(&scene.path("/triggers")).await.json();
    assert!(triggers[0]["token"].as_str().unwrap().starts_with("glptt-"));
    server.stop().await;
}

#[tokio::test]
async fn logs_of_attempts_after_the_moment_stay_out_since_their_ids_come_again() {
    let scene = Scene::new().await;
    worked(&scene).await;
    let logs = scene.server.data_dir().join("logs/0");
    std::fs::write(logs.join("999.log"), "of another time").unwrap();
    let file = scene.server.scratch().join("tappet.backup");
    backup::write(scene.server.data_dir(), &file, true, &mut no_progress).unwrap();
    let restored = scene.server.scratch().join("restored");
    restore::restore(&file, &restored, None, false, &mut no_progress).unwrap();
    assert!(restored.join("logs/0/1.log").exists());
    assert!(!restored.join("logs/0/999.log").exists());
}

#[tokio::test]
async fn an_artifact_whose_file_is_gone_is_gone_in_the_backup() {
    let scene = Scene::new().await;
    let job = worked(&scene).await;
    std::fs::remove_dir_all(scene.server.data_dir().join("artifacts")).unwrap();
    let file = scene.server.scratch().join("tappet.backup");
    let summary = backup::write(scene.server.data_dir(), &file, true, &mut no_progress).unwrap();
    assert_eq!(summary.gone, 1);
    let restored = scene.server.scratch().join("restored");
    restore::restore(&file, &restored, None, false, &mut no_progress).unwrap();
    let server = Restored::start(&restored).await;
    let shown = server
        .get(&scene.path(&format!("/jobs/{job}")))
        .await
        .json();
    assert_eq!(shown.get("artifacts_file"), None);
    assert_eq!(shown["artifacts"][0]["file_type"], "trace");
    assert_eq!(shown["artifacts"][1], json!(null));
    server.stop().await;
}

#[tokio::test]
async fn a_backup_without_the_key_needs_it_named() {
    let scene = Scene::new().await;
    worked(&scene).await;
    let data = scene.server.data_dir();
    let file = scene.server.scratch().join("tappet.backup");
    backup::write(data, &file, false, &mut no_progress).unwrap();
    let restored = scene.server.scratch().join("restored");
    let refused = restore::restore(&file, &restored, None, false, &mut no_progress).unwrap_err();
    assert!(
        refused.to_string().contains("name that file with --key"),
        "{refused}"
    );
    assert!(!restored.exists());
    let key = data.join("secret.key");
    restore::restore(&file, &restored, Some(&key), false, &mut no_progress).unwrap();
    assert_eq!(
        std::fs::read(restored.join("secret.key")).unwrap(),
        std::fs::read(key).unwrap()
    );
}

#[tokio::test]
async fn nothing_is_overwritten() {
    let scene = Scene::new().await;
    let data = scene.server.data_dir();
    let file = scene.server.scratch().join("tappet.backup");
    backup::write(data, &file, true, &mut no_progress).unwrap();
    let again = backup::write(data, &file, true, &mut no_progress).unwrap_err();
    assert!(again.to_string().contains("exists already"), "{again}");
    let running = restore::restore(&file, data, None, false, &mut no_progress).unwrap_err();
    assert!(running.to_string().contains("is not empty"), "{running}");
    let nothing = backup::write(scene.server.scratch(), &file, true, &mut no_progress).unwrap_err();
    assert!(
        nothing
            .to_string()
            .contains("name the server's data directory"),
        "{nothing}"
    );
}

#[tokio::test]
async fn a_damaged_backup_restores_nothing() {
    let scene = Scene::new().await;
    worked(&scene).await;
    let file = scene.server.scratch().join("tappet.backup");
    backup::write(scene.server.data_dir(), &file, true, &mut no_progress).unwrap();
    let whole = std::fs::read(&file).unwrap();
    let restored = scene.server.scratch().join("restored");
    let place = whole
        .windows(10)
        .position(|bytes| bytes == b"PK archive")
        .unwrap();
    let mut changed = whole.clone();
    changed[place + 3] ^= 1;
    for (bytes, why) in [
        (&changed[..], "is damaged"),
        (&whole[..whole.len() / 2], "is not a backup of Tappet"),
        (b"something else", "is not a backup of Tappet"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let refused =
            restore::restore(&file, &restored, None, false, &mut no_progress).unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
        assert!(!restored.exists());
        let left: Vec<_> = std::fs::read_dir(scene.server.scratch())
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter(|name| name.starts_with(".restored"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
