//! Personal access tokens and what they reach.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{ROOT_TOKEN, TestReply, TestServer};

use super::assert_reply;

async fn create(server: &TestServer, user: i64, body: Value) -> TestReply {
    let path = format!("/api/v4/users/{user}/personal_access_tokens");
    server.post(&path).root().json(&body).send().await
}

async fn user_with(server: &TestServer, token: &str) -> TestReply {
    let call = server.get("/api/v4/user");
    call.header("private-token", token).send().await
}

#[tokio::test]
async fn a_token_is_shown_once() {
    let server = TestServer::start().await;
    let bob = server.user("bob").await;
    let body = json!({
        "name": "laptop", "scopes": ["read_api", "api"], "description": "Mine",
        "expires_at": "2027-01-31",
    });
    let reply = create(&server, bob.id, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let made = reply.json();
    let plain = made["token"].as_str().unwrap();
    assert!(plain.starts_with("glpat-"));
    assert_eq!(made["scopes"], json!(["api", "read_api"]));
    assert_eq!(made["expires_at"], "2027-01-31");
    assert_eq!(
        (&made["active"], &made["revoked"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(user_with(&server, plain).await.json()["username"], "bob");

    let path = format!("/api/v4/personal_access_tokens/{}", made["id"]);
    let got = server.get(&path).root().send().await.json();
    assert_eq!(got["name"], "laptop");
    assert_eq!(got["description"], "Mine");
    assert_eq!(got["token"], Value::Null);
}

#[rstest]
#[case(json!({}), 400, json!({ "error": "name is missing, scopes is missing" }))]
#[case(json!({ "name": "x", "scopes": ["everything"] }), 400, json!({ "error": "scopes does not have a valid value" }))]
#[case(json!({ "name": "x", "scopes": ["api"], "expires_at": "soon" }), 400, json!({ "error": "expires_at is invalid" }))]
#[case(json!({ "name": "x", "scopes": [] }), 422, json!({ "message": "Scopes can't be blank" }))]
#[case(json!({ "name": " ", "scopes": ["api"] }), 422, json!({ "message": "Name can't be blank" }))]
#[tokio::test]
async fn a_token_that_cannot_be_is_refused(
    #[case] body: Value,
    #[case] status: u16,
    #[case] expected: Value,
) {
    let server = TestServer::start().await;
    assert_reply(&create(&server, 1, body).await, status, &expected);
}

#[tokio::test]
async fn a_token_lives_a_year_at_most_and_belongs_to_somebody() {
    let server = TestServer::start().await;
    let body = |end: &str| json!({ "name": "x", "scopes": "api", "expires_at": end });
    let late = create(&server, 1, body("2100-01-01")).await;
    assert_eq!(late.status, 422);
    assert!(late.text().contains("Expiration date must be before"));
    let nobody = create(&server, 99, body("2026-12-01")).await;
    assert_reply(&nobody, 404, &json!({ "message": "404 User Not Found" }));
}

#[rstest]
#[case(
    "revoked",
    "Token was revoked. You have to re-authorize from the user."
)]
#[case(
    "expired",
    "Token is expired. You can either do re-authorization or token refresh."
)]
#[tokio::test]
async fn a_token_that_was_good_once_says_why_it_is_not(
    #[case] how: &str,
    #[case] description: &str,
) {
    let server = TestServer::start().await;
    let bob = server.user("bob").await;
    let body = json!({
        "name": "old", "scopes": ["api"],
        "expires_at": (how == "expired").then_some("2020-01-01"),
    });
    let made = create(&server, bob.id, body).await.json();
    if how == "revoked" {
        let path = format!("/api/v4/personal_access_tokens/{}", made["id"]);
        let reply = server.request("DELETE", &path).root().send().await;
        assert_eq!(reply.status, 204, "{}", reply.text());
    }
    let reply = user_with(&server, made["token"].as_str().unwrap()).await;
    let body = json!({ "error": "invalid_token", "error_description": description });
    assert_reply(&reply, 401, &body);
}

#[rstest]
#[case("read_user", "GET", "/user", 200)]
#[case("read_user", "GET", "/version", 200)]
#[case("read_user", "GET", "/projects", 403)]
#[case("ai_features", "GET", "/metadata", 200)]
#[case("ai_features", "GET", "/user", 403)]
#[case("read_repository", "GET", "/version", 403)]
#[case("read_api", "GET", "/projects", 200)]
#[case("read_api", "POST", "/projects", 403)]
#[case("read_repository", "GET", "/personal_access_tokens/self", 200)]
#[case("read_repository", "POST", "/personal_access_tokens/self/rotate", 403)]
#[case("self_rotate", "POST", "/personal_access_tokens/self/rotate", 200)]
#[case("read_repository", "DELETE", "/personal_access_tokens/self", 204)]
#[tokio::test]
async fn a_token_reaches_as_far_as_its_scopes(
    #[case] scope: &str,
    #[case] method: &str,
    #[case] path: &str,
    #[case] status: u16,
) {
    let server = TestServer::start().await;
    let token = server.token_of(1, &[scope]).await;
    let call = server.request(method, &format!("/api/v4{path}"));
    let reply = call.header("private-token", &token).send().await;
    assert_eq!(reply.status, status, "{}", reply.text());
    if status == 403 {
        assert_eq!(reply.json()["error"], "insufficient_scope");
    }
}

#[tokio::test]
async fn a_rotated_token_ends_and_its_successor_lives_for_a_week() {
    let server = TestServer::start().await;
    let bob = server.user("bob").await;
    let rotate = server.post("/api/v4/personal_access_tokens/self/rotate");
    let reply = rotate.user(&bob).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let new = reply.json();
    assert!(new["expires_at"].is_string());
    let token = new["token"].as_str().unwrap();
    assert_eq!(user_with(&server, token).await.status, 200);
    assert_eq!(user_with(&server, &bob.token).await.status, 401);

    let list = server
        .get(&format!(
            "/api/v4/personal_access_tokens?user_id={}&revoked=true",
            bob.id
        ))
        .root()
        .send()
        .await
        .json();
    let old = format!("/api/v4/personal_access_tokens/{}/rotate", list[0]["id"]);
    let again = server.post(&old).root().send().await;
    let message = "400 Bad request - token already revoked";
    assert_reply(&again, 400, &json!({ "message": message }));
}

#[tokio::test]
async fn people_see_and_revoke_their_own_tokens_only() {
    let server = TestServer::start().await;
    let bob = server.user("bob").await;
    let base = "/api/v4/personal_access_tokens";
    let list = server.get(base).user(&bob).send().await.json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["user_id"], bob.id);

    let unauthorized = json!({ "message": "401 Unauthorized" });
    for path in [
        format!("{base}?user_id=1"),
        format!("{base}/1"),
        format!("{base}/99"),
    ] {
        assert_reply(
            &server.get(&path).user(&bob).send().await,
            401,
            &unauthorized,
        );
    }
    let delete = server.request("DELETE", &format!("{base}/1")).user(&bob);
    let message = "400 Bad request - Not permitted to revoke";
    assert_reply(&delete.send().await, 400, &json!({ "message": message }));
    let missing = server.get(&format!("{base}/99")).root().send().await;
    assert_reply(&missing, 404, &json!({ "message": "404 Not Found" }));
}

#[tokio::test]
async fn people_make_themselves_tokens_of_little_reach() {
    let server = TestServer::start().await;
    let bob = server.user("bob").await;
    let make = async |scope: &str| {
        let body = json!({ "name": "x", "scopes": [scope] });
        let call = server.post("/api/v4/user/personal_access_tokens");
        call.user(&bob).json(&body).send().await
    };
    let refused = make("api").await;
    let error = json!({ "error": "scopes does not have a valid value" });
    assert_reply(&refused, 400, &error);
    let made = make("self_rotate").await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(made.json()["expires_at"].is_string());
}

#[rstest]
#[case("bob", 200, json!("bob"))]
#[case("BOB", 200, json!("bob"))]
#[case("nobody", 404, json!("404 User with ID or username 'nobody' Not Found"))]
#[tokio::test]
async fn an_administrator_acts_as_somebody_else(
    #[case] who: &str,
    #[case] status: u16,
    #[case] expected: Value,
) {
    let server = TestServer::start().await;
    server.user("bob").await;
    let header = server.get("/api/v4/user").root().header("sudo", who);
    let parameter = server.get(&format!("/api/v4/user?sudo={who}")).root();
    for call in [header, parameter] {
        let reply = call.send().await;
        assert_eq!(reply.status, status, "{}", reply.text());
        let body = reply.json();
        let shown = if status == 200 { "username" } else { "message" };
        assert_eq!(body[shown], expected);
    }
}

#[tokio::test]
async fn sudo_is_for_administrators_with_that_scope() {
    let server = TestServer::start().await;
    let bob = server.user("bob").await;
    let sudo = async |token: &str| {
        let call = server.get("/api/v4/user?sudo=bob");
        call.header("private-token", token).send().await
    };
    let message = "403 Forbidden - Must be admin to use sudo";
    assert_reply(&sudo(&bob.token).await, 403, &json!({ "message": message }));
    let plain = server.token_of(1, &["api"]).await;
    assert_eq!(sudo(&plain).await.json()["scope"], "sudo");
    assert_eq!(sudo(ROOT_TOKEN).await.status, 200);
    let nobody = server.get("/api/v4/user?sudo=bob").send().await;
    assert_reply(&nobody, 401, &json!({ "message": "401 Unauthorized" }));
}
