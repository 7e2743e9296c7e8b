//! `list_runs` and `dbt upload-and-wait`: the list of runs.

use serde_json::{Value, json};

use super::{Scene, runner};

#[tokio::test]
async fn a_run_is_told_with_all_its_fields_and_its_number_is_a_text() {
    let scene = Scene::new().await;
    let changes = scene.changes("feature/ä");
    let run = scene.start(&changes).await;
    let expected = json!({
        "id": run,
        "base_branch": "main",
        "base_sha": changes.base,
        "pr_branch": "feature/ä",
        "pr_sha": changes.head,
        "pr_num": "6",
        "status": "queued",
        "source": "api",
    });
    assert_eq!(scene.runs("").await, [expected]);
}

#[tokio::test]
async fn the_newest_run_comes_first_and_filters_and_pages_work() {
    let scene = Scene::new().await;
    let (older, newer) = (scene.changes("feature"), scene.changes("feature"));
    let mut runs = vec![scene.start(&older).await, scene.start(&newer).await];
    let reply = scene
        .post(&scene.path("/trigger"), &older.as_request(7))
        .await;
    runs.push(reply.json()["ci_run_id"].as_i64().unwrap());
    runs.reverse();
    let ids = async |query: String| -> Vec<Value> {
        let listed = scene.runs(&query).await;
        listed.into_iter().map(|run| run["id"].clone()).collect()
    };
    assert_eq!(ids(String::new()).await, [runs[0], runs[1], runs[2]]);
    assert_eq!(ids("?limit=1".into()).await, [runs[0]]);
    assert_eq!(ids("?limit=1&offset=2".into()).await, [runs[2]]);
    assert_eq!(ids("?offset=3".into()).await, [Value::Null; 0]);
    assert_eq!(ids("?pr_num=6".into()).await, [runs[1], runs[2]]);
    assert_eq!(ids("?pr_num=06".into()).await, [Value::Null; 0]);
    let query = format!("?limit=1&pr_sha={}", older.head);
    assert_eq!(ids(query).await, [runs[0]]);
    let query = format!("?pr_sha={}&pr_num=6", older.head);
    assert_eq!(ids(query).await, [runs[2]]);
    assert_eq!(ids("?pr_sha=nothing".into()).await, [Value::Null; 0]);
}

#[tokio::test]
async fn runs_of_other_configs_are_not_told() {
    let scene = Scene::new().await;
    let run = scene.start(&scene.changes("feature")).await;
    let made = scene
        .post("/api/v1/ci?project=acme/web", &json!({ "name": "other" }))
        .await;
    let other = scene
        .get(&format!("/api/v1/ci/{}/runs", made.json()["id"]))
        .await;
    assert_eq!(other.json(), json!([]));
    assert_eq!(scene.runs("").await[0]["id"], run);
}

#[tokio::test]
async fn what_is_repeated_by_hand_says_so() {
    let scene = Scene::new().await;
    let run = scene.start(&scene.changes("feature")).await;
    runner::take(&scene.server).await.end("failed").await;
    let path = format!("/api/v4/projects/{}/pipelines/{run}/retry", scene.project);
    assert_eq!(scene.post(&path, &json!({})).await.status, 201);
    assert_eq!(scene.runs("").await[0]["source"], "manual");
}
