//! `POST /runners/verify`.

use rstest::rstest;
use serde_json::json;
use tappet_server::testing::TestServer;

#[tokio::test]
async fn a_good_token_is_answered_with_the_runner_whatever_the_form() {
    let server = TestServer::start().await;
    let token = server.runner_token();
    let as_json = server
        .post("/api/v4/runners/verify")
        .json(&json!({ "token": token, "system_id": "r_1", "info": { "name": "x" } }))
        .send()
        .await;
    let as_form = server
        .post("/api/v4/runners/verify")
        .form(&format!("token={token}"))
        .send()
        .await;
    for reply in [as_json, as_form] {
        assert_eq!(reply.status, 200, "{}", reply.text());
        let body = reply.json();
        assert!(
            body["id"].as_i64().unwrap() > 0,
            "gitlab-runner wants an id"
        );
        assert_eq!(body["token"], token.as_str());
        assert!(body["token_expires_at"].is_null());
    }
}

#[rstest]
#[case::no_body("application/json", "", 400)]
#[case::no_json("application/json", "token", 400)]
#[case::no_token("application/json", "{}", 400)]
#[case::empty_token("application/x-www-form-urlencoded", "token=", 400)]
#[case::unknown_token("application/json", r#"{"token":"glrt-nobody"}"#, 403)]
#[case::unknown_token_in_a_form("application/x-www-form-urlencoded", "token=glrt-nobody", 403)]
#[tokio::test]
async fn others_are_refused(#[case] kind: &str, #[case] body: &str, #[case] status: u16) {
    let server = TestServer::start().await;
    let request = server.post("/api/v4/runners/verify");
    let reply = request.body(kind, body.to_owned()).send().await;
    assert_eq!(reply.status, status, "{}", reply.text());
}

/// gitlab-runner 19 sends the token in a header too.
#[tokio::test]
async fn a_token_in_the_header_alone_is_enough() {
    let server = TestServer::start().await;
    let reply = server
        .post("/api/v4/runners/verify")
        .header("runner-token", &server.runner_token())
        .json(&json!({}))
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}
