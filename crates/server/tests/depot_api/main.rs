//! Scenarios of Depot's API against the real router: what its CLI and other Connect
//! clients send, and the exact codes they get.

mod transport;

use serde_json::Value;
use tappet_server::testing::{ROOT_TOKEN, TestReply, TestServer};

/// Calls a method of the service with JSON, as root.
async fn call(server: &TestServer, method: &str, body: &Value) -> TestReply {
    let path = format!("/depot.ci.v1.CIService/{method}");
    let token = format!("Bearer {ROOT_TOKEN}");
    let request = server.post(&path).header("authorization", &token);
    request.json(body).send().await
}

/// Status and code of a refusal.
fn refusal(reply: &TestReply) -> (u16, String) {
    assert_eq!(reply.header("content-type"), "application/json");
    let code = reply.json()["code"].as_str().map(str::to_owned);
    (reply.status, code.unwrap_or_default())
}
