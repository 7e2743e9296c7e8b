//! Scenarios of Datafold's API against the real router: what `datafold-sdk` and other
//! clients send, and the exact answers they get.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod approval;
mod ci_configs;
mod dbt_artifacts;
mod doors;
mod primary_keys;
mod runner;
mod runs;
mod small_calls;
mod submit;
mod trigger;
mod validation;

use serde_json::{Value, json};
use tappet_server::testing::{ROOT_TOKEN, TestReply, TestRequest, TestServer, commit, git};

/// A pipeline for anything.
const PIPELINE: (&str, &str) = (".gitlab-ci.yml", "build:\n  script: make\n");

/// A pull request with a commit of its own.
struct Changes {
    branch: &'static str,
    head: String,
    base: String,
}

impl Changes {
    /// What `ci trigger` sends.
    fn as_request(&self, number: i64) -> Value {
        json!({
            "pr_number": number,
            "base_branch": "main",
            "base_sha": self.base,
            "pr_sha": self.head,
            "pr_branch": self.branch,
        })
    }
}

/// A server with one project, `acme/web`, and its CI config.
struct Scene {
    server: TestServer,
    project: i64,
    config: i64,
}

impl Scene {
    async fn new() -> Self {
        Self::on(TestServer::start().await).await
    }

    async fn on(server: TestServer) -> Self {
        let project = server.project("acme/web", &[PIPELINE]).await;
        let shown = server.get(&format!("/api/v4/projects/{project}")).root();
        let config = shown.send().await.json()["ci_configs"][0]["id"].as_i64();
        Self {
            config: config.unwrap(),
            server,
            project,
        }
    }

    /// An address below the scene's CI config.
    fn path(&self, rest: &str) -> String {
        format!("/api/v1/ci/{}{rest}", self.config)
    }

    /// A new commit on a branch that begins where `main` stands.
    fn changes(&self, branch: &'static str) -> Changes {
        let repository = self.server.scratch().join("repositories/acme-web");
        let base = git(&repository, &["rev-parse", "main"]);
        let exists = !git(&repository, &["branch", "--list", branch]).is_empty();
        match exists {
            true => git(&repository, &["checkout", "--quiet", branch]),
            false => git(&repository, &["checkout", "--quiet", "-b", branch, "main"]),
        };
        let head = commit(&repository, &[], "Change something");
        git(&repository, &["checkout", "--quiet", "main"]);
        Changes { branch, head, base }
    }

    /// Starts a run of pull request 6; gives its number.
    async fn start(&self, changes: &Changes) -> i64 {
        let body = changes.as_request(6);
        let reply = self.post(&self.path("/trigger"), &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["ci_run_id"].as_i64().unwrap()
    }

    /// Sets something on the scene's CI config.
    async fn configure(&self, change: Value) {
        let request = self.request("PATCH", &self.path(""));
        let reply = request.json(&change).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// The runs of the CI config, as the list tells them.
    async fn runs(&self, query: &str) -> Vec<Value> {
        let reply = self.get(&self.path(&format!("/runs{query}"))).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json().as_array().unwrap().clone()
    }

    /// Where a run stands, in Datafold's words.
    async fn status(&self, run: i64) -> String {
        let shown = self.get(&format!("/api/v1/ci/runs/{run}")).await.json();
        let status = shown["status"].as_str().map(str::to_owned);
        assert!(
            self.runs("")
                .await
                .iter()
                .any(|one| { one["id"] == run && one["status"] == shown["status"] })
        );
        status.unwrap()
    }

    /// A request as Datafold's clients sign it.
    fn request(&self, method: &str, path: &str) -> TestRequest {
        signed(self.server.request(method, path), ROOT_TOKEN)
    }

    async fn get(&self, path: &str) -> TestReply {
        self.request("GET", path).send().await
    }

    async fn post(&self, path: &str, body: &Value) -> TestReply {
        self.request("POST", path).json(body).send().await
    }
}

/// With an API key.
fn signed(request: TestRequest, token: &str) -> TestRequest {
    request.header("authorization", &format!("Key {token}"))
}

#[track_caller]
fn assert_reply(reply: &TestReply, status: u16, body: &Value) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(&reply.json(), body);
    assert_eq!(reply.header("content-type"), "application/json");
}

/// A refusal with a text.
#[track_caller]
fn assert_refused(reply: &TestReply, status: u16, detail: &str) {
    assert_reply(reply, status, &json!({ "detail": detail }));
}

/// Kind and place of everything that a 422 tells.
#[track_caller]
fn problems(reply: &TestReply) -> Vec<(String, Value)> {
    assert_eq!(reply.status, 422, "{}", reply.text());
    let body = reply.json();
    let problems = body["detail"].as_array().unwrap().iter();
    problems
        .map(|problem| {
            let kind = problem["type"].as_str().unwrap();
            (kind.to_owned(), problem["loc"].clone())
        })
        .collect()
}

/// One of [`problems`].
fn problem(kind: &str, place: Value) -> (String, Value) {
    (kind.to_owned(), place)
}
