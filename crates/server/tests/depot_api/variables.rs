//! `depot.ci.v3beta2.VariableService`: the same as secrets, but values are told.

use serde_json::{Value, json};
use tappet_model::ProjectId;
use tappet_server::testing::TestServer;

use super::{done, rpc};

async fn variable(server: &TestServer, name: &str, body: Value) -> Value {
    let method = format!("depot.ci.v3beta2.VariableService/{name}");
    done(server, &method, &body).await
}

async fn set(server: &TestServer, variant: &str, value: &str, attributes: Value) -> Value {
    let body = json!({
        "variableName": "REGION", "variantName": variant, "value": value,
        "attributes": attributes,
    });
    variable(server, "SetVariableVariant", body).await
}

#[tokio::test]
async fn values_of_variables_are_told() {
    let server = TestServer::start().await;
    let made = set(&server, "", "eu", json!([])).await;
    assert_eq!(made["createdVariable"], true);
    assert_eq!(made["variant"]["value"], "eu");
    let found = variable(&server, "GetVariable", json!({ "name": "REGION" })).await;
    assert_eq!(found["variable"]["variants"][0]["value"], "eu");
    let id = &made["variant"]["id"];
    let body = json!({ "variantId": id, "value": "us" });
    variable(&server, "UpdateVariableVariantValue", body).await;
    let found = variable(&server, "GetVariableVariant", json!({ "id": id })).await;
    assert_eq!(found["variant"]["value"], "us");
    let listed = variable(&server, "ListVariables", json!({})).await;
    assert_eq!(listed["variables"][0]["variants"][0]["value"], "us");
    let gone = variable(&server, "DeleteVariableVariant", json!({ "variantId": id })).await;
    assert_eq!(gone["deletedVariable"], true);
}

#[tokio::test]
async fn variables_and_secrets_are_two_things() {
    let server = TestServer::start().await;
    let made = set(&server, "", "eu", json!([])).await;
    let body = json!({ "secretName": "REGION", "value": "s3cr3t" });
    done(
        &server,
        "depot.ci.v3beta2.SecretService/SetSecretVariant",
        &body,
    )
    .await;
    variable(
        &server,
        "DeleteVariable",
        json!({ "id": made["variable"]["id"] }),
    )
    .await;
    let lookup = json!({ "name": "REGION" });
    done(&server, "depot.ci.v3beta2.SecretService/GetSecret", &lookup).await;
}

#[tokio::test]
async fn a_job_gets_the_most_specific_variant() {
    let server = TestServer::start().await;
    let project = ProjectId(server.project("acme/web", &[]).await);
    let at = |key: &str, value: &str| json!([{ "key": key, "value": value }]);
    set(&server, "", "anywhere", json!([])).await;
    set(&server, "", "web", at("repository", "acme/web")).await;
    set(&server, "", "release", at("branch", "release/*")).await;
    set(&server, "", "live", at("environment", "production")).await;
    let app = server.app();
    for (id, branch, environment, expected) in [
        (project, Some("main"), None, "web"),
        (project, Some("release/2"), None, "web"),
        (project, None, Some("production"), "live"),
        (ProjectId(99), Some("release/2"), None, "release"),
        (ProjectId(99), Some("main"), Some("staging"), "anywhere"),
    ] {
        let job = app.workflow_settings(id, branch, Some("ci.yml"), environment);
        let job = job.await.unwrap();
        assert_eq!(job.vars, [("REGION".to_owned(), expected.to_owned())]);
        assert!(job.secrets.is_empty());
    }
}

#[tokio::test]
async fn external_people_see_no_variables_of_all_repositories() {
    let server = TestServer::start().await;
    set(&server, "", "eu", json!([])).await;
    let guest = server.user("guest").await;
    let method = "depot.ci.v3beta2.VariableService/ListVariables";
    let listed = rpc(&server, &guest.token, method, &json!({})).await;
    assert_eq!(listed.json()["variables"][0]["name"], "REGION");
    let path = format!("/api/v4/users/{}", guest.id);
    let external = server.request("PUT", &path).root();
    let external = external.json(&json!({ "external": true })).send().await;
    assert_eq!(external.status, 200, "{}", external.text());
    let listed = rpc(&server, &guest.token, method, &json!({})).await;
    assert_eq!(listed.json()["variables"], Value::Null);
}
