//! Calls of Datafold's clients that say and keep little.

use serde_json::json;
use tappet_server::testing::{ROOT_TOKEN, TestServer};

use super::{Scene, assert_reply};

#[tokio::test]
async fn the_organization_and_the_caller_are_told() {
    let scene = Scene::new().await;
    let reply = scene.get("/api/v1/organization/meta").await;
    let expected = json!({ "org_id": 1, "org_name": "Tappet", "user_id": 1 });
    assert_reply(&reply, 200, &expected);
}

#[tokio::test]
async fn there_are_no_databases_to_compare_in() {
    let scene = Scene::new().await;
    assert_reply(&scene.get("/api/v1/data_sources").await, 200, &json!([]));
}

#[tokio::test]
async fn what_the_sdk_logs_is_taken_from_anybody_and_kept_nowhere() {
    let server = TestServer::start().await;
    let body = json!({ "hostname": "h", "service": "datafold-sdk", "logs": ["of-the-sdk"] });
    for body in [
        body.to_string(),
        "no json".to_owned(),
        "x".repeat(3_000_000),
    ] {
        let request = server.post("/api/internal/sdk/log");
        let request = request.header("authorization", &format!("Key {ROOT_TOKEN}"));
        let reply = request.body("application/json", body).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let mut open = vec![server.data_dir().to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                let found = bytes.windows(10).any(|window| window == b"of-the-sdk");
                assert!(!found, "{}", path.display());
            }
        }
    }
}
