//! Artifacts: what is in them, kept, deleted, found by ref.

use rstest::rstest;
use serde_json::{Value, json};

use super::job_artifacts::{archive, with_archive};
use super::{Scene, assert_reply, runner};

#[tokio::test]
async fn the_tree_of_an_archive_is_listed_page_by_page() {
    let scene = Scene::new().await;
    let job = with_archive(&scene, &archive()).await;
    let paths = |tree: &Value| -> Vec<String> {
        let entries = tree.as_array().unwrap();
        let path = |entry: &Value| entry["path"].as_str().unwrap().to_owned();
        entries.iter().map(path).collect()
    };
    let tree = async |query: &str| {
        let path = format!("/jobs/{job}/artifacts/tree{query}");
        scene.get(&path).await
    };
    let root = tree("").await;
    assert_eq!(root.status, 200, "{}", root.text());
    assert_eq!(paths(&root.json()), ["out/", "page.html"]);
    assert_eq!(root.header("x-total"), "2");
    let entries = root.json();
    assert_eq!(entries[0]["type"], "directory");
    assert_eq!(entries[0]["name"], "out");
    assert_eq!(
        entries[1],
        json!({ "name": "page.html", "path": "page.html", "type": "file", "size": 18, "mode": "100644" })
    );
    assert_eq!(paths(&tree("?path=out").await.json()), ["out/a b.txt"]);
    let all = tree("?recursive=true").await.json();
    assert_eq!(paths(&all), ["out/", "out/a b.txt", "page.html"]);
    let second = tree("?recursive=true&per_page=1&page=2").await;
    assert_eq!(paths(&second.json()), ["out/a b.txt"]);
    assert_eq!(second.header("x-next-page"), "3");
    let nothing = tree("?path=none").await;
    assert_reply(&nothing, 404, &json!({ "message": "404 Not Found" }));
}

#[tokio::test]
async fn a_job_without_an_archive_has_no_tree() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let id = scene.job_id(run, "build").await;
    let reply = scene.get(&format!("/jobs/{id}/artifacts/tree")).await;
    let expected = json!({ "message": "404 Artifacts metadata Not Found" });
    assert_reply(&reply, 404, &expected);
    let kept = scene.post(&format!("/jobs/{id}/artifacts/keep")).await;
    assert_reply(&kept, 404, &json!({ "message": "404 Not Found" }));
}

#[tokio::test]
async fn kept_artifacts_expire_no_more() {
    let scene = Scene::new().await;
    let job = with_archive(&scene, &archive()).await;
    let before = scene.get(&format!("/jobs/{job}")).await.json();
    assert!(before["artifacts_expire_at"].is_string());
    let reply = scene.post(&format!("/jobs/{job}/artifacts/keep")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["artifacts_expire_at"], Value::Null);
}

#[tokio::test]
async fn deleted_artifacts_are_gone_and_the_log_stays() {
    let scene = Scene::new().await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    job.log(0, b"words").await;
    job.upload("out.zip", &archive()).await;
    job.end("success").await;
    let path = scene.path(&format!("/jobs/{}/artifacts", job.id));
    let reply = scene.server.request("DELETE", &path).root().send().await;
    assert_eq!((reply.status, reply.text().as_str()), (204, ""));
    let shown = scene.get(&format!("/jobs/{}", job.id)).await.json();
    assert_eq!(
        shown["artifacts"],
        json!([{ "file_type": "trace", "size": 5, "filename": "job.log", "file_format": "raw" }])
    );
    assert_eq!(shown["erased_at"], Value::Null);
    let trace = scene.get(&format!("/jobs/{}/trace", job.id)).await;
    assert_eq!(trace.text(), "words");
}

#[tokio::test]
async fn all_artifacts_of_a_project_go_in_the_background() {
    let scene = Scene::new().await;
    let job = with_archive(&scene, &archive()).await;
    let path = scene.path("/artifacts");
    let reply = scene.server.request("DELETE", &path).root().send().await;
    assert_reply(&reply, 202, &json!({ "message": "202 Accepted" }));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while scene.get(&format!("/jobs/{job}/artifacts")).await.status != 404 {
        assert!(std::time::Instant::now() < deadline, "nothing was removed");
        tokio::task::yield_now().await;
    }
}

#[rstest]
#[case("", 404)]
#[case("&search_recent_successful_pipelines=true", 200)]
#[case("&search_recent_successful_pipelines=perhaps", 400)]
#[tokio::test]
async fn earlier_successes_are_searched_on_request(#[case] more: &str, #[case] status: u16) {
    let scene = Scene::new().await;
    with_archive(&scene, &archive()).await;
    runner::take(&scene.server).await.end("success").await;
    scene.run().await;
    for _ in 0..2 {
        runner::take(&scene.server).await.end("success").await;
    }
    let path = format!("/jobs/artifacts/main/download?job=build{more}");
    assert_eq!(scene.get(&path).await.status, status);
}
