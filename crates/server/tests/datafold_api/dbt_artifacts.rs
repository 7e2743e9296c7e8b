//! `dbt upload` and `dbt check-post-upload-dbt-artifacts`.

use std::io::{Cursor, Write};
use std::path::PathBuf;

use serde_json::json;
use tappet_server::backup::{self, restore};
use tappet_server::testing::{TestReply, TestServer};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Scene, assert_reply, problem, problems};

fn zip(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A form as `requests` writes it: fields first, the file without a content type.
fn form(fields: &[(&str, &str)], archive: Option<&[u8]>) -> Vec<u8> {
    let mut form = Vec::new();
    for (name, value) in fields {
        let part =
            format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        form.extend_from_slice(part.as_bytes());
    }
    if let Some(archive) = archive {
        form.extend_from_slice(
            b"--X\r\nContent-Disposition: form-data; name=\"artifacts\"; \
              filename=\"tmpab12.zip\"\r\n\r\n",
        );
        form.extend_from_slice(archive);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(b"--X--\r\n");
    form
}

async fn upload(scene: &Scene, fields: &[(&str, &str)], archive: Option<&[u8]>) -> TestReply {
    let path = format!("/api/v1/dbt/submit_artifacts/{}", scene.config);
    let request = scene.request("POST", &path);
    let form = form(fields, archive);
    request
        .body("multipart/form-data; boundary=X", form)
        .send()
        .await
}

async fn status_of(scene: &Scene, commit: &str, run_type: &str) -> String {
    let path = format!("/api/v1/dbt/post_upload_check_artifacts/{}", scene.config);
    let form = format!("commit_sha={commit}&run_type={run_type}&branch=main");
    let reply = scene.request("POST", &path).form(&form).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["status"].as_str().unwrap().to_owned()
}

/// Archives on the disk.
fn archives(scene: &Scene) -> Vec<PathBuf> {
    let dir = scene.server.data_dir().join("dbt");
    let mut found = Vec::new();
    for folder in std::fs::read_dir(dir).into_iter().flatten() {
        let files = std::fs::read_dir(folder.unwrap().path()).unwrap();
        found.extend(files.map(|file| file.unwrap().path()));
    }
    found
}

const PRODUCTION: [(&str, &str); 2] = [("commit_sha", "abc"), ("run_type", "production")];

#[tokio::test]
async fn an_upload_is_kept_and_found() {
    let scene = Scene::new().await;
    assert_eq!(status_of(&scene, "abc", "production").await, "missing");
    let archive = zip(&[("manifest.json", "{}"), ("run/a.sql", "select 1")]);
    let fields = [PRODUCTION[0], PRODUCTION[1], ("run_id", "low-drift")];
    let reply = upload(&scene, &fields, Some(&archive)).await;
    assert_reply(&reply, 200, &json!({ "status": "ok" }));
    assert_eq!(status_of(&scene, "abc", "production").await, "ok");
    assert_eq!(status_of(&scene, "abc", "pull_request").await, "missing");
    assert_eq!(status_of(&scene, "other", "production").await, "missing");
    let [file] = archives(&scene).try_into().unwrap();
    assert_eq!(std::fs::read(file).unwrap(), archive);
}

#[tokio::test]
async fn an_archive_goes_with_its_last_upload() {
    let scene = Scene::new().await;
    let (first, second) = (
        zip(&[("manifest.json", "1")]),
        zip(&[("manifest.json", "2")]),
    );
    let pull_request = [("commit_sha", "abc"), ("run_type", "pull_request")];
    for (fields, archive, kept) in [
        (PRODUCTION, &first, 1),
        (pull_request, &first, 1),
        (PRODUCTION, &second, 2),
        (pull_request, &second, 1),
    ] {
        let reply = upload(&scene, &fields, Some(archive)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(archives(&scene).len(), kept);
    }
    let path = "/api/v1/ci?project=acme/web";
    let other = scene.post(path, &json!({ "name": "other" })).await;
    assert_eq!(other.status, 201, "{}", other.text());
    let reply = scene.request("DELETE", &scene.path("")).send().await;
    assert_eq!(reply.status, 204, "{}", reply.text());
    assert!(archives(&scene).is_empty());
}

#[tokio::test]
async fn only_the_newest_uploads_stay() {
    let server = TestServer::start_with(|config| config.limits.dbt_uploads_per_config = 2).await;
    let scene = Scene::on(server).await;
    for commit in ["one", "two", "three"] {
        let archive = zip(&[("manifest.json", commit)]);
        let fields = [("commit_sha", commit), ("run_type", "production")];
        assert_eq!(upload(&scene, &fields, Some(&archive)).await.status, 200);
    }
    assert_eq!(status_of(&scene, "one", "production").await, "missing");
    assert_eq!(status_of(&scene, "three", "production").await, "ok");
    assert_eq!(archives(&scene).len(), 2);
}

#[tokio::test]
async fn what_is_no_target_folder_is_told_and_not_kept() {
    let scene = Scene::new().await;
    for (archive, reason) in [
        (b"no archive".to_vec(), "is not a zip archive"),
        (zip(&[("a.sql", "select 1")]), "has no manifest.json"),
        (
            zip(&[("manifest.json", "{}"), ("../../x", "x")]),
            "leads out of it",
        ),
    ] {
        let reply = upload(&scene, &PRODUCTION, Some(&archive)).await;
        let place = json!(["body", "artifacts"]);
        assert_eq!(problems(&reply), [problem("value_error", place)]);
        assert!(reply.text().contains(reason), "{}", reply.text());
    }
    assert!(archives(&scene).is_empty());
}

#[tokio::test]
async fn an_archive_has_its_limits() {
    let server = TestServer::start_with(|config| {
        config.limits.dbt_archive_entries = 2;
        config.limits.dbt_archive_bytes = 2000;
        config.limits.dbt_unpacked_bytes = 100_000;
    })
    .await;
    let scene = Scene::on(server).await;
    let manifest = ("manifest.json", "{}");
    let many = zip(&[manifest, ("a", ""), ("b", "")]);
    let reply = upload(&scene, &PRODUCTION, Some(&many)).await;
    assert!(
        reply.text().contains("limits.dbt_archive_entries"),
        "{}",
        reply.text()
    );
    let zeros = "0".repeat(200_000);
    let much = zip(&[manifest, ("a", &zeros)]);
    let reply = upload(&scene, &PRODUCTION, Some(&much)).await;
    assert!(
        reply.text().contains("limits.dbt_unpacked_bytes"),
        "{}",
        reply.text()
    );
    let reply = upload(&scene, &PRODUCTION, Some(&vec![0; 3000])).await;
    assert_eq!(reply.status, 413, "{}", reply.text());
}

#[tokio::test]
async fn fields_are_told_in_their_order() {
    let scene = Scene::new().await;
    let field = |name: &str| json!(["body", name]);
    let reply = upload(&scene, &[], None).await;
    let missing = ["commit_sha", "run_type", "artifacts"];
    assert_eq!(
        problems(&reply),
        missing.map(|name| problem("missing", field(name)))
    );
    let wrong = [("commit_sha", ""), ("run_type", "staging")];
    let archive = zip(&[("manifest.json", "{}")]);
    let reply = upload(&scene, &wrong, Some(&archive)).await;
    let expected = [
        problem("string_too_short", field("commit_sha")),
        problem("literal_error", field("run_type")),
    ];
    assert_eq!(problems(&reply), expected);
    let path = format!("/api/v1/dbt/submit_artifacts/{}", scene.config);
    let reply = scene.post(&path, &json!({})).await;
    assert_eq!(
        problems(&reply),
        missing.map(|name| problem("missing", field(name)))
    );
}

#[tokio::test]
async fn what_a_crash_leaves_behind_is_swept_away() {
    let mut scene = Scene::new().await;
    let archive = zip(&[("manifest.json", "{}")]);
    assert_eq!(
        upload(&scene, &PRODUCTION, Some(&archive)).await.status,
        200
    );
    let [kept] = archives(&scene).try_into().unwrap();
    scene.server.kill().await;
    let folder = scene.server.data_dir().join("dbt/0a");
    std::fs::create_dir(&folder).unwrap();
    let lost = folder.join(format!("{}.zip", "0a".repeat(32)));
    std::fs::write(lost, "never remembered").unwrap();
    scene.server.restart().await;
    assert_eq!(archives(&scene), [kept]);
    assert_eq!(status_of(&scene, "abc", "production").await, "ok");
}

#[tokio::test]
async fn archives_are_in_backups() {
    let scene = Scene::new().await;
    let archive = zip(&[("manifest.json", "{}")]);
    assert_eq!(
        upload(&scene, &PRODUCTION, Some(&archive)).await.status,
        200
    );
    let file = scene.server.scratch().join("tappet.backup");
    backup::write(scene.server.data_dir(), &file, true, &mut |_| {}).unwrap();
    let restored = scene.server.scratch().join("restored");
    restore::restore(&file, &restored, None, false, &mut |_| {}).unwrap();
    let [kept] = archives(&scene).try_into().unwrap();
    let name = kept.strip_prefix(scene.server.data_dir()).unwrap();
    assert_eq!(std::fs::read(restored.join(name)).unwrap(), archive);
}

#[tokio::test]
async fn a_backup_promises_no_archive_that_is_gone() {
    let scene = Scene::new().await;
    upload(&scene, &PRODUCTION, Some(&zip(&[("manifest.json", "{}")]))).await;
    let [archive] = archives(&scene).try_into().unwrap();
    std::fs::remove_file(archive).unwrap();
    let file = scene.server.scratch().join("tappet.backup");
    let made = backup::write(scene.server.data_dir(), &file, true, &mut |_| {}).unwrap();
    assert_eq!(made.gone, 1);
}

#[tokio::test]
async fn an_upload_of_the_pull_request_lets_its_waiting_run_go() {
    let scene = Scene::new().await;
    scene.configure(json!({ "expects_diffs": true })).await;
    let changes = scene.changes("feature");
    let run = scene.start(&changes).await;
    let archive = zip(&[("manifest.json", "{}")]);
    let production = [("commit_sha", changes.head.as_str()), PRODUCTION[1]];
    assert_eq!(
        upload(&scene, &production, Some(&archive)).await.status,
        200
    );
    assert_eq!(scene.status(run).await, "waiting");
    let fields = [production[0], ("run_type", "pull_request")];
    assert_eq!(upload(&scene, &fields, Some(&archive)).await.status, 200);
    assert_eq!(scene.status(run).await, "queued");
}
