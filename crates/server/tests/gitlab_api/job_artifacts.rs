//! Artifacts: whole archives and single files.

use std::io::Write;

use rstest::rstest;
use serde_json::json;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Scene, assert_reply, runner};

/// A small archive with a directory.
pub fn archive() -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    zip.add_directory("out/", options).unwrap();
    for (name, content) in [
        ("out/a b.txt", "hello"),
        ("page.html", "<script>1</script>"),
    ] {
        zip.start_file(name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A run whose first job left an archive; gives the job's id.
pub async fn with_archive(scene: &Scene, zip: &[u8]) -> i64 {
    scene.run().await;
    let job = runner::take(&scene.server).await;
    let reply = job.upload("out.zip", zip).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    job.end("success").await;
    job.id
}

#[tokio::test]
async fn an_archive_is_downloaded_byte_for_byte() {
    let scene = Scene::new().await;
    let zip = archive();
    let job = with_archive(&scene, &zip).await;
    let reply = scene.get(&format!("/jobs/{job}/artifacts")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.body, zip);
    assert_eq!(reply.header("content-type"), "application/zip");
    assert_eq!(
        reply.header("content-disposition"),
        "attachment; filename=\"out.zip\""
    );
    assert!(reply.header("content-security-policy").contains("sandbox"));

    let path = scene.path(&format!("/jobs/{job}/artifacts"));
    let part = scene
        .server
        .get(&path)
        .root()
        .header("range", "bytes=2-5")
        .send()
        .await;
    assert_eq!((part.status, &part.body[..]), (206, &zip[2..6]));

    let shown = scene.get(&format!("/jobs/{job}")).await.json();
    assert_eq!(
        shown["artifacts_file"],
        json!({ "filename": "out.zip", "size": zip.len() })
    );
    assert_eq!(shown["artifacts"][0]["file_type"], "archive");
    assert_eq!(shown["artifacts"][0]["file_format"], "zip");
    assert!(shown["artifacts_expire_at"].is_string());
}

#[rstest]
#[case("out/a%20b.txt", 200, "hello")]
#[case("page.html", 200, "<script>1</script>")]
#[case("out", 404, "")]
#[case("out/", 404, "")]
#[case("nothing", 404, "")]
#[case("..%2F..%2Fetc%2Fpasswd", 404, "")]
#[tokio::test]
async fn a_file_of_an_archive_cannot_act_in_a_browser(
    #[case] path: &str,
    #[case] status: u16,
    #[case] text: &str,
) {
    let scene = Scene::new().await;
    let job = with_archive(&scene, &archive()).await;
    let reply = scene.get(&format!("/jobs/{job}/artifacts/{path}")).await;
    assert_eq!(reply.status, status, "{}", reply.text());
    if status == 404 {
        assert_eq!(reply.json(), json!({ "message": "404 Not Found" }));
        return;
    }
    assert_eq!(reply.text(), text);
    assert_eq!(reply.header("content-type"), "application/octet-stream");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert!(
        reply
            .header("content-disposition")
            .starts_with("attachment")
    );
    assert!(reply.header("content-security-policy").contains("sandbox"));
}

#[tokio::test]
async fn a_job_without_an_archive_has_none_to_give() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let id = scene.job_id(run, "build").await;
    for rest in ["", "/a.txt"] {
        let reply = scene.get(&format!("/jobs/{id}/artifacts{rest}")).await;
        assert_reply(&reply, 404, &json!({ "message": "404 Not Found" }));
    }
}

#[tokio::test]
async fn a_ref_gives_the_artifacts_of_its_newest_success() {
    let scene = Scene::new().await;
    let zip = archive();
    with_archive(&scene, &zip).await;
    let of_ref = "/jobs/artifacts/main/download?job=build";
    let unfinished = scene.get(of_ref).await;
    assert_reply(&unfinished, 404, &json!({ "message": "404 Not found" }));

    runner::take(&scene.server).await.end("success").await;
    assert_eq!(scene.get(of_ref).await.body, zip);
    let file = scene
        .get("/jobs/artifacts/main/raw/out/a%20b.txt?job=build")
        .await;
    assert_eq!(file.text(), "hello");
    let other = scene.get("/jobs/artifacts/main/download?job=test").await;
    assert_eq!(other.status, 404);
    let unnamed = scene.get("/jobs/artifacts/main/download").await;
    assert_reply(&unnamed, 400, &json!({ "error": "job is missing" }));
}

#[tokio::test]
async fn a_file_that_is_no_archive_fails_without_details() {
    let scene = Scene::new().await;
    let job = with_archive(&scene, b"PK\x03\x04 nonsense").await;
    let reply = scene.get(&format!("/jobs/{job}/artifacts/a.txt")).await;
    assert!([404, 500].contains(&reply.status), "{}", reply.text());
    assert!(!reply.text().contains("zip"));
}
