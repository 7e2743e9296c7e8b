//! `PUT /jobs/:id`: heartbeats and ends.

use rstest::rstest;
use serde_json::{Value, json};

use crate::runner::{Runner, Taken};
use crate::{ONE_JOB, Scene, assert_over, until};

async fn running_job(file: &str) -> (Scene, Taken) {
    let scene = Scene::new(file).await;
    scene.run().await;
    let job = Runner::default().take(&scene.server).await;
    (scene, job)
}

#[rstest]
#[case("running")]
#[case("pending")]
#[tokio::test]
async fn a_heartbeat_is_answered_with_the_status(#[case] state: &str) {
    let (scene, job) = running_job(ONE_JOB).await;
    let update = json!({ "state": state, "info": { "name": "x" }, "new_key": [1] });
    let reply = job.put(&scene.server, update).await;
    assert_eq!((reply.status, reply.header("job-status")), (200, "running"));
    assert_eq!(scene.status(job.id).await, "running");
}

#[tokio::test]
async fn a_held_heartbeat_is_answered_as_soon_as_the_job_is_canceled() {
    let (scene, job) = running_job(ONE_JOB).await;
    let heartbeat = job.put_to(&scene.server, "", json!({ "state": "running" }));
    let heartbeat = tokio::spawn(heartbeat.header("prefer", "wait=30").send());
    let app = scene.server.app();
    until(|| app.held.watchers(tappet_model::AttemptId(job.id)) == 1).await;
    scene.cancel(job.id).await;
    let reply = heartbeat.await.unwrap();
    let answer = (reply.status, reply.header("job-status"));
    assert_eq!(answer, (200, "canceling"));
    assert_eq!(reply.header("preference-applied"), "wait");
}

#[tokio::test]
async fn a_success_ends_the_job() {
    let (scene, job) = running_job(ONE_JOB).await;
    // The checksum of other bytes: GitLab takes the report all the same.
    let update = json!({
        "state": "success",
        "checksum": "crc32:00000000",
        "output": { "checksum": "crc32:00000000", "bytesize": 77 },
    });
    let reply = job.put(&scene.server, update).await;
    assert_eq!((reply.status, reply.header("job-status")), (200, "success"));
    assert_eq!(scene.status(job.id).await, "success");
    assert!(scene.server.app().held.is_empty());
}

#[rstest]
#[case::as_the_script_ended(json!({ "failure_reason": "script_failure", "exit_code": 7 }), "script_failure", json!(7))]
#[case::without_a_reason(json!({}), "script_failure", json!(null))]
#[case::timeout(json!({ "failure_reason": "job_execution_timeout" }), "job_execution_timeout", json!(null))]
#[case::a_reason_nobody_knows(json!({ "failure_reason": "moon_phase" }), "unknown_failure", json!(null))]
#[tokio::test]
async fn a_failure_is_kept_with_its_reason(
    #[case] mut update: Value,
    #[case] reason: &str,
    #[case] exit_code: Value,
) {
    let (scene, job) = running_job(ONE_JOB).await;
    update["state"] = json!("failed");
    let reply = job.put(&scene.server, update).await;
    assert_eq!((reply.status, reply.header("job-status")), (200, "failed"));
    let attempt = scene.attempt(job.id).await;
    assert_eq!(attempt["status"], "failed");
    assert_eq!(attempt["failure_reason"], reason);
    let kept = scene
        .server
        .app()
        .store
        .attempt(tappet_model::AttemptId(job.id));
    assert_eq!(json!(kept.await.unwrap().unwrap().exit_code), exit_code);
}

#[rstest]
#[case::listed(42, "success")]
#[case::unlisted(43, "failed")]
#[tokio::test]
async fn the_exit_code_decides_whether_a_failure_is_allowed(
    #[case] exit_code: i32,
    #[case] run_status: &str,
) {
    let file = "job: { script: x, allow_failure: { exit_codes: [42] } }\n";
    let (scene, job) = running_job(file).await;
    let update = json!({ "state": "failed", "exit_code": exit_code });
    job.put(&scene.server, update).await;
    let run = &scene.attempt(job.id).await["pipeline"];
    assert_eq!(run["status"], run_status);
}

#[tokio::test]
async fn a_retry_is_a_new_attempt_with_a_token_of_its_own() {
    let (scene, job) = running_job("job: { script: x, retry: 1 }\n").await;
    job.report(&scene.server, "failed").await;
    let second = Runner::default().take(&scene.server).await;
    assert!(second.id > job.id);
    assert_ne!(second.token, job.token);
    assert_over(&job.log(&scene.server, 0, "late").await, "failed");
    second.report(&scene.server, "success").await;
    assert_eq!(scene.status(job.id).await, "failed");
    assert_eq!(scene.status(second.id).await, "success");
}

#[tokio::test]
async fn an_unknown_state_is_refused_and_changes_nothing() {
    let (scene, job) = running_job(ONE_JOB).await;
    for state in ["", "done", "canceled"] {
        let reply = job.put(&scene.server, json!({ "state": state })).await;
        assert_eq!(reply.status, 400, "{state}");
    }
    assert_eq!(scene.status(job.id).await, "running");
}

#[rstest]
#[case("success")]
#[case("failed")]
#[tokio::test]
async fn the_same_end_again_is_taken(#[case] state: &str) {
    let (scene, job) = running_job(ONE_JOB).await;
    job.report(&scene.server, state).await;
    let first = scene.attempt(job.id).await;
    job.report(&scene.server, state).await;
    assert_eq!(scene.attempt(job.id).await, first);
}

#[rstest]
#[case("success", "failed")]
#[case("failed", "success")]
#[case("success", "running")]
#[tokio::test]
async fn another_end_is_refused_and_changes_nothing(#[case] first: &str, #[case] then: &str) {
    let (scene, job) = running_job(ONE_JOB).await;
    job.report(&scene.server, first).await;
    let ended = scene.attempt(job.id).await;
    let reply = job.put(&scene.server, json!({ "state": then })).await;
    assert_over(&reply, first);
    assert_eq!(scene.attempt(job.id).await, ended);
}

#[tokio::test]
async fn the_same_report_twice_at_once_is_taken_twice() {
    let (scene, job) = running_job(ONE_JOB).await;
    let report = || {
        let update = json!({ "state": "success" });
        tokio::spawn(job.put_to(&scene.server, "", update).send())
    };
    let (first, second) = (report(), report());
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!(second.await.unwrap().status, 200);
}

#[tokio::test]
async fn a_body_that_is_no_report_is_refused() {
    let (scene, job) = running_job(ONE_JOB).await;
    for body in ["", "state=success", "[]", r#"{"state":1}"#] {
        let reply = scene
            .server
            .request("PUT", &format!("/api/v4/jobs/{}", job.id))
            .header("job-token", &job.token)
            .body("application/json", body.to_owned())
            .send()
            .await;
        assert_eq!(reply.status, 400, "{body}");
    }
    assert_eq!(scene.status(job.id).await, "running");
}

#[tokio::test]
async fn the_token_may_come_in_the_header_and_a_wrong_one_is_refused() {
    let (scene, job) = running_job(ONE_JOB).await;
    let put = |token: &str| {
        scene
            .server
            .request("PUT", &format!("/api/v4/jobs/{}", job.id))
            .header("job-token", token)
            .json(&json!({ "state": "running" }))
            .send()
    };
    assert_eq!(put("glcbt-1_wrong").await.status, 403);
    assert_eq!(put("").await.status, 403);
    assert_eq!(put(&job.token).await.status, 200);
}

/// A 404 would let gitlab-runner go on; 403 stops it.
#[tokio::test]
async fn a_job_that_never_was_is_refused_like_a_wrong_token() {
    let (scene, job) = running_job(ONE_JOB).await;
    let reply = scene
        .server
        .request("PUT", "/api/v4/jobs/999999")
        .json(&json!({ "token": job.token, "state": "success" }))
        .send()
        .await;
    assert_eq!(reply.status, 403);
}
