//! What Connect says about requests before any method looks at them.

use rstest::rstest;
use serde_json::json;
use tappet_server::testing::TestServer;

use super::{call, code, refusal, request};

const RUN: &str = "/depot.ci.v1.CIService/GetRun";

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let server = TestServer::start().await;
    let reply = call(&server, "Frobnicate", &json!({})).await;
    assert_eq!(refusal(&reply), code(404, "unimplemented"));
}

#[tokio::test]
async fn unknown_services_and_deeper_paths_are_unimplemented_too() {
    let server = TestServer::start().await;
    for path in [
        "/depot.ci.v9.Nothing/Run",
        "/depot.ci.v1.CIService",
        "/depot.x/y/z",
    ] {
        let reply = server.post(path).json(&json!({})).send().await;
        assert_eq!(refusal(&reply), code(404, "unimplemented"), "{path}");
    }
}

#[rstest]
#[case::none(None, "unauthenticated")]
#[case::empty(Some("Bearer "), "unauthenticated")]
#[case::wrong(Some("Bearer glpat-nobody"), "unauthenticated")]
#[case::of_another_kind(Some("Basic cm9vdDp4"), "unauthenticated")]
#[tokio::test]
async fn nobody_gets_in_without_a_good_token(#[case] value: Option<&str>, #[case] word: &str) {
    let server = TestServer::start().await;
    let mut call = server.post(RUN);
    if let Some(value) = value {
        call = call.header("authorization", value);
    }
    let reply = call.json(&json!({ "runId": "r1" })).send().await;
    assert_eq!(refusal(&reply), code(401, word));
}

#[tokio::test]
async fn there_is_one_organisation() {
    let server = TestServer::start().await;
    let call = async |organisation: &str| {
        let call = request(&server, "ListRuns").header("x-depot-org", organisation);
        call.json(&json!({})).send().await
    };
    assert_eq!(call("org_1").await.status, 200);
    assert_eq!(
        refusal(&call("org_2").await),
        code(403, "permission_denied")
    );
}

#[tokio::test]
async fn other_verbs_are_not_allowed() {
    let server = TestServer::start().await;
    for method in ["GET", "PUT", "DELETE"] {
        let reply = server.request(method, RUN).send().await;
        assert_eq!(reply.status, 405, "{method}");
    }
}

#[tokio::test]
async fn the_protocol_version_may_be_missing_but_not_another() {
    let server = TestServer::start().await;
    let call = async |version: &str| {
        let call = request(&server, "ListRuns").header("connect-protocol-version", version);
        call.json(&json!({})).send().await
    };
    assert_eq!(call("1").await.status, 200);
    assert_eq!(refusal(&call("2").await), code(400, "invalid_argument"));
}

#[tokio::test]
async fn a_body_of_another_kind_is_told_what_is_accepted() {
    let server = TestServer::start().await;
    for kind in ["text/plain", "application/foo", "image/jpeg"] {
        let call = request(&server, "ListRuns").body(kind, "{}");
        let reply = call.send().await;
        assert_eq!(reply.status, 415, "{kind}");
        assert!(reply.header("accept-post").contains("application/proto"));
    }
}

#[rstest]
#[case::no_json("{")]
#[case::wrong_type("{\"pageSize\":\"many\"}")]
#[case::text("\"r1\"")]
#[tokio::test]
async fn malformed_json_is_an_invalid_argument(#[case] body: &'static str) {
    let server = TestServer::start().await;
    let call = request(&server, "ListRuns").body("application/json", body);
    assert_eq!(refusal(&call.send().await), code(400, "invalid_argument"));
}

#[tokio::test]
async fn both_spellings_of_a_field_and_nulls_are_taken() {
    let server = TestServer::start().await;
    for body in [
        json!({ "pageSize": 1, "repo": null }),
        json!({ "page_size": 1 }),
        json!({ "unknownField": { "a": [1] } }),
    ] {
        let reply = call(&server, "ListRuns", &body).await;
        assert_eq!(reply.status, 200, "{body}: {}", reply.text());
    }
}

#[rstest]
// Field 1 is a text of 9 bytes, of which 2 follow.
#[case::cut(b"\x0a\x09r1")]
#[case::no_message(b"\xff\xff\xff\xff")]
#[tokio::test]
async fn truncated_proto_is_an_invalid_argument(#[case] body: &'static [u8]) {
    let server = TestServer::start().await;
    let call = request(&server, "GetRun").body("application/proto", body);
    assert_eq!(refusal(&call.send().await), code(400, "invalid_argument"));
}

#[tokio::test]
async fn proto_is_answered_with_exactly_its_own_type() {
    let server = TestServer::start().await;
    let reply = request(&server, "ListRuns")
        .body("application/proto", "")
        .send()
        .await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "application/proto");
    let refused = request(&server, "GetRun").body("application/proto", "\x0a\x02r9");
    assert_eq!(refusal(&refused.send().await), code(404, "not_found"));
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_resource_exhausted() {
    let server = TestServer::start().await;
    let body = json!({ "repo": "acme/web", "workflowContent": ["#".repeat(5 * 1024 * 1024)] });
    let reply = call(&server, "Run", &body).await;
    assert_eq!(refusal(&reply), code(429, "resource_exhausted"));
}

#[tokio::test]
async fn compressed_requests_are_read_when_the_compression_is_known() {
    use std::io::Write;

    let server = TestServer::start().await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"{}").unwrap();
    let call = request(&server, "ListRuns").header("content-encoding", "gzip");
    let reply = call.body("application/json", encoder.finish().unwrap());
    assert_eq!(reply.send().await.status, 200);
    let call = request(&server, "ListRuns").header("content-encoding", "br");
    let reply = call.body("application/json", "{}").send().await;
    assert_eq!(refusal(&reply), code(501, "unimplemented"));
}

#[tokio::test]
async fn a_timeout_of_the_client_must_be_a_number() {
    let server = TestServer::start().await;
    let call = request(&server, "ListRuns").header("connect-timeout-ms", "5000");
    assert_eq!(call.json(&json!({})).send().await.status, 200);
}

#[tokio::test]
async fn too_many_calls_in_a_minute_are_resource_exhausted() {
    let server = TestServer::start_with(|config| config.limits.calls_per_minute = 2).await;
    for _ in 0..2 {
        assert_eq!(call(&server, "ListRuns", &json!({})).await.status, 200);
    }
    let reply = call(&server, "ListRuns", &json!({})).await;
    assert_eq!(refusal(&reply), code(429, "resource_exhausted"));
    assert!(!reply.header("retry-after").is_empty());
}

#[tokio::test]
async fn no_terminals_are_opened() {
    let server = TestServer::start().await;
    let reply = server
        .post("/depot.ci.v1.DepotComputeService/RemoteExec")
        .header("authorization", "Bearer glpat-test-root-token")
        .body(
            "application/connect+json",
            super::envelopes::envelope(0, b"{}"),
        )
        .send()
        .await;
    let error = super::envelopes::end(&reply.body)["error"].clone();
    assert_eq!(error["code"], "unimplemented");
    assert!(error["message"].as_str().unwrap().contains("depot ci logs"));
}
