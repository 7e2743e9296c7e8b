//! Starting runs: what comes of a good call, what is refused before anything is looked
//! for, and what is not there.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Scene, code, request, text};

const YAML: &str =
    "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{ run: echo }]\n";

#[rstest]
#[case::no_repository(json!({}))]
#[case::no_owner(json!({ "repo": "web" }))]
#[case::placeholder_of_the_reference(
    json!({ "repo": "acme/web", "sha": "0123456789abcdef0123456789abcdef" })
)]
#[case::upper_case(json!({ "repo": "acme/web", "sha": "A".repeat(40) }))]
#[case::both_forms(
    json!({ "repo": "acme/web", "workflow": "ci.yml", "workflowContent": [YAML] })
)]
#[case::job_of_several(
    json!({ "repo": "acme/web", "workflowContent": [YAML, YAML], "job": "a" })
)]
#[case::empty_content(json!({ "repo": "acme/web", "workflowContent": [""] }))]
#[case::a_thousand(json!({ "repo": "acme/web", "workflowContent": vec![YAML; 1000] }))]
#[tokio::test]
async fn a_request_that_contradicts_itself_is_an_invalid_argument(#[case] body: Value) {
    let scene = Scene::new().await;
    let refused = scene.refused("Run", body).await;
    assert_eq!(refused, code(400, "invalid_argument"));
}

#[rstest]
#[case::run("Run", json!({ "repo": "acme/nothing" }))]
#[case::dispatch(
    "DispatchWorkflow",
    json!({ "repo": "acme/nothing", "workflow": "ci.yml", "ref": "main" })
)]
#[case::branch(
    "DispatchWorkflow",
    json!({ "repo": "acme/web", "workflow": "ci.yml", "ref": "no-such-branch" })
)]
#[tokio::test]
async fn what_is_not_there_is_not_found(#[case] method: &str, #[case] body: Value) {
    let scene = Scene::new().await;
    let refused = scene.refused(method, body).await;
    assert_eq!(refused, code(404, "not_found"));
}

#[tokio::test]
async fn a_key_that_cannot_be_one_is_refused() {
    let scene = Scene::new().await;
    let long = "k".repeat(256);
    let call = request(&scene.server, "Run").header("idempotency-key", &long);
    let reply = call.json(&json!({ "repo": "acme/web" })).send().await;
    assert_eq!(super::refusal(&reply), code(400, "invalid_argument"));
}

const DISPATCHED: &str = "\
on:
  workflow_dispatch:
    inputs:
      level: { type: choice, options: [low, high], required: true }
jobs:
  a:
    runs-on: ubuntu-latest
    steps: [{ run: echo }]
";

/// A repository with workflows of Depot's and of GitHub's.
async fn with_workflows() -> Scene {
    let scene = Scene::new().await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    let files = [
        (".depot/workflows/ci.yml", YAML),
        (".depot/workflows/deploy.yml", DISPATCHED),
        (".github/workflows/other.yml", YAML),
    ];
    tappet_server::testing::commit(&repository, &files, "Add workflows");
    scene
}

async fn started(scene: &Scene, method: &str, body: Value) -> Value {
    let reply = scene.ask(method, body).await;
    assert_eq!(reply["orgId"], "org_1");
    scene
        .ask("GetRunStatus", json!({ "runId": reply["runId"] }))
        .await
}

#[tokio::test]
async fn workflows_that_come_with_the_call_run_side_by_side() {
    let scene = Scene::new().await;
    let body = json!({ "repo": "acme/web", "workflowContent": [YAML, YAML] });
    let tree = started(&scene, "Run", body).await;
    let workflows = tree["workflows"].as_array().unwrap();
    assert_eq!(workflows.len(), 2);
    assert_eq!(workflows[0]["jobs"][0]["jobKey"], "_inline_0.yaml:a");
    assert_eq!(workflows[1]["jobs"][0]["jobKey"], "_inline_1.yaml:a");
    assert_eq!(workflows[0].get("workflowPath"), None);
    assert_eq!(workflows[0]["jobs"][0]["attempts"][0]["attempt"], 1);
    let run = scene.ask("GetRun", json!({ "runId": tree["runId"] })).await;
    assert_eq!(run["trigger"], "api");
}

#[tokio::test]
async fn without_a_choice_all_workflows_of_the_repository_run() {
    let scene = with_workflows().await;
    let tree = started(&scene, "Run", json!({ "repo": "acme/web" })).await;
    let paths: Vec<String> = tree["workflows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|workflow| text(&workflow["workflowPath"]))
        .collect();
    assert!(
        paths.contains(&".depot/workflows/ci.yml".to_owned()),
        "{paths:?}"
    );
    assert!(!paths.contains(&".github/workflows/other.yml".to_owned()));
}

#[tokio::test]
async fn of_one_job_the_others_are_skipped() {
    let scene = Scene::new().await;
    let two = format!("{YAML}  b:\n    runs-on: ubuntu-latest\n    steps: [{{ run: echo }}]\n");
    let body = json!({ "repo": "acme/web", "workflowContent": [two], "job": "b" });
    let tree = started(&scene, "Run", body).await;
    let jobs = &tree["workflows"][0]["jobs"];
    assert_eq!(jobs[0]["status"], "skipped");
    assert_eq!(jobs[1]["status"], "queued");
}

#[tokio::test]
async fn a_workflow_that_is_not_valid_fails_with_its_place() {
    let scene = Scene::new().await;
    let body = json!({ "repo": "acme/web", "workflowContent": ["on: push\njobs: [oops\n"] });
    let tree = started(&scene, "Run", body).await;
    assert_eq!(tree["status"], "failed");
    let workflow = &tree["workflows"][0];
    assert_eq!(workflow["status"], "failed");
    assert!(
        text(&workflow["errorMessage"]).contains("Line"),
        "{workflow}"
    );
}

#[rstest]
#[case::commit(json!({ "sha": "0123456789abcdef0123456789abcdef01234567" }), 404, "not_found")]
#[case::file(json!({ "workflow": ".depot/workflows/none.yml" }), 404, "not_found")]
#[case::job(json!({ "workflowContent": [YAML], "job": "none" }), 400, "invalid_argument")]
#[tokio::test]
async fn what_the_repository_lacks_is_refused(
    #[case] mut body: Value,
    #[case] status: u16,
    #[case] word: &str,
) {
    let scene = Scene::new().await;
    body["repo"] = json!("acme/web");
    assert_eq!(scene.refused("Run", body).await, code(status, word));
}

#[tokio::test]
async fn a_workflow_is_dispatched_with_its_inputs() {
    let scene = with_workflows().await;
    let body = json!({
        "repo": "acme/web",
        "workflow": "deploy.yml",
        "ref": "main",
        "inputs": { "level": "high" },
    });
    let tree = started(&scene, "DispatchWorkflow", body).await;
    assert_eq!(
        tree["workflows"][0]["workflowPath"],
        ".depot/workflows/deploy.yml"
    );
    let run = scene.ask("GetRun", json!({ "runId": tree["runId"] })).await;
    assert_eq!(run["trigger"], "workflow_dispatch");
    assert_eq!(run["ref"], "refs/heads/main");
}

#[rstest]
#[case::another_file("none.yml", json!({ "level": "high" }), 404, "not_found")]
#[case::not_to_be_dispatched("ci.yml", json!({}), 404, "not_found")]
#[case::no_such_option("deploy.yml", json!({ "level": "medium" }), 400, "invalid_argument")]
#[case::missing_input("deploy.yml", json!({}), 400, "invalid_argument")]
#[case::unknown_input("deploy.yml", json!({ "level": "low", "x": "" }), 400, "invalid_argument")]
#[tokio::test]
async fn a_dispatch_that_the_workflow_does_not_take_is_refused(
    #[case] workflow: &str,
    #[case] inputs: Value,
    #[case] status: u16,
    #[case] word: &str,
) {
    let scene = with_workflows().await;
    let body = json!({ "repo": "acme/web", "workflow": workflow, "ref": "main", "inputs": inputs });
    let refused = scene.refused("DispatchWorkflow", body).await;
    assert_eq!(refused, code(status, word));
}

#[tokio::test]
async fn the_same_key_and_request_start_one_run() {
    let scene = Scene::new().await;
    let call = async |content: &str| {
        let body = json!({ "repo": "acme/web", "workflowContent": [content] });
        let call = request(&scene.server, "Run").header("idempotency-key", "k-1");
        call.json(&body).send().await
    };
    let (first, again) = (call(YAML).await, call(YAML).await);
    assert_eq!(first.json()["runId"], again.json()["runId"]);
    assert_eq!(first.header("idempotent-replayed"), "");
    assert_eq!(again.header("idempotent-replayed"), "true");
    let other = call(&YAML.replace("echo", "true")).await;
    assert_eq!(super::refusal(&other), code(400, "invalid_argument"));
}
