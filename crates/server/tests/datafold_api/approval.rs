//! Runs that wait for a member's approval, and those that do not.

use serde_json::{Value, json};
use tappet_model::{CiConfigId, ProjectId, PullRequest, UserId};
use tappet_server::intake::{PullRequestRunRequest, start_pull_request_run};

use super::{Scene, assert_refused, signed};

#[tokio::test]
async fn a_run_that_waits_for_nobody_cannot_be_approved() {
    let scene = Scene::new().await;
    let run = scene.start(&scene.changes("feature")).await;
    let path = format!("/api/v1/ci/runs/{run}/approve");
    let reply = scene.post(&path, &Value::Null).await;
    assert_refused(&reply, 409, "the run does not wait for approval");
}

#[tokio::test]
async fn only_who_may_run_pipelines_approves() {
    let scene = Scene::new().await;
    let reporter = scene.server.member(scene.project, "rita", 20).await;
    let stranger = scene.server.user("stranger").await;
    let run = scene.start(&scene.changes("feature")).await;
    let path = format!("/api/v1/ci/runs/{run}/approve");
    let by = async |token: &str| signed(scene.server.post(&path), token).send().await;
    let text = "you may not do that in the project acme/web";
    assert_refused(&by(&reporter.token).await, 403, text);
    assert_refused(&by(&stranger.token).await, 404, "CI run not found");
}

/// A run of a fork's pull request, as a forge's webhook starts it.
async fn start_from_a_fork(scene: &Scene) -> i64 {
    let app = scene.server.app();
    let changes = scene.changes("feature");
    let project = app.store.project(ProjectId(scene.project)).await.unwrap();
    let config = app.store.ci_config(CiConfigId(scene.config)).await.unwrap();
    let request = PullRequestRunRequest {
        project: project.unwrap(),
        config: config.unwrap(),
        user: app.store.user(UserId(1)).await.unwrap(),
        pull_request: PullRequest {
            number: "6".into(),
            head_branch: changes.branch.into(),
            head_sha: changes.head,
            base_branch: "main".into(),
            base_sha: changes.base,
            ..PullRequest::default()
        },
        payload: None,
        is_from_forge: true,
        needs_approval: true,
        credential: "forge".into(),
        hooks: Vec::new(),
        idempotency: None,
    };
    let started = start_pull_request_run(app, request).await.unwrap();
    started.run.id.0
}

#[tokio::test]
async fn a_run_that_waits_for_approval_goes_on_with_it() {
    let scene = Scene::new().await;
    let developer = scene.server.member(scene.project, "dev", 30).await;
    let run = start_from_a_fork(&scene).await;
    assert_eq!(scene.status(run).await, "needs_confirmation");
    let shown = scene.get(&format!("/api/v1/ci/runs/{run}")).await.json();
    assert_eq!(shown["hold"], json!({ "for": "approval", "until": null }));
    assert_eq!(shown["source"], "ci");
    let path = format!("/api/v1/ci/runs/{run}/approve");
    let approved = signed(scene.server.post(&path), &developer.token)
        .send()
        .await;
    assert_eq!(approved.status, 200, "{}", approved.text());
    assert_eq!(approved.json()["status"], "queued");
    assert_eq!(scene.status(run).await, "queued");
    assert_eq!(scene.post(&path, &Value::Null).await.status, 409);
    let log = scene.get("/api/v4/audit_events?per_page=100").await.text();
    assert!(log.contains("run_approved"));
}

#[tokio::test]
async fn after_approval_it_waits_for_pairs_if_it_expects_them() {
    let scene = Scene::new().await;
    scene.configure(json!({ "expects_diffs": true })).await;
    let run = start_from_a_fork(&scene).await;
    let path = format!("/api/v1/ci/runs/{run}/approve");
    let approved = scene.post(&path, &Value::Null).await;
    assert_eq!(approved.json()["status"], "waiting");
    assert_eq!(approved.json()["hold"]["for"], "diffs");
}
