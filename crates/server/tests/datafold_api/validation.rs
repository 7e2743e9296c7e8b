//! What is told of calls that are wrong: where, what, and in which order.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Scene, assert_refused, assert_reply, problem, problems};

#[rstest]
#[case("limit=abc", "int_parsing", "limit")]
#[case("limit=", "int_parsing", "limit")]
#[case("limit=1.5", "int_parsing", "limit")]
#[case("limit=0", "greater_than_equal", "limit")]
#[case("limit=-1", "greater_than_equal", "limit")]
#[case("limit=5&limit=0", "greater_than_equal", "limit")]
#[case("offset=-1", "greater_than_equal", "offset")]
#[case("offset=x", "int_parsing", "offset")]
#[tokio::test]
async fn parameters_of_the_list_are_checked(
    #[case] query: &str,
    #[case] kind: &str,
    #[case] name: &str,
) {
    let scene = Scene::new().await;
    let reply = scene.get(&scene.path(&format!("/runs?{query}"))).await;
    assert_eq!(problems(&reply), [problem(kind, json!(["query", name]))]);
}

#[rstest]
#[case("limit=0&limit=5")]
#[case("limit=1001")]
#[case("limit=999999999999999999999999")]
#[case("limit=%2B5&offset=1_0")]
#[case("limit=5.0")]
#[case("offset=999999999999999999999999")]
#[case("pr_sha=a%2Fb+c&pr_num=")]
#[case("unknown=1")]
#[tokio::test]
async fn what_can_be_understood_is_answered(#[case] query: &str) {
    let scene = Scene::new().await;
    let reply = scene.get(&scene.path(&format!("/runs?{query}"))).await;
    assert_reply(&reply, 200, &json!([]));
}

#[tokio::test]
async fn the_address_is_told_before_the_query_and_the_body() {
    let scene = Scene::new().await;
    let not_a_number = problem("int_parsing", json!(["path", "ci_config_id"]));
    let reply = scene.get("/api/v1/ci/abc/runs?limit=0").await;
    let limit = problem("greater_than_equal", json!(["query", "limit"]));
    assert_eq!(problems(&reply), [not_a_number.clone(), limit]);
    let reply = scene.post("/api/v1/ci/abc/x", &json!({})).await;
    let number = problem("int_parsing", json!(["path", "pr_num"]));
    let list = problem("list_type", json!(["body"]));
    assert_eq!(problems(&reply), [not_a_number, number, list]);
}

#[tokio::test]
async fn an_address_may_write_its_number_as_people_do() {
    let scene = Scene::new().await;
    let reply = scene
        .get(&format!("/api/v1/ci/{}.0/runs", scene.config))
        .await;
    assert_reply(&reply, 200, &json!([]));
}

#[tokio::test]
async fn posting_to_the_list_is_a_submission_without_a_number() {
    let scene = Scene::new().await;
    let reply = scene.post(&scene.path("/runs"), &json!([])).await;
    assert_eq!(
        problems(&reply),
        [problem("int_parsing", json!(["path", "pr_num"]))]
    );
}

#[rstest]
#[case::json(Some("application/json"), "[]", None)]
#[case::with_a_charset(Some("application/json; charset=utf-8"), "[]", None)]
#[case::a_kind_of_json(Some("application/vnd.x+json"), "[]", None)]
#[case::plain_text(Some("text/plain"), "[]", Some("list_type"))]
#[case::nothing_said(None, "[]", Some("list_type"))]
#[case::no_body(Some("application/json"), "", Some("missing"))]
#[case::null(Some("application/json"), "null", Some("missing"))]
#[case::another_type(Some("application/json"), "\"x\"", Some("list_type"))]
#[tokio::test]
async fn a_body_is_json_when_it_says_so(
    #[case] content_type: Option<&str>,
    #[case] body: &'static str,
    #[case] expected: Option<&str>,
) {
    let scene = Scene::new().await;
    let request = scene.request("POST", &scene.path("/6"));
    let request = match content_type {
        Some(content_type) => request.body(content_type, body),
        None => request.bytes(body),
    };
    let reply = request.send().await;
    match expected {
        Some(kind) => assert_eq!(problems(&reply), [problem(kind, json!(["body"]))]),
        None => assert_eq!(reply.status, 200, "{}", reply.text()),
    }
}

#[tokio::test]
async fn broken_json_is_told_with_the_place_where_it_breaks() {
    let scene = Scene::new().await;
    let request = scene.request("POST", &scene.path("/6"));
    let reply = request
        .body("application/json", "[{\"prod\":}]")
        .send()
        .await;
    let expected = json!({ "detail": [{
        "type": "json_invalid",
        "loc": ["body", 9],
        "msg": "JSON decode error",
        "input": {},
        "ctx": { "error": "Expecting value" },
    }] });
    assert_reply(&reply, 422, &expected);
}

#[rstest]
#[case::no_text(b"[\"\xff\"]".to_vec())]
#[case::too_deep(vec![b'['; 100_000])]
#[case::too_long_a_number(vec![b'9'; 5000])]
#[tokio::test]
async fn a_body_that_cannot_be_read_is_a_bad_request(#[case] body: Vec<u8>) {
    let scene = Scene::new().await;
    let request = scene.request("POST", &scene.path("/6"));
    let reply = request.body("application/json", body).send().await;
    assert_refused(&reply, 400, "There was an error parsing the body");
}

#[tokio::test]
async fn a_body_has_a_megabyte_at_most() {
    let scene = Scene::new().await;
    let request = scene.request("POST", &scene.path("/6"));
    let body = " ".repeat(1024 * 1024 + 1);
    let reply = request.body("application/json", body).send().await;
    assert_refused(
        &reply,
        413,
        "the body is larger than the limit of 1048576 bytes",
    );
}

#[tokio::test]
async fn what_may_hold_secrets_is_not_sent_back() {
    let scene = Scene::new().await;
    for body in [
        json!({ "password": "hunter2" }),
        json!([{ "prod": "a", "password": "hunter2" }]),
        json!("hunter2"),
    ] {
        let reply = scene.post(&scene.path("/6"), &body).await;
        assert_eq!(reply.status, 422);
        assert!(!reply.text().contains("hunter2"), "{}", reply.text());
    }
    let wrong: Value = scene.get("/api/v1/ci/abc/runs").await.json();
    assert_eq!(wrong["detail"][0]["input"], "abc");
}
