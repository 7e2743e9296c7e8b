//! Who may call what. What somebody must not see looks as if it did not exist.

use serde_json::{Value, json};
use tappet_server::testing::{TestReply, TestServer};

use super::{Scene, code, refusal};

async fn by(server: &TestServer, token: &str, method: &str, body: &Value) -> TestReply {
    let path = format!("/depot.ci.v1.CIService/{method}");
    let call = server
        .post(&path)
        .header("authorization", &format!("Bearer {token}"));
    call.json(body).send().await
}

/// Every method about one thing, with a body that names it.
async fn about_one_thing(scene: &Scene, run: i64) -> Vec<(&'static str, Value)> {
    let (workflow, job) = (scene.workflow(run).await, scene.job(run, 0).await);
    let attempt = job.replace('j', "a");
    let run = json!({ "runId": format!("r{run}") });
    let both = json!({ "workflowId": workflow, "jobId": job });
    let workflow = json!({ "workflowId": workflow });
    let attempt = json!({ "attemptId": attempt });
    vec![
        ("Run", json!({ "repo": "acme/web" })),
        (
            "DispatchWorkflow",
            json!({ "repo": "acme/web", "workflow": "ci.yml", "ref": "main" }),
        ),
        ("GetRun", run.clone()),
        ("GetRunStatus", run.clone()),
        ("CancelRun", run.clone()),
        ("GetRunMetrics", run.clone()),
        ("ListArtifacts", run.clone()),
        ("GetWorkflow", workflow.clone()),
        ("CancelWorkflow", workflow.clone()),
        ("RetryFailedJobs", workflow.clone()),
        ("RerunWorkflow", workflow),
        ("CancelJob", both.clone()),
        ("RetryJob", both.clone()),
        ("GetJobMetrics", json!({ "jobId": job })),
        ("GetJobSummary", json!({ "jobId": job })),
        ("GetJob", json!({ "jobId": job })),
        ("GetAttempt", attempt.clone()),
        ("GetJobAttemptLogs", attempt.clone()),
        ("GetJobAttemptMetrics", attempt),
        (
            "GetFailureDiagnosis",
            json!({ "targetId": run["runId"], "targetType": 1 }),
        ),
        ("ListRuns", json!({ "repo": "acme/web" })),
        ("ListWorkflows", json!({ "repo": "acme/web" })),
    ]
}

#[tokio::test]
async fn a_stranger_learns_nothing_about_a_private_project() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let stranger = scene.server.user("stranger").await;
    for (method, body) in about_one_thing(&scene, run).await {
        let reply = by(&scene.server, &stranger.token, method, &body).await;
        assert_eq!(refusal(&reply), code(404, "not_found"), "{method}");
    }
    for method in ["ListRuns", "ListWorkflows"] {
        let reply = by(&scene.server, &stranger.token, method, &json!({})).await;
        assert_eq!(reply.json(), json!({}), "{method}");
    }
}

const CHANGES: [&str; 8] = [
    "Run",
    "DispatchWorkflow",
    "CancelRun",
    "CancelWorkflow",
    "RetryFailedJobs",
    "RerunWorkflow",
    "CancelJob",
    "RetryJob",
];

#[tokio::test]
async fn a_reporter_reads_and_changes_nothing() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let reporter = scene.server.member(scene.project, "ann", 20).await;
    for (method, body) in about_one_thing(&scene, run).await {
        let reply = by(&scene.server, &reporter.token, method, &body).await;
        if CHANGES.contains(&method) {
            assert_eq!(refusal(&reply), code(403, "permission_denied"), "{method}");
        } else if method != "GetAttempt" && method != "GetJob" {
            assert_eq!(reply.status, 200, "{method}: {}", reply.text());
        }
    }
    assert_eq!(scene.tree(run).await["status"], "queued");
}

#[tokio::test]
async fn a_token_that_reads_changes_nothing() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let token = scene.server.token_of(1, &["read_api"]).await;
    for (method, body) in about_one_thing(&scene, run).await {
        let reply = by(&scene.server, &token, method, &body).await;
        if CHANGES.contains(&method) {
            assert_eq!(refusal(&reply), code(403, "permission_denied"), "{method}");
        } else {
            assert_eq!(reply.status, 200, "{method}: {}", reply.text());
        }
    }
    let other = scene.server.token_of(1, &["read_user"]).await;
    let reply = by(&scene.server, &other, "ListRuns", &json!({})).await;
    assert_eq!(refusal(&reply), code(403, "permission_denied"));
}

#[tokio::test]
async fn the_token_of_a_job_reaches_no_method_of_this_service() {
    let scene = Scene::new().await;
    scene.start().await;
    let job = super::runner::take(&scene.server).await;
    let reply = by(&scene.server, &job.token, "ListRuns", &json!({})).await;
    assert_eq!(refusal(&reply), code(403, "permission_denied"));
    job.end("success").await;
    let reply = by(&scene.server, &job.token, "ListRuns", &json!({})).await;
    assert_eq!(refusal(&reply), code(401, "unauthenticated"));
}
