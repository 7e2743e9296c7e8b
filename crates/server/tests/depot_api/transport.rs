//! What Connect says about requests before any method looks at them.

use serde_json::json;
use tappet_server::testing::TestServer;

use super::{call, refusal};

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let server = TestServer::start().await;
    let reply = call(&server, "Frobnicate", &json!({})).await;
    assert_eq!(refusal(&reply), (404, "unimplemented".to_owned()));
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
        assert_eq!(refusal(&reply), (404, "unimplemented".to_owned()), "{path}");
    }
}
