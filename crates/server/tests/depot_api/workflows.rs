//! Workflows: one with its jobs and executions, and lists.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Scene, code, text};

#[tokio::test]
async fn a_pipeline_is_one_workflow() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let id = scene.workflow(run).await;
    let reply = scene.ask("GetWorkflow", json!({ "workflowId": id })).await;
    assert_eq!(reply["runId"], format!("r{run}"));
    assert_eq!(reply["workflowId"], id);
    assert_eq!(reply["workflowStatus"], "queued");
    assert_eq!(reply["runStatus"], "queued");
    assert_eq!(reply["repo"], "acme/web");
    assert_eq!(reply["jobs"][0]["jobKey"], ".gitlab-ci.yml:build");
    assert_eq!(reply["executions"][0]["execution"], 1);
}

#[tokio::test]
async fn another_workflow_is_not_found() {
    let scene = Scene::new().await;
    for id in ["w999", "r1", ""] {
        let refused = scene.refused("GetWorkflow", json!({ "workflowId": id }));
        assert_eq!(refused.await, code(404, "not_found"), "{id}");
    }
}

async fn listed(scene: &Scene, body: Value) -> Vec<String> {
    let reply = scene.ask("ListWorkflows", body).await;
    let all = reply["workflows"].as_array().cloned().unwrap_or_default();
    all.iter().map(|one| text(&one["runId"])).collect()
}

#[tokio::test]
async fn a_list_counts_jobs_by_their_words() {
    let scene = Scene::new().await;
    scene.start().await;
    scene.work("oh\n", "failed").await;
    let newer = scene.start().await;
    let reply = scene.ask("ListWorkflows", json!({})).await;
    let rows = reply["workflows"].as_array().unwrap();
    assert_eq!(rows[0]["runId"], format!("r{newer}"));
    assert_eq!(
        rows[0]["jobCounts"],
        json!({ "total": 2, "queued": 1, "waiting": 1 })
    );
    assert_eq!(
        rows[1]["jobCounts"],
        json!({ "total": 2, "failed": 1, "skipped": 1 })
    );
    assert_eq!(rows[1]["status"], "failed");
}

#[tokio::test]
async fn a_list_is_narrowed() {
    let file = (
        ".gitlab-ci.yml",
        "workflow: { name: Nightly build }\nbuild: { script: make }\n",
    );
    let scene = Scene::with_file(file).await;
    let run = [format!("r{}", scene.start().await)];
    for (body, fits) in [
        (json!({ "name": "nightly" }), true),
        (json!({ "name": "daily" }), false),
        (json!({ "status": ["queued"] }), true),
        (json!({ "status": ["finished"] }), false),
        (json!({ "repo": "acme/web", "trigger": "api" }), true),
        (json!({ "trigger": "push" }), false),
    ] {
        let expected: &[String] = if fits { &run } else { &[] };
        assert_eq!(listed(&scene, body.clone()).await, expected, "{body}");
    }
}

#[rstest]
#[case(json!({ "status": ["done"] }))]
#[case(json!({ "pr": "7" }))]
#[case(json!({ "pageSize": -5 }))]
#[tokio::test]
async fn what_cannot_be_a_filter_is_refused(#[case] body: Value) {
    let scene = Scene::new().await;
    let refused = scene.refused("ListWorkflows", body).await;
    assert_eq!(refused, code(400, "invalid_argument"));
}
