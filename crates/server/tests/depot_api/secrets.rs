//! `depot.ci.v3beta2.SecretService`: secrets with variants.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{ROOT_TOKEN, TestServer};

use super::{code, done, refusal, rpc};

fn method(name: &str) -> String {
    format!("depot.ci.v3beta2.SecretService/{name}")
}

async fn secret(server: &TestServer, name: &str, body: Value) -> Value {
    done(server, &method(name), &body).await
}

/// Sets a variant named `default` where `attributes` (`branch=main`) say.
async fn set(server: &TestServer, name: &str, value: &str, attributes: &[&str]) -> Value {
    let body = json!({ "secretName": name, "value": value, "attributes": list(attributes) });
    secret(server, "SetSecretVariant", body).await
}

fn list(attributes: &[&str]) -> Vec<Value> {
    let pair = |text: &&str| {
        let (key, value) = text.split_once('=').expect("key and value");
        json!({ "key": key, "value": value })
    };
    attributes.iter().map(pair).collect()
}

/// Status, code and message of a refused call by the holder of a token.
async fn refused(server: &TestServer, token: &str, name: &str, body: Value) -> (u16, String) {
    let reply = rpc(server, token, &method(name), &body).await;
    assert_ne!(reply.status, 200, "{name} {body}: {}", reply.text());
    refusal(&reply)
}

#[tokio::test]
async fn a_secret_is_made_updated_and_read_without_its_value() {
    let server = TestServer::start().await;
    let made = secret(
        &server,
        "SetSecretVariant",
        json!({ "secretName": "API_KEY", "value": "s3cr3t", "description": "for deploys" }),
    )
    .await;
    assert_eq!(made["createdSecret"], true);
    assert_eq!(made["createdVariant"], true);
    assert_eq!(made["variant"]["name"], "default");
    assert_eq!(made["variant"]["description"], "for deploys");
    assert_eq!(made["secret"]["variantCount"], 1);
    let again = set(&server, "API_KEY", "other", &[]).await;
    assert_eq!(again["createdVariant"], Value::Null, "it was there");
    assert_eq!(again["variant"]["id"], made["variant"]["id"]);
    for lookup in [
        json!({ "name": "api_key" }),
        json!({ "id": made["secret"]["id"] }),
    ] {
        let found = secret(&server, "GetSecret", lookup).await;
        assert_eq!(found["secret"]["name"], "API_KEY");
        let text = found.to_string();
        assert!(
            !text.contains("s3cr3t") && !text.contains("other"),
            "{text}"
        );
    }
    let id = json!({ "id": made["variant"]["id"] });
    let found = secret(&server, "GetSecretVariant", id).await;
    assert_eq!(found["variant"]["secretId"], made["secret"]["id"]);
    assert!(found["variant"]["lastModified"].is_string());
}

#[tokio::test]
async fn variants_of_other_places_stand_beside_each_other() {
    let server = TestServer::start().await;
    server.project("acme/web", &[]).await;
    set(&server, "KEY", "a", &[]).await;
    let scoped = set(&server, "KEY", "b", &["repository=acme/web", "branch=main"]).await;
    assert_eq!(scoped["createdSecret"], Value::Null);
    assert_eq!(scoped["createdVariant"], true);
    let of_secret = &scoped["secret"]["variants"];
    assert_eq!(of_secret.as_array().map(Vec::len), Some(2));
    assert_eq!(of_secret[0]["attributes"], Value::Null);
    let expected = json!(list(&["repository=acme/web", "branch=main"]));
    assert_eq!(of_secret[1]["attributes"], expected);
}

#[tokio::test]
async fn creating_a_variant_that_exists_is_refused() {
    let server = TestServer::start().await;
    let body = json!({ "secretName": "KEY", "variantName": "default", "value": "a" });
    let made = secret(&server, "CreateSecretVariant", body.clone()).await;
    assert_eq!(made["createdSecret"], true);
    let again = refused(&server, ROOT_TOKEN, "CreateSecretVariant", body).await;
    assert_eq!(again, code(409, "already_exists"));
}

#[rstest]
#[case::no_name(json!({ "value": "x" }), "name")]
#[case::bad_name(json!({ "secretName": "A-B", "value": "x" }), "A-B")]
#[case::no_value(json!({ "secretName": "A" }), "value")]
#[case::unknown_attribute(json!({ "secretName": "A", "value": "x", "attributes": [{ "key": "team", "value": "x" }] }), "team")]
#[case::attribute_without_value(json!({ "secretName": "A", "value": "x", "attributes": [{ "key": "branch" }] }), "branch")]
#[case::bad_pattern(json!({ "secretName": "A", "value": "x", "attributes": [{ "key": "branch", "value": "[a]" }] }), "[a]")]
#[tokio::test]
async fn a_variant_that_cannot_be_meant_is_refused(#[case] body: Value, #[case] named: &str) {
    let server = TestServer::start().await;
    let reply = rpc(&server, ROOT_TOKEN, &method("SetSecretVariant"), &body).await;
    assert_eq!(refusal(&reply), code(400, "invalid_argument"));
    let message = reply.json()["message"].to_string();
    assert!(message.contains(named), "{message}");
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let server = TestServer::start().await;
    for (name, body) in [
        ("GetSecret", json!({ "name": "NONE" })),
        ("GetSecret", json!({ "id": "s99" })),
        ("GetSecretVariant", json!({ "id": "vv1" })),
        (
            "UpdateSecretVariantValue",
            json!({ "variantId": "sv9", "value": "x" }),
        ),
        ("UpdateSecretVariantMetadata", json!({ "variantId": "sv9" })),
        ("DeleteSecretVariant", json!({ "variantId": "sv9" })),
        ("DeleteSecret", json!({ "name": "NONE" })),
        (
            "SetSecretVariant",
            json!({ "secretName": "A", "value": "x", "attributes": list(&["repository=no/where"]) }),
        ),
    ] {
        let found = refused(&server, ROOT_TOKEN, name, body.clone()).await;
        assert_eq!(found, code(404, "not_found"), "{name} {body}");
    }
    let nothing_named = refused(&server, ROOT_TOKEN, "GetSecret", json!({})).await;
    assert_eq!(nothing_named, code(400, "invalid_argument"));
}

#[tokio::test]
async fn a_variant_is_renamed_moved_and_given_another_value() {
    let server = TestServer::start().await;
    let made = set(&server, "KEY", "a", &[]).await;
    let id = &made["variant"]["id"];
    let body = json!({
        "variantId": id, "name": "production", "description": "why",
        "attributes": list(&["environment=production"]),
    });
    let changed = secret(&server, "UpdateSecretVariantMetadata", body).await;
    assert_eq!(changed["variant"]["name"], "production");
    assert_eq!(changed["variant"]["description"], "why");
    let attributes = json!(list(&["environment=production"]));
    assert_eq!(changed["variant"]["attributes"], attributes);
    let body = json!({ "variantId": id, "value": "b" });
    let changed = secret(&server, "UpdateSecretVariantValue", body).await;
    assert_eq!(changed["variant"]["name"], "production");
    let app = server.app();
    let id = tappet_model::ProjectId(1);
    let job = app.workflow_settings(id, None, None, Some("production"));
    let expected = [("KEY".to_owned(), "b".to_owned())];
    assert_eq!(job.await.unwrap().secrets, expected);
}

#[tokio::test]
async fn the_last_variant_takes_the_secret_along() {
    let server = TestServer::start().await;
    let first = set(&server, "KEY", "a", &[]).await;
    let second = set(&server, "KEY", "b", &["branch=main"]).await;
    let delete = |id: &Value| secret(&server, "DeleteSecretVariant", json!({ "variantId": id }));
    let gone = delete(&first["variant"]["id"]).await;
    assert_eq!(gone["deletedSecret"], Value::Null);
    let gone = delete(&second["variant"]["id"]).await;
    assert_eq!(gone["deletedSecret"], true);
    set(&server, "KEY", "a", &[]).await;
    set(&server, "KEY", "b", &["branch=main"]).await;
    secret(&server, "DeleteSecret", json!({ "name": "KEY" })).await;
    let listed = secret(&server, "ListSecrets", json!({})).await;
    assert_eq!(listed["secrets"], Value::Null);
}

fn names(listed: &Value) -> Vec<String> {
    let all = listed["secrets"].as_array().cloned().unwrap_or_default();
    all.iter()
        .map(|one| one["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[tokio::test]
async fn lists_have_pages_and_filters() {
    let server = TestServer::start().await;
    server.project("acme/web", &[]).await;
    for name in ["C_KEY", "A_KEY", "B_TOKEN"] {
        set(&server, name, "x", &[]).await;
    }
    set(
        &server,
        "A_KEY",
        "x",
        &["repository=acme/web", "branch=main"],
    )
    .await;
    let list_secrets = |body| secret(&server, "ListSecrets", body);
    let first = list_secrets(json!({ "page": { "page": 1, "pageSize": 2 } })).await;
    assert_eq!(names(&first), ["A_KEY", "B_TOKEN"]);
    assert_eq!(first["page"]["hasMore"], true);
    let second = list_secrets(json!({ "page": { "page": 2, "pageSize": 2 } })).await;
    assert_eq!(names(&second), ["C_KEY"]);
    assert_eq!(second["page"]["hasMore"], Value::Null);
    let keys = list_secrets(json!({ "query": "key" })).await;
    assert_eq!(names(&keys), ["A_KEY", "C_KEY"]);
    let attributes = list(&["repository=ACME/web", "branch=main", "branch=dev"]);
    let scoped = list_secrets(json!({ "attributes": attributes })).await;
    assert_eq!(names(&scoped), ["A_KEY"]);
    assert_eq!(scoped["secrets"][0]["variantCount"], 1);
    let elsewhere = list_secrets(json!({ "attributes": list(&["repository=no/where"]) })).await;
    assert!(names(&elsewhere).is_empty());
    let counts = secret(&server, "ListSecretAttributes", json!({})).await;
    let expected = json!([
        { "attribute": { "key": "branch", "value": "main" }, "linkCount": 1 },
        { "attribute": { "key": "repository", "value": "acme/web" }, "linkCount": 1 },
    ]);
    assert_eq!(counts["attributes"], expected);
}

#[tokio::test]
async fn a_context_tells_which_variant_would_win() {
    let server = TestServer::start().await;
    server.project("acme/web", &[]).await;
    server.project("acme/api", &[]).await;
    set(&server, "KEY", "x", &[]).await;
    set(&server, "KEY", "x", &["repository=acme/web"]).await;
    set(&server, "KEY", "x", &["repository=acme/api"]).await;
    let body = json!({ "context": list(&["repository=acme/web"]) });
    let listed = secret(&server, "ListSecrets", body).await;
    let variants = listed["secrets"][0]["variants"].as_array().unwrap();
    let resolutions: Vec<_> = variants.iter().map(|one| &one["resolution"]).collect();
    assert_eq!(
        resolutions,
        [
            "VARIANT_RESOLUTION_LOWER_PRIORITY",
            "VARIANT_RESOLUTION_RESOLVED"
        ],
        "the one of another repository cannot apply"
    );
}

#[tokio::test]
async fn maintainers_manage_the_secrets_of_their_projects_only() {
    let server = TestServer::start().await;
    let project = server.project("acme/web", &[]).await;
    server.project("acme/api", &[]).await;
    let maintainer = server.member(project, "may", 40).await;
    let developer = server.member(project, "dev", 30).await;
    let global = set(&server, "KEY", "x", &[]).await;
    set(&server, "OTHER", "x", &["repository=acme/api"]).await;
    let body = |attributes: &[&str]| json!({ "secretName": "KEY", "value": "y", "attributes": list(attributes) });
    let own = body(&["repository=acme/web", "branch=main"]);
    let reply = rpc(
        &server,
        &maintainer.token,
        &method("SetSecretVariant"),
        &own,
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    for (token, body) in [
        (&maintainer.token, body(&[])),
        (&maintainer.token, body(&["branch=main"])),
        (&developer.token, own.clone()),
    ] {
        let found = refused(&server, token, "SetSecretVariant", body.clone()).await;
        assert_eq!(found, code(403, "permission_denied"), "{body}");
    }
    let foreign = body(&["repository=acme/web", "repository=acme/api"]);
    let found = refused(&server, &maintainer.token, "SetSecretVariant", foreign).await;
    assert_eq!(
        found,
        code(404, "not_found"),
        "a project that they must not know of"
    );
    for (name, body) in [
        ("DeleteSecret", json!({ "name": "KEY" })),
        (
            "DeleteSecretVariant",
            json!({ "variantId": global["variant"]["id"] }),
        ),
        (
            "UpdateSecretVariantValue",
            json!({ "variantId": global["variant"]["id"], "value": "z" }),
        ),
    ] {
        let found = refused(&server, &maintainer.token, name, body).await;
        assert_eq!(found, code(403, "permission_denied"), "{name}");
    }
    let hidden = json!({ "name": "OTHER" });
    let found = refused(&server, &maintainer.token, "GetSecret", hidden).await;
    assert_eq!(found, code(404, "not_found"));
    let listed = rpc(
        &server,
        &developer.token,
        &method("ListSecrets"),
        &json!({}),
    )
    .await;
    let listed = listed.json();
    assert_eq!(names(&listed), ["KEY"]);
    assert_eq!(
        listed["secrets"][0]["variantCount"], 1,
        "what is for all repositories, but not what maintainers manage"
    );
}

#[tokio::test]
async fn a_token_that_reads_changes_nothing() {
    let server = TestServer::start().await;
    let reader = server.token_of(1, &["read_api"]).await;
    let body = json!({ "secretName": "KEY", "value": "x" });
    let found = refused(&server, &reader, "SetSecretVariant", body).await;
    assert_eq!(found, code(403, "permission_denied"));
    let listed = rpc(&server, &reader, &method("ListSecrets"), &json!({})).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
}

#[tokio::test]
async fn each_change_is_in_the_audit_log() {
    let server = TestServer::start().await;
    server.project("acme/web", &[]).await;
    let made = set(&server, "KEY", "s3cr3t", &["repository=acme/web"]).await;
    let id = &made["variant"]["id"];
    let body = json!({ "variantId": id, "value": "n3w" });
    secret(&server, "UpdateSecretVariantValue", body).await;
    secret(&server, "DeleteSecret", json!({ "name": "KEY" })).await;
    let entries = server.get("/api/v4/audit_events").root().send().await;
    let text = entries.text();
    for action in [
        "workflow_secret_created",
        "workflow_secret_updated",
        "workflow_secret_deleted",
    ] {
        assert!(text.contains(action), "{action} is missing in {text}");
    }
    assert!(text.contains("repository=acme/web"), "{text}");
    assert!(!text.contains("s3cr3t") && !text.contains("n3w"), "{text}");
}

#[tokio::test]
async fn a_renamed_project_keeps_its_secrets_and_a_new_one_of_its_name_gets_none() {
    let server = TestServer::start().await;
    let project = server.project("acme/web", &[]).await;
    set(&server, "KEY", "x", &["repository=acme/web"]).await;
    let path = format!("/api/v4/projects/{project}");
    let body = json!({ "path": "site" });
    let renamed = server.request("PUT", &path).root().json(&body).send().await;
    assert_eq!(renamed.status, 200, "{}", renamed.text());
    let found = secret(&server, "GetSecret", json!({ "name": "KEY" })).await;
    let attributes = &found["secret"]["variants"][0]["attributes"];
    assert_eq!(*attributes, json!(list(&["repository=acme/site"])));
    let of_job = |id: i64| {
        let app = server.app().clone();
        let id = tappet_model::ProjectId(id);
        async move {
            app.workflow_settings(id, None, None, None)
                .await
                .expect("settings")
        }
    };
    assert_eq!(of_job(project).await.secrets.len(), 1);
    assert_eq!(of_job(project + 1).await.secrets.len(), 0);
}
