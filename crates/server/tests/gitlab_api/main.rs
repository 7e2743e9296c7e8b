//! Scenarios of the GitLab API against the real router: statuses and bodies that
//! scripts and clients rely on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access_tokens;
mod artifact_changes;
mod audit_log;
mod backup;
mod commit_statuses;
mod conventions;
mod coverage;
mod credentials;
mod delayed_jobs;
mod etags;
mod every_operation;
mod forge_binding;
mod forge_pull_requests;
mod forge_scene;
mod forge_statuses;
mod forge_webhooks;
mod forged_requests;
mod hook_ends;
mod hook_guards;
mod hooks;
mod hostile_values;
mod idempotency;
mod job_actions;
mod job_artifacts;
mod job_logs;
mod job_rights;
mod job_tokens;
mod jobs;
mod limits;
mod lint;
mod lookup;
mod members;
mod misused_tokens;
mod operations;
mod order_of_checks;
mod person;
mod pipeline_changes;
mod pipeline_schedules;
mod pipelines;
mod project_jobs;
mod project_settings;
mod projects;
mod protected_refs;
mod push_hook;
mod repository;
mod retention;
mod runner;
mod schedule_runs;
mod settings_variables;
mod strangers;
mod test_report;
mod trigger;
mod trigger_owners;
mod trigger_refusals;
mod trigger_tokens;
mod users;
mod v3;
mod visibility;

use serde_json::Value;
use tappet_server::testing::{TestReply, TestServer};

/// Two stages, one job each.
const PIPELINE: (&str, &str) = (
    ".gitlab-ci.yml",
    "stages: [build, test]\n\
     build:\n  stage: build\n  script: make\n\
     test:\n  stage: test\n  script: make test\n",
);

/// A server with one project, `acme/web`, that has a pipeline file.
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

    /// An address of the project's API.
    fn path(&self, rest: &str) -> String {
        format!("/api/v4/projects/{}{rest}", self.project)
    }

    async fn get(&self, rest: &str) -> TestReply {
        self.server.get(&self.path(rest)).root().send().await
    }

    async fn post(&self, rest: &str) -> TestReply {
        self.server.post(&self.path(rest)).root().send().await
    }

    /// Starts a run with a new trigger token; gives its id.
    async fn run(&self) -> i64 {
        self.run_with("ref=main").await
    }

    async fn run_with(&self, form: &str) -> i64 {
        let token = self.server.trigger(self.project).await;
        let reply = self
            .server
            .post(&self.path("/trigger/pipeline"))
            .form(&format!("token={token}&{form}"))
            .send()
            .await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["id"].as_i64().unwrap()
    }

    /// The newest attempt of a job of a run.
    async fn job(&self, run: i64, name: &str) -> Value {
        let reply = self.get(&format!("/pipelines/{run}/jobs")).await;
        let jobs = reply.json();
        let job = jobs
            .as_array()
            .unwrap()
            .iter()
            .find(|job| job["name"] == name);
        job.unwrap_or_else(|| panic!("no job {name} in {jobs}"))
            .clone()
    }

    async fn job_id(&self, run: i64, name: &str) -> i64 {
        self.job(run, name).await["id"].as_i64().unwrap()
    }

    /// How many runs the project has.
    async fn runs(&self) -> usize {
        self.get("/pipelines")
            .await
            .json()
            .as_array()
            .unwrap()
            .len()
    }
}

/// Checks status and whole body.
#[track_caller]
fn assert_reply(reply: &TestReply, status: u16, body: &Value) {
    assert_eq!((reply.status, &reply.json()), (status, body));
}
