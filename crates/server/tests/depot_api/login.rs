//! `depot login`: a page that lets a program in.

use http::header::{COOKIE, SET_COOKIE};
use serde_json::{Value, json};
use tappet_server::testing::{ROOT_TOKEN, TestReply, TestServer};

use super::{refusal, rpc};

const SERVICE: &str = "depot.cli.v1beta1.LoginService";

/// A login that waits: its id and the path of its page.
async fn start(server: &TestServer) -> (String, String) {
    let reply = server.post(&format!("/{SERVICE}/StartLogin"));
    let reply = reply.json(&json!({})).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let started = reply.json();
    let id = started["id"].as_str().unwrap().to_owned();
    let url = started["approveUrl"].as_str().unwrap();
    let page = url.strip_prefix(&server.url()).unwrap().to_owned();
    (id, page)
}

/// Waits for the answer: the messages of the stream and its end.
async fn finish(server: &TestServer, id: &str) -> (Vec<Value>, Value) {
    let request = json!({ "id": id }).to_string();
    let mut body = vec![0];
    body.extend(u32::try_from(request.len()).unwrap().to_be_bytes());
    body.extend(request.as_bytes());
    let reply = server.post(&format!("/{SERVICE}/FinishLogin"));
    let reply = reply.body("application/connect+json", body).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let mut rest = &reply.body[..];
    let mut messages = Vec::new();
    loop {
        let length = u32::from_be_bytes(rest[1..5].try_into().unwrap());
        let (envelope, behind) = rest.split_at(5 + usize::try_from(length).unwrap());
        let value: Value = serde_json::from_slice(&envelope[5..]).unwrap();
        if envelope[0] & 2 != 0 {
            return (messages, value);
        }
        messages.push(value);
        rest = behind;
    }
}

/// The cookie of somebody who signed in with this token.
async fn sign_in(server: &TestServer, token: &str) -> String {
    let request = server
        .post("/-/sign_in")
        .header("sec-fetch-site", "same-origin");
    let reply = request.form(&format!("token={token}")).send().await;
    let cookie = reply.header(SET_COOKIE.as_str());
    cookie.split(';').next().unwrap().to_owned()
}

async fn answer(server: &TestServer, page: &str, cookie: &str, word: &str) -> TestReply {
    let request = server.post(page).header("sec-fetch-site", "same-origin");
    let request = request.header(COOKIE.as_str(), cookie);
    request.form(&format!("answer={word}")).send().await
}

#[tokio::test]
async fn who_is_approved_gets_a_token_that_works() {
    let server = TestServer::start().await;
    let (id, page) = start(&server).await;
    let cookie = sign_in(&server, ROOT_TOKEN).await;
    let shown = server
        .get(&page)
        .header(COOKIE.as_str(), &cookie)
        .send()
        .await;
    assert!(shown.text().contains("depot login"), "{}", shown.text());
    let approve = async { answer(&server, &page, &cookie, "approve").await };
    let ((messages, end), approved) = tokio::join!(finish(&server, &id), approve);
    assert_eq!(approved.status, 200, "{}", approved.text());
    assert_eq!(end, json!({}));
    let token = messages[0]["token"].as_str().unwrap();
    let method = "depot.core.v1.OrganizationService/ListOrganizations";
    let listed = rpc(&server, token, method, &json!({})).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    let (_, end) = finish(&server, &id).await;
    assert_eq!(end["error"]["code"], "not_found", "a token is given once");
}

#[tokio::test]
async fn who_is_denied_gets_nothing() {
    let server = TestServer::start().await;
    let (id, page) = start(&server).await;
    let cookie = sign_in(&server, ROOT_TOKEN).await;
    assert_eq!(answer(&server, &page, &cookie, "deny").await.status, 200);
    let (messages, end) = finish(&server, &id).await;
    assert!(messages.is_empty());
    assert_eq!(end["error"]["code"], "permission_denied");
    let late = answer(&server, &page, &cookie, "approve").await;
    assert_eq!(late.status, 404);
}

#[tokio::test]
async fn only_our_own_page_and_somebody_signed_in_can_approve() {
    let server = TestServer::start().await;
    let (_, page) = start(&server).await;
    let nobody = server.get(&page).send().await;
    assert_eq!(nobody.status, 303, "to the page that signs in");
    let cookie = sign_in(&server, ROOT_TOKEN).await;
    let foreign = server.post(&page).header("sec-fetch-site", "cross-site");
    let foreign = foreign.header(COOKIE.as_str(), &cookie);
    let foreign = foreign.form("answer=approve").send().await;
    assert_eq!(foreign.status, 403);
    let neither = answer(&server, &page, &cookie, "perhaps").await;
    assert_eq!(neither.status, 400);
    let unknown = answer(&server, "/-/depot/login/none", &cookie, "approve").await;
    assert_eq!(unknown.status, 404);
    assert_eq!(answer(&server, &page, &cookie, "approve").await.status, 200);
}

#[tokio::test]
async fn an_unknown_login_is_not_found() {
    let server = TestServer::start().await;
    let (_, end) = finish(&server, "none").await;
    assert_eq!(end["error"]["code"], "not_found");
    let bad = server.post(&format!("/{SERVICE}/StartLogin"));
    let bad = bad.header("authorization", "Bearer wrong");
    let bad = bad.json(&json!({})).send().await;
    assert_eq!(
        refusal(&bad).0,
        401,
        "a credential that is shown must be good"
    );
}
