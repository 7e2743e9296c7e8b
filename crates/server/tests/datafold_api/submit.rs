//! `ci submit`, and what it lets go.

use serde_json::{Value, json};

use super::{Scene, assert_reply, runner};

fn nothing() -> Value {
    json!({ "ci_run_id": null, "run_id": null })
}

#[tokio::test]
async fn a_run_that_waits_for_pairs_goes_on_with_them() {
    let scene = Scene::new().await;
    scene.configure(json!({ "expects_diffs": true })).await;
    let run = scene.start(&scene.changes("feature")).await;
    assert_eq!(scene.status(run).await, "waiting");
    let shown = scene.get(&format!("/api/v1/ci/runs/{run}")).await.json();
    assert_eq!(shown["hold"]["for"], "diffs");
    assert!(shown["hold"]["until"].is_string());
    let pairs = json!([{ "prod": "db.a", "pr": "db.b", "pk": ["id", "id"] }]);
    let reply = scene.post(&scene.path("/6"), &pairs).await;
    assert_reply(&reply, 200, &json!({ "ci_run_id": run, "run_id": run }));
    assert_eq!(scene.status(run).await, "queued");
    let shown = scene.get(&format!("/api/v1/ci/runs/{run}")).await.json();
    assert_eq!(shown["hold"], Value::Null);
    let kept = json!([{
        "prod": "db.a", "pr": "db.b", "pk": ["id"], "include_columns": [], "exclude_columns": [],
    }]);
    assert_eq!(shown["diffs"], kept);
    let job = runner::take(&scene.server).await;
    let variables = job.payload["variables"].as_array().unwrap();
    let diffs = variables
        .iter()
        .find(|one| one["key"] == "DATAFOLD_DIFFS")
        .unwrap();
    assert_eq!(diffs["file"], true);
    let given: Value = serde_json::from_str(diffs["value"].as_str().unwrap()).unwrap();
    assert_eq!(given, kept);
    job.end("success").await;
    assert_eq!(scene.status(run).await, "done");
}

#[tokio::test]
async fn an_empty_list_is_a_list_like_any_other() {
    let scene = Scene::new().await;
    scene.configure(json!({ "expects_diffs": true })).await;
    let run = scene.start(&scene.changes("feature")).await;
    let reply = scene.post(&scene.path("/6"), &json!([])).await;
    assert_eq!(reply.json()["run_id"], run);
    runner::take(&scene.server).await.end("success").await;
    assert_eq!(scene.status(run).await, "done");
}

#[tokio::test]
async fn a_run_that_goes_on_by_itself_gets_them_for_later_jobs() {
    let scene = Scene::new().await;
    let run = scene.start(&scene.changes("feature")).await;
    assert_eq!(scene.status(run).await, "queued");
    let pairs = json!([{ "prod": "a", "pr": "b" }]);
    assert_eq!(
        scene.post(&scene.path("/6"), &pairs).await.json()["run_id"],
        run
    );
    let job = runner::take(&scene.server).await;
    assert!(job.payload.to_string().contains("DATAFOLD_DIFFS"));
}

#[tokio::test]
async fn without_an_active_run_there_is_no_number() {
    let scene = Scene::new().await;
    let pairs = json!([{ "prod": "a", "pr": "b" }]);
    assert_reply(
        &scene.post(&scene.path("/6"), &pairs).await,
        200,
        &nothing(),
    );
    scene.start(&scene.changes("feature")).await;
    assert_reply(
        &scene.post(&scene.path("/7"), &pairs).await,
        200,
        &nothing(),
    );
    runner::take(&scene.server).await.end("success").await;
    assert_reply(
        &scene.post(&scene.path("/6"), &pairs).await,
        200,
        &nothing(),
    );
    let any = scene.post(&scene.path("/-6"), &pairs).await;
    assert_reply(&any, 200, &nothing());
}

#[tokio::test]
async fn wrong_pairs_let_nothing_go() {
    let scene = Scene::new().await;
    scene.configure(json!({ "expects_diffs": true })).await;
    let run = scene.start(&scene.changes("feature")).await;
    let reply = scene
        .post(&scene.path("/6"), &json!([{ "prod": "a" }]))
        .await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    assert_eq!(scene.status(run).await, "waiting");
}
