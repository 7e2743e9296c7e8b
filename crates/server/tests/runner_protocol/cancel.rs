//! How a cancel reaches the runner.

use serde_json::json;

use crate::runner::{Runner, Taken};
use crate::{ONE_JOB, Scene, assert_over};

async fn canceled_job(runner: Runner) -> (Scene, Taken) {
    let scene = Scene::new(ONE_JOB).await;
    scene.run().await;
    let job = runner.take(&scene.server).await;
    job.log(&scene.server, 0, "abc\n").await;
    scene.cancel(job.id).await;
    (scene, job)
}

#[tokio::test]
async fn a_graceful_runner_is_told_and_may_finish_its_log() {
    let (scene, job) = canceled_job(Runner::default()).await;
    assert_eq!(scene.status(job.id).await, "canceling");
    let patched = job.log(&scene.server, 4, "cleaned up\n").await;
    let status = (patched.status, patched.header("job-status"));
    assert_eq!(status, (202, "canceling"));
    let heartbeat = job.put(&scene.server, json!({ "state": "running" })).await;
    let status = (heartbeat.status, heartbeat.header("job-status"));
    assert_eq!(status, (200, "canceling"));

    let update = json!({ "state": "failed", "failure_reason": "job_canceled" });
    let ended = job.put(&scene.server, update).await;
    assert_eq!(
        (ended.status, ended.header("job-status")),
        (200, "canceled")
    );
    assert_eq!(scene.status(job.id).await, "canceled");
    assert_eq!(scene.log(job.id).await, "abc\ncleaned up\n");
}

#[tokio::test]
async fn a_success_that_crosses_the_cancel_ends_canceled() {
    let (scene, job) = canceled_job(Runner::default()).await;
    let ended = job.put(&scene.server, json!({ "state": "success" })).await;
    assert_eq!(
        (ended.status, ended.header("job-status")),
        (200, "canceled")
    );
    assert_eq!(scene.status(job.id).await, "canceled");
}

#[tokio::test]
async fn an_older_runner_is_refused_from_then_on() {
    let (scene, job) = canceled_job(Runner::default().abrupt()).await;
    assert_eq!(scene.status(job.id).await, "canceled");
    assert_over(&job.log(&scene.server, 4, "def\n").await, "canceled");
    for state in ["running", "success", "failed"] {
        let reply = job.put(&scene.server, json!({ "state": state })).await;
        assert_over(&reply, "canceled");
    }
    assert_eq!(scene.log(job.id).await, "abc\n");
}

#[tokio::test]
async fn a_canceled_job_that_nobody_took_is_not_handed_out() {
    let scene = Scene::new(ONE_JOB).await;
    let run = scene.run().await;
    let id = scene.job(run, "job").await["id"].as_i64().unwrap();
    scene.cancel(id).await;
    scene.run().await;
    assert_ne!(Runner::default().take(&scene.server).await.id, id);
    assert_eq!(scene.status(id).await, "canceled");
}
