//! The GitLab Runner protocol as a runner meets it, over HTTP against the real
//! router. The tests play the runner.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod artifacts;
mod cancel;
mod environments;
mod hand_out;
mod log;
mod named_artifacts;
mod payload;
mod processes;
mod pull_requests;
mod report;
mod runner;
mod settings_variables;
mod verify;
mod workflows;

use serde_json::{Value, json};
use tappet_server::testing::{TestReply, TestServer};

/// One job.
const ONE_JOB: &str = "job:\n  script: make\n";

/// A server with one project, `acme/web`.
struct Scene {
    server: TestServer,
    project: i64,
}

impl Scene {
    /// With this pipeline file.
    async fn new(file: &str) -> Self {
        Self::on(TestServer::start().await, file).await
    }

    async fn on(server: TestServer, file: &str) -> Self {
        let project = server
            .project("acme/web", &[(".gitlab-ci.yml", file)])
            .await;
        Self { server, project }
    }

    /// Starts a run; gives its id.
    async fn run(&self) -> i64 {
        self.run_with(json!({})).await
    }

    /// Starts a run with these variables.
    async fn run_with(&self, variables: Value) -> i64 {
        self.run_on("main", variables).await
    }

    /// Starts a run of a branch or tag.
    async fn run_on(&self, name: &str, variables: Value) -> i64 {
        run_of(&self.server, self.project, name, variables).await
    }

    /// The newest attempt of a job of a run, as the API shows it.
    async fn job(&self, run: i64, name: &str) -> Value {
        let path = format!("/api/v4/projects/{}/pipelines/{run}/jobs", self.project);
        let reply = self.server.get(&path).root().send().await;
        let jobs = reply.json();
        let job = jobs
            .as_array()
            .unwrap()
            .iter()
            .find(|job| job["name"] == name);
        job.unwrap_or_else(|| panic!("no job {name} in {jobs}"))
            .clone()
    }

    /// Any attempt, as the API shows it.
    async fn attempt(&self, id: i64) -> Value {
        let path = format!("/api/v4/projects/{}/jobs/{id}", self.project);
        self.server.get(&path).root().send().await.json()
    }

    async fn status(&self, id: i64) -> String {
        let attempt = self.attempt(id).await;
        attempt["status"].as_str().unwrap().to_owned()
    }

    /// The stored log of an attempt.
    async fn log(&self, id: i64) -> String {
        let path = format!("/api/v4/projects/{}/jobs/{id}/trace", self.project);
        self.server.get(&path).root().send().await.text()
    }

    async fn cancel(&self, id: i64) {
        let path = format!("/api/v4/projects/{}/jobs/{id}/cancel", self.project);
        let reply = self.server.post(&path).root().send().await;
        assert_eq!(reply.status, 201, "{}", reply.text());
    }
}

/// Starts a run of a project; gives its id.
async fn run_of(server: &TestServer, project: i64, name: &str, variables: Value) -> i64 {
    let token = server.trigger(project).await;
    let body = json!({ "token": token, "ref": name, "variables": variables });
    let path = format!("/api/v4/projects/{project}/trigger/pipeline");
    let reply = server.post(&path).json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["id"].as_i64().unwrap()
}

/// Gives others their turn until it is so.
async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), waiting)
        .await
        .expect("it becomes so");
}

/// Checks that the attempt is over for its runner.
#[track_caller]
fn assert_over(reply: &TestReply, status: &str) {
    assert_eq!((reply.status, reply.header("job-status")), (403, status));
}
