//! Files that jobs left.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Scene, code, runner, text};

/// A run with one archive; its id and that of its attempt.
async fn kept(scene: &Scene) -> (i64, String) {
    let run = scene.start().await;
    let job = runner::take(&scene.server).await;
    let reply = job.upload("binaries.zip", b"PK\x05\x06 and more").await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    job.end("success").await;
    (run, format!("a{}", job.id))
}

async fn listed(scene: &Scene, run: i64, mut body: Value) -> Vec<Value> {
    body["runId"] = json!(format!("r{run}"));
    let reply = scene.ask("ListArtifacts", body).await;
    reply["artifacts"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_list_tells_where_each_file_comes_from() {
    let scene = Scene::new().await;
    let (run, attempt) = kept(&scene).await;
    let all = listed(&scene, run, json!({})).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["name"], "binaries");
    assert_eq!(all[0]["attemptId"], attempt);
    assert_eq!(all[0]["jobKey"], ".gitlab-ci.yml:build");
    assert_eq!(all[0]["sizeBytes"], "13");
    assert_eq!(all[0].get("url"), None);
    let (job, workflow) = (scene.job(run, 0).await, scene.workflow(run).await);
    for (body, count) in [
        (json!({ "jobId": job }), 1),
        (json!({ "jobId": "j999" }), 0),
        (json!({ "workflowId": workflow, "attemptId": attempt }), 1),
        (json!({ "workflowId": "w999" }), 0),
        (json!({ "attemptId": "a999" }), 0),
    ] {
        assert_eq!(
            listed(&scene, run, body.clone()).await.len(),
            count,
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_address_needs_no_other_credential() {
    let scene = Scene::new().await;
    let (run, _) = kept(&scene).await;
    let id = text(&listed(&scene, run, json!({})).await[0]["artifactId"]);
    let reply = scene
        .ask("GetArtifactDownloadURL", json!({ "artifactId": id }))
        .await;
    assert_eq!(reply["artifact"]["artifactId"], id);
    assert!(reply["expiresAt"].as_str().unwrap().ends_with('Z'));
    let url = text(&reply["url"]);
    let path = url.strip_prefix(&scene.server.url()).unwrap();
    let file = scene.server.get(path).send().await;
    assert_eq!(file.status, 200);
    assert_eq!(file.header("content-type"), "application/zip");
    assert_eq!(file.header("content-length"), "13");
    assert_eq!(&file.body[..], b"PK\x05\x06 and more");
}

#[rstest]
#[case::another_file(1, "2")]
#[case::later(2, "9999999999")]
#[case::another_signature(3, "x")]
#[tokio::test]
async fn a_changed_address_opens_nothing(#[case] part: usize, #[case] value: &str) {
    let scene = Scene::new().await;
    let (run, _) = kept(&scene).await;
    let id = text(&listed(&scene, run, json!({})).await[0]["artifactId"]);
    let reply = scene
        .ask("GetArtifactDownloadURL", json!({ "artifactId": id }))
        .await;
    let url = text(&reply["url"]);
    let (_, rest) = url.split_once("/-/").unwrap();
    let mut parts: Vec<&str> = rest.split('/').collect();
    parts[part] = value;
    let file = scene.server.get(&format!("/-/{}", parts.join("/")));
    assert_eq!(file.send().await.status, 403);
}

#[tokio::test]
async fn another_artifact_is_not_found() {
    let scene = Scene::new().await;
    for id in ["f999", "a1", ""] {
        let refused = scene.refused("GetArtifactDownloadURL", json!({ "artifactId": id }));
        assert_eq!(refused.await, code(404, "not_found"), "{id}");
    }
}
