//! Starting runs: what is refused before anything is looked for, and what is not
//! there. What a good call leads to is the workflows' own story.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Scene, code};

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
    let call = super::request(&scene.server, "Run").header("idempotency-key", &long);
    let reply = call.json(&json!({ "repo": "acme/web" })).send().await;
    assert_eq!(super::refusal(&reply), code(400, "invalid_argument"));
}
