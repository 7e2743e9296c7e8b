//! Cancelling, retrying and repeating.

use serde_json::json;

use super::{Scene, code, text};

#[tokio::test]
async fn a_run_is_cancelled_once() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let id = json!({ "runId": format!("r{run}") });
    let reply = scene.ask("CancelRun", id.clone()).await;
    assert_eq!(
        reply,
        json!({ "runId": format!("r{run}"), "status": "cancelled" })
    );
    assert_eq!(scene.tree(run).await["status"], "cancelled");
    let again = scene.refused("CancelRun", id).await;
    assert_eq!(again, code(412, "failed_precondition"));
}

#[tokio::test]
async fn a_workflow_is_cancelled_with_its_jobs() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let id = json!({ "workflowId": scene.workflow(run).await });
    let reply = scene.ask("CancelWorkflow", id.clone()).await;
    assert_eq!(reply["status"], "cancelled");
    let tree = scene.tree(run).await;
    assert_eq!(tree["workflows"][0]["status"], "cancelled");
    let again = scene.refused("CancelWorkflow", id).await;
    assert_eq!(again, code(412, "failed_precondition"));
}

#[tokio::test]
async fn a_job_is_cancelled_in_its_workflow() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let (workflow, job) = (scene.workflow(run).await, scene.job(run, 0).await);
    let without = scene.refused("CancelJob", json!({ "jobId": job })).await;
    assert_eq!(without, code(400, "invalid_argument"));
    let other = scene.start().await;
    let elsewhere = json!({ "workflowId": scene.workflow(other).await, "jobId": job });
    let refused = scene.refused("CancelJob", elsewhere).await;
    assert_eq!(refused, code(404, "not_found"));
    let body = json!({ "workflowId": workflow, "jobId": job });
    let reply = scene.ask("CancelJob", body.clone()).await;
    assert_eq!(reply, json!({ "jobId": job, "status": "cancelled" }));
    let again = scene.refused("CancelJob", body).await;
    assert_eq!(again, code(412, "failed_precondition"));
}

#[tokio::test]
async fn a_failed_job_gets_another_attempt() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let body = json!({
        "workflowId": scene.workflow(run).await,
        "jobId": scene.job(run, 0).await,
    });
    let early = scene.refused("RetryJob", body.clone()).await;
    assert_eq!(early, code(412, "failed_precondition"));
    let first = scene.work("oh\n", "failed").await;
    let reply = scene.ask("RetryJob", body.clone()).await;
    assert_eq!(reply["jobId"], body["jobId"]);
    assert_eq!(reply["attempt"], 2);
    assert_eq!(reply["status"], "queued");
    let attempts = scene.tree(run).await["workflows"][0]["jobs"][0]["attempts"].clone();
    assert_eq!(attempts[0]["attemptId"], first);
    assert_eq!(attempts[1]["attemptId"], reply["attemptId"]);
    // The job keeps its id.
    assert_eq!(scene.job(run, 0).await, text(&body["jobId"]));
}

#[tokio::test]
async fn what_failed_in_a_workflow_gets_another_attempt_with_what_waited_for_it() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let id = json!({ "workflowId": scene.workflow(run).await });
    let early = scene.refused("RetryFailedJobs", id.clone()).await;
    assert_eq!(early, code(412, "failed_precondition"));
    scene.work("oh\n", "failed").await;
    let reply = scene.ask("RetryFailedJobs", id).await;
    let ids = reply["jobIds"].as_array().unwrap();
    assert!(ids.contains(&json!(scene.job(run, 0).await)), "{ids:?}");
    assert_eq!(reply["jobCount"], ids.len());
    let jobs = scene.tree(run).await["workflows"][0]["jobs"].clone();
    assert_eq!(jobs[0]["status"], "queued");
    assert_eq!(jobs[1]["status"], "waiting");
}

#[tokio::test]
async fn a_workflow_without_failures_has_nothing_to_retry() {
    let scene = Scene::with_file((".gitlab-ci.yml", "build: { script: make }\n")).await;
    let run = scene.start().await;
    scene.work("fine\n", "success").await;
    let id = json!({ "workflowId": scene.workflow(run).await });
    let refused = scene.refused("RetryFailedJobs", id).await;
    assert_eq!(refused, code(412, "failed_precondition"));
}

#[tokio::test]
async fn a_workflow_is_repeated_as_a_whole() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let id = json!({ "workflowId": scene.workflow(run).await });
    let early = scene.refused("RerunWorkflow", id.clone()).await;
    assert_eq!(early, code(412, "failed_precondition"));
    scene.work("fine\n", "success").await;
    scene.work("fine\n", "success").await;
    assert_eq!(scene.tree(run).await["status"], "finished");
    let reply = scene.ask("RerunWorkflow", id.clone()).await;
    assert_eq!(reply["jobCount"], 2);
    let workflow = scene.ask("GetWorkflow", id).await;
    assert_eq!(workflow["runId"], format!("r{run}"));
    assert_eq!(workflow["jobs"][0]["attempts"][1]["attempt"], 2);
}
