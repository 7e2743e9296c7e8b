//! Why things failed, what jobs summed up and what they used.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Scene, code, text};

const RUN: &str = "FAILURE_DIAGNOSIS_TARGET_TYPE_RUN";

#[tokio::test]
async fn jobs_that_failed_for_one_reason_are_one_group() {
    let file = (
        ".gitlab-ci.yml",
        "one: { script: make }\ntwo: { script: make }\nthree: { script: make }\n",
    );
    let scene = Scene::with_file(file).await;
    let run = scene.start().await;
    for log in [
        "error: port 80 is taken\n",
        "error: port 8080 is taken\n",
        "fatal: no disk\n",
    ] {
        scene.work(log, "failed").await;
    }
    let body = json!({ "targetId": format!("r{run}"), "targetType": RUN });
    let reply = scene.ask("GetFailureDiagnosis", body).await;
    assert_eq!(reply["state"], "FAILURE_DIAGNOSIS_STATE_GROUPED_FAILURES");
    assert_eq!(
        reply["target"]["status"],
        "FAILURE_DIAGNOSIS_RESOURCE_STATUS_FAILED"
    );
    assert_eq!(reply["bounds"]["failedProblemCandidateCount"], 3);
    let groups = reply["failureGroups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["count"], 2);
    assert_eq!(groups[0]["errorMessage"], "error: port 80 is taken");
    let first = &groups[0]["representatives"][0];
    assert_eq!(first["jobKey"], ".gitlab-ci.yml:one");
    assert_eq!(
        first["relevantLines"][0]["content"],
        "error: port 80 is taken"
    );
    assert_eq!(first["relevantLines"][0]["lineNumber"], 1);
    let logs = json!(["depot", "ci", "logs", first["attemptId"]]);
    assert_eq!(first["nextCommands"][0]["argv"], logs);
}

#[rstest]
#[case::job(3)]
#[case::attempt(4)]
#[tokio::test]
async fn one_failed_job_is_looked_at_alone(#[case] kind: i32) {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let attempt = scene.work("make: command not found\n", "failed").await;
    let id = match kind {
        3 => scene.job(run, 0).await,
        _ => attempt.clone(),
    };
    let body = json!({ "targetId": id, "targetType": kind });
    let reply = scene.ask("GetFailureDiagnosis", body).await;
    assert_eq!(reply["state"], "FAILURE_DIAGNOSIS_STATE_FOCUSED_FAILURE");
    let only = &reply["representativeAttempts"][0];
    assert_eq!(only["attemptId"], attempt);
    assert_eq!(only["errorMessage"], "make: command not found");
    assert_eq!(
        only["attemptConclusion"],
        "FAILURE_DIAGNOSIS_CONCLUSION_FAILURE"
    );
    assert_eq!(reply["context"]["jobKey"], ".gitlab-ci.yml:build");
}

#[tokio::test]
async fn nothing_failed_is_an_answer() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let body = json!({ "targetId": format!("r{run}"), "targetType": RUN });
    let reply = scene.ask("GetFailureDiagnosis", body).await;
    assert_eq!(reply["state"], "FAILURE_DIAGNOSIS_STATE_EMPTY");
    assert_eq!(
        reply["emptyReason"],
        "FAILURE_DIAGNOSIS_EMPTY_REASON_NO_FAILURE_EVIDENCE"
    );
}

#[rstest]
#[case::none(json!({ "targetId": "r1" }), "target_type is required")]
#[case::unknown_name(
    json!({ "targetId": "r1", "targetType": "MOON" }),
    "expected a known enum variant name"
)]
#[case::unknown_number(json!({ "targetId": "r1", "targetType": 5 }), "Unsupported target_type: 5")]
#[tokio::test]
async fn the_kind_of_target_is_never_guessed(#[case] body: Value, #[case] message: &str) {
    let scene = Scene::new().await;
    scene.start().await;
    let reply = scene.call("GetFailureDiagnosis", body).await;
    assert_eq!(super::refusal(&reply), code(400, "invalid_argument"));
    assert!(text(&reply.json()["message"]).contains(message));
}

#[tokio::test]
async fn a_job_without_summaries_says_so() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let attempt = scene.work("oh\n", "failed").await;
    let (failed, skipped) = (scene.job(run, 0).await, scene.job(run, 1).await);
    for (body, reason) in [
        (json!({ "jobId": failed }), "no_summary"),
        (json!({ "attemptId": attempt }), "no_summary"),
        (
            json!({ "jobId": failed, "attemptId": attempt }),
            "no_summary",
        ),
        (json!({ "jobId": skipped }), "no_attempt"),
    ] {
        let reply = scene.ask("GetJobSummary", body.clone()).await;
        assert_eq!(reply["emptyReason"], reason, "{body}");
        assert_eq!(reply.get("hasSummary"), None);
    }
    let elsewhere = json!({ "jobId": skipped, "attemptId": attempt });
    let refused = scene.refused("GetJobSummary", elsewhere).await;
    assert_eq!(refused, code(404, "not_found"));
    // The CLI tries a job first, then an attempt.
    let refused = scene
        .refused("GetJobSummary", json!({ "jobId": attempt }))
        .await;
    assert_eq!(refused, code(404, "not_found"));
}

#[tokio::test]
async fn what_is_not_measured_is_not_made_up() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let attempt = scene.work("oh\n", "failed").await;
    let body = json!({ "attemptId": attempt });
    let reply = scene.ask("GetJobAttemptMetrics", body).await;
    let code = &reply["attempt"]["availability"]["code"];
    assert_eq!(code, "CI_METRICS_AVAILABILITY_CODE_NO_SAMPLES");
    assert_eq!(reply["attempt"].get("samples"), None);
    assert_eq!(reply["attempt"]["attempt"]["conclusion"], "failure");
    let job = scene.job(run, 0).await;
    let reply = scene.ask("GetJobMetrics", json!({ "jobId": job })).await;
    assert_eq!(reply["attempts"][0]["attempt"]["attemptId"], attempt);
    let reply = scene
        .ask("GetRunMetrics", json!({ "runId": format!("r{run}") }))
        .await;
    let jobs = &reply["workflows"][0]["jobs"];
    assert_eq!(text(&jobs[0]["job"]["jobId"]), job);
    assert_eq!(jobs[0]["attempts"][0]["availability"]["code"], *code);
}
