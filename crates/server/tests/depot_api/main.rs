//! Scenarios of Depot's API against the real router: what its CLI and other Connect
//! clients send, and the exact codes they get.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod artifacts;
mod cache;
mod diagnosis;
mod envelopes;
mod json_only;
mod login;
mod logs;
mod migration;
mod older_settings;
mod organization;
mod protocols;
mod rights;
mod runs;
mod secrets;
mod start;
mod steering;
mod transport;
mod variables;
mod workflows;

#[path = "../gitlab_api/runner.rs"]
mod runner;

use serde_json::{Value, json};
use tappet_server::testing::{ROOT_TOKEN, TestReply, TestRequest, TestServer};

/// Two stages: `build`, and `test`, which waits for it.
const PIPELINE: (&str, &str) = (
    ".gitlab-ci.yml",
    "stages: [build, test]\n\
     build:\n  stage: build\n  script: make\n\
     test:\n  stage: test\n  script: make test\n",
);

/// A server with one project, `acme/web`.
struct Scene {
    server: TestServer,
    project: i64,
}

impl Scene {
    async fn new() -> Self {
        Self::with_file(PIPELINE).await
    }

    async fn with_file(file: (&str, &str)) -> Self {
        let server = TestServer::start().await;
        let project = server.project("acme/web", &[file]).await;
        Self { server, project }
    }

    /// A new run on `main`, by its number.
    async fn start(&self) -> i64 {
        let path = format!("/api/v4/projects/{}/pipeline", self.project);
        let body = json!({ "ref": "main" });
        let reply = self.server.post(&path).root().json(&body).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["id"].as_i64().unwrap()
    }

    /// Calls a method with JSON, as root.
    async fn call(&self, method: &str, body: Value) -> TestReply {
        call(&self.server, method, &body).await
    }

    /// The same, which must go well.
    async fn ask(&self, method: &str, body: Value) -> Value {
        let reply = self.call(method, body).await;
        assert_eq!(reply.status, 200, "{method}: {}", reply.text());
        reply.json()
    }

    /// The same, which must be refused: status and code.
    async fn refused(&self, method: &str, body: Value) -> (u16, String) {
        refusal(&self.call(method, body).await)
    }

    /// The tree of a run.
    async fn tree(&self, run: i64) -> Value {
        self.ask("GetRunStatus", json!({ "runId": format!("r{run}") }))
            .await
    }

    /// Id of the workflow of a run.
    async fn workflow(&self, run: i64) -> String {
        text(&self.tree(run).await["workflows"][0]["workflowId"])
    }

    /// Id of a job of a run.
    async fn job(&self, run: i64, index: usize) -> String {
        text(&self.tree(run).await["workflows"][0]["jobs"][index]["jobId"])
    }

    /// Takes the next job and lets it print and end.
    async fn work(&self, log: &str, state: &str) -> String {
        let job = runner::take(&self.server).await;
        job.log(0, log.as_bytes()).await;
        job.end(state).await;
        format!("a{}", job.id)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A request to a method, as root.
fn request(server: &TestServer, method: &str) -> TestRequest {
    let path = format!("/depot.ci.v1.CIService/{method}");
    let token = format!("Bearer {ROOT_TOKEN}");
    server.post(&path).header("authorization", &token)
}

/// Calls a method with JSON, as root.
async fn call(server: &TestServer, method: &str, body: &Value) -> TestReply {
    request(server, method).json(body).send().await
}

/// Calls a method by its whole name, `depot.ci.v3beta2.SecretService/GetSecret`,
/// with this token.
async fn rpc(server: &TestServer, token: &str, method: &str, body: &Value) -> TestReply {
    let request = server.post(&format!("/{method}"));
    let request = request.header("authorization", &format!("Bearer {token}"));
    request.json(body).send().await
}

/// The same as root; it must go well.
async fn done(server: &TestServer, method: &str, body: &Value) -> Value {
    let reply = rpc(server, ROOT_TOKEN, method, body).await;
    assert_eq!(reply.status, 200, "{method} {body}: {}", reply.text());
    reply.json()
}

/// Status and code of a refusal.
fn refusal(reply: &TestReply) -> (u16, String) {
    let text = reply.text();
    assert_eq!(reply.header("content-type"), "application/json", "{text}");
    let code = reply.json()["code"].as_str().map(str::to_owned);
    (reply.status, code.unwrap_or_default())
}

/// What a refusal should be.
fn code(status: u16, word: &str) -> (u16, String) {
    (status, word.to_owned())
}
