//! A runner that takes a job and ends it as a test says.

use serde_json::{Value, json};
use tappet_server::testing::TestServer;

/// A job that was handed out, with all that its runner is told.
pub struct Taken<'a> {
    server: &'a TestServer,
    pub payload: Value,
}

/// Takes the job that comes next.
pub async fn take(server: &TestServer) -> Taken<'_> {
    let body = json!({ "token": server.runner_token(), "system_id": "s_test" });
    let reply = server.post("/api/v4/jobs/request").json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    Taken {
        server,
        payload: reply.json(),
    }
}

impl Taken<'_> {
    /// Ends the job with `success` or `failed`.
    pub async fn end(&self, state: &str) {
        let path = format!("/api/v4/jobs/{}", self.payload["id"]);
        let body = json!({ "token": self.payload["token"], "state": state });
        let reply = self.server.request("PUT", &path).json(&body).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}
