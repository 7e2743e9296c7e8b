//! Test coverage that jobs print, shown with jobs and pipelines.

use serde_json::{Value, json};
use tappet_server::testing::git;

use super::Scene;
use super::runner::take;

const FILE: (&str, &str) = (
    ".gitlab-ci.yml",
    "unit: { script: x, coverage: '/TOTAL: (\\d+\\.\\d+)%/' }\n\
     web: { script: x, coverage: '/\\d+%/' }\n\
     lint: { script: x }\n",
);

async fn of_pipeline(scene: &Scene, run: i64) -> Value {
    let reply = scene.get(&format!("/pipelines/{run}")).await;
    reply.json()["coverage"].clone()
}

async fn of_job(scene: &Scene, run: i64, name: &str) -> Value {
    scene.job(run, name).await["coverage"].clone()
}

/// Takes the next job, which prints this and ends so.
async fn job(scene: &Scene, log: &str, state: &str) {
    let job = take(&scene.server).await;
    job.log(0, log.as_bytes()).await;
    job.end(state).await;
}

#[tokio::test]
async fn the_last_figure_of_a_log_is_there_when_the_job_has_ended() {
    let scene = Scene::with_file(FILE).await;
    let run = scene.run().await;
    assert_eq!(of_pipeline(&scene, run).await, Value::Null);
    job(&scene, "TOTAL: 12.5%\nTOTAL: 93.456%\nno end", "success").await;
    assert_eq!(of_job(&scene, run, "unit").await, 93.456);
    assert_eq!(of_pipeline(&scene, run).await, "93.46");
    job(&scene, "10% 80%\n", "failed").await;
    assert_eq!(of_job(&scene, run, "web").await, 80.0);
    assert_eq!(of_pipeline(&scene, run).await, "86.73");
    job(&scene, "7%\n", "success").await;
    assert_eq!(of_job(&scene, run, "lint").await, Value::Null);
    assert_eq!(of_pipeline(&scene, run).await, "86.73");

    let path = format!("/api/v3/projects/{}/pipelines", scene.project);
    let listed = scene.server.get(&path).root().send().await.json();
    assert_eq!(listed[0]["coverage"], "86.73");
}

#[tokio::test]
async fn a_log_without_a_figure_says_nothing() {
    let scene = Scene::with_file(FILE).await;
    let run = scene.run().await;
    job(&scene, "TOTAL: none%\n", "success").await;
    let silent = take(&scene.server).await;
    silent.end("success").await;
    assert_eq!(of_job(&scene, run, "unit").await, Value::Null);
    assert_eq!(of_job(&scene, run, "web").await, Value::Null);
    assert_eq!(of_pipeline(&scene, run).await, Value::Null);
}

#[tokio::test]
async fn of_a_repeated_job_the_newest_attempt_counts() {
    let scene = Scene::with_file(FILE).await;
    let run = scene.run().await;
    job(&scene, "TOTAL: 10.0%\n", "success").await;
    let first = scene.job_id(run, "unit").await;
    let again = scene.post(&format!("/jobs/{first}/retry")).await;
    assert_eq!(again.status, 201, "{}", again.text());
    assert_eq!(of_pipeline(&scene, run).await, Value::Null);
    job(&scene, "90%\n", "success").await;
    assert_eq!(of_pipeline(&scene, run).await, "90.00");
    let reply = scene.get(&format!("/jobs/{first}")).await;
    assert_eq!(reply.json()["coverage"], 10.0);
}

#[tokio::test]
async fn a_job_that_was_stopped_keeps_what_it_had_printed() {
    let scene = Scene::with_file(FILE).await;
    let run = scene.run().await;
    let job = take(&scene.server).await;
    job.log(0, b"TOTAL: 41.5%\n").await;
    let canceled = scene.post(&format!("/pipelines/{run}/cancel")).await;
    assert_eq!(canceled.status, 200, "{}", canceled.text());
    job.end("failed").await;
    let shown = scene.job(run, "unit").await;
    assert_eq!(
        (&shown["status"], &shown["coverage"]),
        (&json!("canceled"), &json!(41.5))
    );
}

#[tokio::test]
async fn foreign_statuses_count_into_the_coverage_of_a_pipeline() {
    let scene = Scene::with_file(FILE).await;
    let run = scene.run().await;
    job(&scene, "TOTAL: 50.0%\n", "success").await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    let sha = git(&repository, &["rev-parse", "HEAD"]);
    let path = scene.path(&format!("/statuses/{sha}"));
    let body = json!({ "state": "success", "name": "lab", "coverage": 100, "pipeline_id": run });
    let reply = scene.server.post(&path).root().json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(of_pipeline(&scene, run).await, "75.00");
}
