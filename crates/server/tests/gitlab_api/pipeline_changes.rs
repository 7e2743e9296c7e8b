//! Pipelines are deleted and renamed; bridges.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Scene, assert_reply, runner};

async fn delete(scene: &Scene, run: i64) -> super::TestReply {
    let path = scene.path(&format!("/pipelines/{run}"));
    // gitbeaker sends a body with every DELETE.
    let request = scene.server.request("DELETE", &path).root();
    request.json(&json!({})).send().await
}

#[tokio::test]
async fn a_deleted_pipeline_takes_everything_with_it() {
    let scene = Scene::new().await;
    let older = scene.run().await;
    runner::take(&scene.server).await.end("failed").await;
    let run = scene.run().await;
    let job = runner::take(&scene.server).await;
    job.log(0, b"words").await;
    job.upload("out.zip", b"PK").await;
    job.end("success").await;

    let reply = delete(&scene, run).await;
    assert_eq!((reply.status, reply.text().as_str()), (204, ""));
    let gone = json!({ "message": "404 Not found" });
    assert_reply(&scene.get(&format!("/pipelines/{run}")).await, 404, &gone);
    for rest in ["", "/trace", "/artifacts"] {
        let reply = scene.get(&format!("/jobs/{}{rest}", job.id)).await;
        assert_reply(&reply, 404, &gone);
    }
    let log = format!("logs/{}/{}.log", job.id / 1000, job.id);
    assert!(!scene.server.data_dir().join(log).exists());
    let artifacts = format!("artifacts/{}/{}", job.id / 1000, job.id);
    assert!(!scene.server.data_dir().join(artifacts).exists());

    let newest = scene.get("/pipelines?scope=branches").await.json();
    assert_eq!(newest[0]["id"], older, "the one before is the newest again");
    assert_reply(&delete(&scene, run).await, 404, &gone);
}

#[tokio::test]
async fn a_running_pipeline_is_canceled_and_its_ids_never_come_again() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let job = runner::take(&scene.server).await;
    assert_eq!(delete(&scene, run).await.status, 204);
    let late = scene
        .server
        .request("PATCH", &format!("/api/v4/jobs/{}/trace", job.id))
        .header("job-token", &job.token)
        .header("content-range", "0-1")
        .body("text/plain", b"x".to_vec())
        .send()
        .await;
    assert_eq!(late.status, 403, "{}", late.text());
    let next = scene.run().await;
    assert!(next > run);
    assert!(scene.job_id(next, "build").await > job.id);
    assert_eq!(scene.get("/jobs?scope=running").await.json(), json!([]));
}

#[tokio::test]
async fn a_pipeline_that_changed_since_is_not_deleted() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let path = scene.path(&format!("/pipelines/{run}"));
    let since = |date: &str| {
        let request = scene.server.request("DELETE", &path).root();
        request.header("if-unmodified-since", date).send()
    };
    let stale = since("Thu, 01 Jan 2015 00:00:00 GMT").await;
    assert_reply(
        &stale,
        412,
        &json!({ "message": "412 Precondition Failed" }),
    );
    assert_eq!(since("Fri, 01 Jan 2100 00:00:00 GMT").await.status, 204);
}

#[tokio::test]
async fn a_pipeline_gets_another_name() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let path = scene.path(&format!("/pipelines/{run}/metadata"));
    let rename = |body: Value| scene.server.request("PUT", &path).root().json(&body).send();
    let reply = rename(json!({ "name": "Nightly \u{fc}" })).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["name"], "Nightly \u{fc}");
    // The run goes on, and keeps its name.
    runner::take(&scene.server).await.end("success").await;
    let found = scene.get("/pipelines?name=Nightly%20%C3%BC").await.json();
    assert_eq!(found[0]["id"], run);

    let longest = "x".repeat(255);
    assert_eq!(rename(json!({ "name": longest })).await.status, 200);
    let too_long = rename(json!({ "name": "x".repeat(256) })).await;
    let text = "Failed to update pipeline - Name is too long (maximum is 255 characters)";
    assert_reply(&too_long, 400, &json!({ "message": text }));
    let missing = rename(json!({})).await;
    assert_reply(&missing, 400, &json!({ "error": "name is missing" }));
}

#[tokio::test]
async fn there_are_no_bridges() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let reply = scene.get(&format!("/pipelines/{run}/bridges")).await;
    assert_reply(&reply, 200, &json!([]));
    assert_eq!(reply.header("x-total"), "0");
    assert_eq!(reply.header("x-total-pages"), "1");
}

#[rstest]
#[case("GET", "/pipelines/999999", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("GET", "/pipelines/x", json!({}), 400, json!({ "error": "pipeline_id is invalid" }))]
#[case("GET", "/pipelines/999999/bridges", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("GET", "/pipelines/999999/jobs", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("GET", "/pipelines/999999/variables", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("GET", "/pipelines/latest?ref=none", json!({}), 403, json!({ "message": "403 Forbidden" }))]
#[case("POST", "/pipelines/999999/retry", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("POST", "/pipelines/999999/cancel", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("DELETE", "/pipelines/999999", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("PUT", "/pipelines/999999/metadata", json!({ "name": "x" }), 404, json!({ "message": "404 Not found" }))]
#[case("GET", "/jobs/999999", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("GET", "/jobs/x", json!({}), 400, json!({ "error": "job_id is invalid" }))]
#[case("GET", "/jobs/999999/trace", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("GET", "/jobs/999999/artifacts", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("GET", "/jobs/999999/artifacts/tree", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("POST", "/jobs/999999/artifacts/keep", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("DELETE", "/jobs/999999/artifacts", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("POST", "/jobs/999999/erase", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("POST", "/jobs/999999/play", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("POST", "/jobs/999999/retry", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("POST", "/jobs/999999/cancel", json!({}), 404, json!({ "message": "404 Not found" }))]
#[case("POST", "/jobs/999999/cancel", json!({ "force": "maybe" }), 400, json!({ "error": "force is invalid" }))]
#[tokio::test]
async fn what_is_not_there_is_told_in_gitlabs_words(
    #[case] method: &str,
    #[case] path: &str,
    #[case] body: Value,
    #[case] status: u16,
    #[case] expected: Value,
) {
    let scene = Scene::new().await;
    let request = scene.server.request(method, &scene.path(path)).root();
    let request = if method == "GET" {
        request
    } else {
        request.json(&body)
    };
    assert_reply(&request.send().await, status, &expected);
}
