//! Limits that people set, and how those who meet them are answered.

use serde_json::json;
use tappet_server::testing::TestServer;

const FILE: &str = "job:\n  script: echo hi\n";

#[tokio::test]
async fn too_many_runs_of_one_commit_in_a_minute_are_refused_as_gitlab_does() {
    let server = TestServer::start_with(|config| config.limits.runs_per_minute = 2).await;
    let project = server
        .project("acme/web", &[(".gitlab-ci.yml", FILE)])
        .await;
    let start = async || {
        let path = format!("/api/v4/projects/{project}/pipeline");
        server.post(&path).root().form("ref=main").send().await
    };
    assert_eq!(start().await.status, 201);
    assert_eq!(start().await.status, 201);
    let refused = start().await;
    assert_eq!(refused.status, 400);
    let text = "Too many pipelines created in the last minute. Try again later.";
    assert_eq!(refused.json(), json!({ "message": { "base": [text] } }));
}

#[tokio::test]
async fn too_many_calls_are_told_when_to_come_back() {
    let server = TestServer::start_with(|config| config.limits.calls_per_minute = 3).await;
    for _ in 0..3 {
        assert_eq!(server.get("/api/v4/user").root().send().await.status, 200);
    }
    let refused = server.get("/api/v4/user").root().send().await;
    assert_eq!(refused.status, 429);
    let text = "This endpoint has been requested too many times. Try again later.";
    assert_eq!(refused.json(), json!({ "message": { "error": text } }));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(refused.header("ratelimit-remaining"), "0");
    // Each credential has its own minute.
    let other = server.get("/api/v4/user").header("PRIVATE-TOKEN", "other");
    assert_eq!(other.send().await.status, 401);
}

#[tokio::test]
async fn who_guesses_tokens_runs_out_of_guesses_though_each_is_another_one() {
    let server = TestServer::start_with(|config| config.limits.calls_per_minute = 3).await;
    let guess = async |nth: u32| {
        let token = format!("glpat-guess-{nth}");
        let request = server.get("/api/v4/user").header("private-token", &token);
        request.send().await.status
    };
    for nth in 0..3 {
        assert_eq!(guess(nth).await, 401);
    }
    for nth in 3..10 {
        assert_eq!(guess(nth).await, 429);
    }
}

#[tokio::test]
async fn callers_behind_a_trusted_proxy_are_told_apart_and_nobody_else() {
    let call = async |server: &TestServer, from: &str| {
        let request = server.get("/api/v4/user").header("x-forwarded-for", from);
        request.send().await.status
    };
    let server = TestServer::start_with(|config| config.limits.calls_per_minute = 1).await;
    assert_eq!(call(&server, "192.0.2.1").await, 401);
    assert_eq!(call(&server, "192.0.2.2").await, 429);
    let server = TestServer::start_with(|config| {
        config.limits.calls_per_minute = 1;
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    assert_eq!(call(&server, "192.0.2.1").await, 401);
    assert_eq!(call(&server, "192.0.2.2").await, 401);
    assert_eq!(call(&server, "192.0.2.3, 192.0.2.2").await, 429);
}
