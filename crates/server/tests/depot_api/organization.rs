//! `depot org list`.

use serde_json::json;
use tappet_server::testing::TestServer;

use super::{code, done, refusal, rpc};

const METHOD: &str = "depot.core.v1.OrganizationService/ListOrganizations";

#[tokio::test]
async fn there_is_one_organisation_named_after_the_server() {
    let server = TestServer::start_with(|config| {
        config.external_url = Some("https://ci.example.com".parse().expect("an address"));
    })
    .await;
    let listed = done(&server, METHOD, &json!({})).await;
    let all = listed["organizations"].as_array().cloned().unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(
        (&all[0]["orgId"], &all[0]["name"]),
        (&json!("org_1"), &json!("ci.example.com"))
    );
    assert!(all[0]["createdAt"].is_string());
}

#[tokio::test]
async fn an_empty_token_is_none() {
    let server = TestServer::start().await;
    let reply = rpc(&server, "", METHOD, &json!({})).await;
    assert_eq!(refusal(&reply), code(401, "unauthenticated"));
}
