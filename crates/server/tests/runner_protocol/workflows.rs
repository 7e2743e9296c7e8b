//! Jobs of workflows: what our own runner is told of them, and how what it tells
//! decides about later ones.

use serde_json::{Value, json};
use tappet_server::testing::{ROOT_TOKEN, TestReply, TestServer};

use crate::runner::{Runner, Taken};

/// A server with the project `acme/web` and a run of these workflows in it.
struct Scene {
    server: TestServer,
    project: i64,
    run: i64,
}

impl Scene {
    async fn new(workflow: &str) -> Self {
        Self::of(json!({ "workflowContent": [workflow] })).await
    }

    /// With a call of `Run` for `acme/web`.
    async fn of(call: Value) -> Self {
        Self::on(TestServer::start().await, call).await
    }

    async fn on(server: TestServer, mut call: Value) -> Self {
        let project = server.project("acme/web", &[("README.md", "hi")]).await;
        call["repo"] = json!("acme/web");
        let reply = server
            .post("/depot.ci.v1.CIService/Run")
            .header("authorization", &format!("Bearer {ROOT_TOKEN}"))
            .json(&call)
            .send()
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let run = reply.json()["runId"].as_str().unwrap()[1..]
            .parse()
            .unwrap();
        Self {
            server,
            project,
            run,
        }
    }

    /// A call of `CIService`.
    async fn call(&self, method: &str, message: &Value) -> TestReply {
        self.server
            .post(&format!("/depot.ci.v1.CIService/{method}"))
            .header("authorization", &format!("Bearer {ROOT_TOKEN}"))
            .json(message)
            .send()
            .await
    }

    async fn take(&self) -> Taken {
        Runner::default().with_steps().take(&self.server).await
    }

    /// Takes the next job and ends it well, having put this out.
    async fn pass(&self, outputs: Value) -> Taken {
        let job = self.take().await;
        let update = json!({ "state": "success", "tappet": { "outputs": outputs } });
        let reply = job.put(&self.server, update).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        job
    }

    /// Takes the next job and lets it fail.
    async fn fail(&self) {
        self.take().await.report(&self.server, "failed").await;
    }

    /// `name: status` of all jobs of the run, by name.
    async fn jobs(&self) -> Vec<String> {
        let path = format!(
            "/api/v4/projects/{}/pipelines/{}/jobs",
            self.project, self.run
        );
        let jobs = self.server.get(&path).root().send().await.json();
        let mut jobs: Vec<String> = jobs
            .as_array()
            .unwrap()
            .iter()
            .map(|job| format!("{}: {}", job["name"], job["status"]).replace('"', ""))
            .collect();
        jobs.sort();
        jobs
    }

    /// The same once none of them waits for a decision.
    async fn decided_jobs(&self) -> Vec<String> {
        let deciding = async {
            loop {
                let jobs = self.jobs().await;
                if !jobs.iter().any(|job| job.ends_with("waiting_for_callback")) {
                    return jobs;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), deciding)
            .await
            .expect("the decisions are made")
    }
}

fn key(job: &Taken) -> &str {
    job.payload["tappet"]["job"]["key"].as_str().unwrap()
}

const CHAIN: &str = "
on: push
env: {LEVEL: workflow}
jobs:
  first:
    runs-on: ubuntu-latest
    outputs: {version: '${{ steps.v.outputs.version }}'}
    steps: [{id: v, run: make version}]
  second:
    runs-on: ubuntu-latest
    needs: first
    steps: [{run: make}]
";

#[tokio::test]
async fn a_runner_is_told_the_job_and_its_contexts() {
    let scene = Scene::new(CHAIN).await;
    let job = scene.take().await;
    let told = &job.payload["tappet"];
    assert_eq!(told["job"]["key"], "first");
    assert_eq!(
        told["job"]["env"],
        json!([{ "name": "LEVEL", "value": "workflow" }])
    );
    assert_eq!(told["job"]["steps"][0]["id"], "v");
    let github = &told["contexts"]["github"];
    assert_eq!(github["repository"], "acme/web");
    assert_eq!(github["event_name"], "api");
    assert_eq!(github["ref"], "refs/heads/main");
    assert_eq!(github["job"], "first");
    assert_eq!(github["run_id"], scene.run.to_string());
    assert_eq!(github["run_attempt"], "1");
    assert_eq!(github["token"], job.token);
    assert_eq!(github["event"]["repository"]["full_name"], "acme/web");
    assert_eq!(told["contexts"]["secrets"]["GITHUB_TOKEN"], job.token);
    assert_eq!(told["contexts"]["needs"], json!({}));
}

const WITH_INPUT: &str = "
on:
  workflow_dispatch:
    inputs:
      level: {default: low}
jobs:
  only: {runs-on: ubuntu-latest, steps: [{run: make}]}
";

#[tokio::test]
async fn a_run_of_the_api_has_the_defaults_of_its_inputs() {
    let job = Scene::new(WITH_INPUT).await.take().await;
    let contexts = &job.payload["tappet"]["contexts"];
    assert_eq!(contexts["inputs"], json!({ "level": "low" }));
}

#[tokio::test]
async fn a_bare_run_of_the_api_knows_neither_branch_nor_inputs() {
    let server = TestServer::start_with(|config| config.fills_api_runs = false).await;
    let scene = Scene::on(server, json!({ "workflowContent": [WITH_INPUT] })).await;
    let job = scene.take().await;
    let contexts = &job.payload["tappet"]["contexts"];
    assert_eq!(contexts["inputs"], json!({}));
    assert_eq!(contexts["github"]["ref"], "");
    assert_eq!(contexts["github"]["ref_name"], "");
}

#[tokio::test]
async fn other_runners_are_never_given_such_a_job() {
    let scene = Scene::new(CHAIN).await;
    let other = Runner::named("r_other").request(&scene.server);
    let asking = tokio::spawn(other.send());
    let job = scene.take().await;
    assert_eq!(key(&job), "first");
    asking.abort();
}

#[tokio::test]
async fn a_later_job_sees_what_an_earlier_one_put_out() {
    let scene = Scene::new(CHAIN).await;
    scene.pass(json!([["version", "1.2"]])).await;
    let second = scene.take().await;
    let needs = json!({ "first": { "result": "success", "outputs": { "version": "1.2" } } });
    assert_eq!(second.payload["tappet"]["contexts"]["needs"], needs);
}

#[tokio::test]
async fn outputs_survive_a_crash_of_the_server() {
    let mut scene = Scene::new(CHAIN).await;
    scene.pass(json!([["version", "1.2"]])).await;
    scene.server.crash().await;
    let second = scene.take().await;
    let needs = &second.payload["tappet"]["contexts"]["needs"];
    assert_eq!(needs["first"]["outputs"]["version"], "1.2");
}

#[tokio::test]
async fn a_job_after_a_failure_is_skipped_unless_it_asks_for_it() {
    let scene = Scene::new(
        "
on: push
jobs:
  build: {runs-on: ubuntu-latest, steps: [{run: make}]}
  test: {runs-on: ubuntu-latest, needs: build, steps: [{run: make}]}
  report: {runs-on: ubuntu-latest, needs: test, if: failure(), steps: [{run: make}]}
  clean: {runs-on: ubuntu-latest, needs: [build, test], if: always(), steps: [{run: make}]}
  never: {runs-on: ubuntu-latest, if: github.event_name == 'push', steps: [{run: make}]}
",
    )
    .await;
    scene.fail().await;
    let expected = [
        "build: failed",
        "clean: pending",
        "never: skipped",
        "report: pending",
        "test: skipped",
    ];
    assert_eq!(scene.decided_jobs().await, expected);
}

#[tokio::test]
async fn a_matrix_may_come_out_of_an_earlier_job() {
    let scene = Scene::new(
        "
on: push
jobs:
  list:
    runs-on: ubuntu-latest
    outputs: {targets: '${{ steps.t.outputs.targets }}'}
    steps: [{id: t, run: make}]
  build:
    runs-on: ubuntu-latest
    needs: list
    strategy: {matrix: {target: '${{ fromJSON(needs.list.outputs.targets) }}'}}
    steps: [{run: make}]
  pack: {runs-on: ubuntu-latest, needs: build, steps: [{run: make}]}
",
    )
    .await;
    scene.pass(json!([["targets", "[\"arm\", \"x86\"]"]])).await;
    let expected = [
        "build (arm): pending",
        "build (x86): pending",
        "list: success",
        "pack: created",
    ];
    assert_eq!(scene.decided_jobs().await, expected);
    let arm = scene.pass(json!([])).await;
    assert_eq!(
        arm.payload["tappet"]["contexts"]["matrix"],
        json!({ "target": "arm" })
    );
    assert_eq!(scene.jobs().await[3], "pack: created");
    scene.pass(json!([])).await;
    assert_eq!(key(&scene.take().await), "pack");
}

#[tokio::test]
async fn a_matrix_that_comes_out_wrong_fails_its_job_and_says_why() {
    let scene = Scene::new(
        "
on: push
jobs:
  list: {runs-on: ubuntu-latest, outputs: {targets: x}, steps: [{run: make}]}
  build:
    runs-on: ubuntu-latest
    needs: list
    strategy: {matrix: {target: '${{ fromJSON(needs.list.outputs.targets) }}'}}
    steps: [{run: make}]
",
    )
    .await;
    scene.pass(json!([["targets", "[oops"]])).await;
    assert_eq!(
        scene.decided_jobs().await,
        ["build: failed", "list: success"]
    );
    let path = format!(
        "/api/v4/projects/{}/pipelines/{}/jobs",
        scene.project, scene.run
    );
    let jobs = scene.server.get(&path).root().send().await.json();
    let build = jobs
        .as_array()
        .unwrap()
        .iter()
        .find(|job| job["name"] == "build");
    let log = format!(
        "/api/v4/projects/{}/jobs/{}/trace",
        scene.project,
        build.unwrap()["id"]
    );
    let log = scene.server.get(&log).root().send().await.text();
    assert!(log.contains("ERROR: "), "{log}");
}

#[tokio::test]
async fn a_job_is_not_repeated_by_itself_once_a_follower_has_begun() {
    let scene = Scene::new(
        "
on: push
jobs:
  build: {runs-on: ubuntu-latest, steps: [{run: make}]}
  clean: {runs-on: ubuntu-latest, needs: build, if: always(), steps: [{run: make}]}
",
    )
    .await;
    scene.fail().await;
    let retry = json!({ "workflowId": "w1", "jobId": "j1" });
    let clean = scene.take().await;
    let reply = scene.call("RetryJob", &retry).await;
    assert_eq!(reply.status, 412, "{}", reply.text());
    assert_eq!(reply.json()["code"], "failed_precondition");
    let message = reply.json()["message"].to_string();
    assert!(message.contains("`clean`"), "{message}");
    clean.report(&scene.server, "success").await;
    assert_eq!(scene.jobs().await, ["build: failed", "clean: success"]);
}

#[tokio::test]
async fn a_job_is_repeated_by_itself_while_nobody_followed() {
    let scene = Scene::new(CHAIN).await;
    scene.fail().await;
    assert_eq!(
        scene.decided_jobs().await,
        ["first: failed", "second: skipped"]
    );
    let retry = json!({ "workflowId": "w1", "jobId": "j1" });
    let reply = scene.call("RetryJob", &retry).await;
    assert_eq!(reply.json()["status"], "queued", "{}", reply.text());
    assert_eq!(reply.json()["attempt"], 2);
    scene.pass(json!([["version", "1.3"]])).await;
    let second = scene.take().await;
    let needs = &second.payload["tappet"]["contexts"]["needs"];
    assert_eq!(needs["first"]["outputs"]["version"], "1.3");
}

#[tokio::test]
async fn only_the_job_that_was_asked_for_runs() {
    let scene = Scene::of(json!({ "workflowContent": [CHAIN], "job": "second" })).await;
    assert_eq!(scene.jobs().await, ["first: skipped", "second: pending"]);
    assert_eq!(
        scene.take().await.payload["tappet"]["contexts"]["needs"],
        json!({})
    );
}
