//! Runs of pull requests: one call starts them, and their jobs really run.

mod support;

use serde_json::{Value, json};
use support::{Project, Tappet, commit, git};

/// A project whose branch `feature` is to go into `main`, which went on meanwhile.
struct Scene<'a> {
    project: Project<'a>,
    config: i64,
    base: String,
    head: String,
}

impl<'a> Scene<'a> {
    async fn new(tappet: &'a Tappet, file: (&str, &str)) -> Self {
        let repository = tappet.repository("shop", &[file]);
        git(&repository, &["checkout", "--quiet", "-b", "feature"]);
        let head = commit(&repository, &[("orders.sql", "select 1")], "Count orders");
        git(&repository, &["checkout", "--quiet", "main"]);
        let base = commit(&repository, &[("other.sql", "select 2")], "Something else");
        let project = tappet.project_over(&repository).await;
        let shown = tappet.get(&project.path("")).await;
        let config = shown["ci_configs"][0]["id"]
            .as_i64()
            .expect("an id is a number");
        Self {
            project,
            config,
            base,
            head,
        }
    }

    async fn call(&self, method: &str, rest: &str, body: &Value) -> Value {
        let path = format!("/api/v1/ci/{}{rest}", self.config);
        let reply = self.project.tappet.request(method, &path).json(body);
        let reply = reply.send().await;
        assert!(
            reply.status < 300,
            "{path}: {} {}",
            reply.status,
            reply.text()
        );
        reply.json()
    }

    /// Starts the run of pull request 6.
    async fn trigger(&self) -> i64 {
        let body = json!({
            "pr_number": 6, "pr_branch": "feature", "base_branch": "main",
            "pr_sha": self.head, "base_sha": self.base,
        });
        let started = self.call("POST", "/trigger", &body).await;
        started["ci_run_id"].as_i64().expect("an id is a number")
    }

    /// The log of the only job of a run that ends well.
    async fn log(&self, run: i64) -> String {
        let status = self.project.ended(run).await;
        let log = self.project.log_of(&self.project.job(run).await).await;
        assert_eq!(status, "success", "{log}");
        log
    }
}

#[tokio::test]
async fn a_pipeline_file_runs_on_the_head_of_a_pull_request() {
    let tappet = Tappet::start(1).await;
    let file = r#"
check:
  rules: [{if: $CI_MERGE_REQUEST_IID, changes: [orders.sql]}]
  script:
    - git diff --name-only "$CI_MERGE_REQUEST_DIFF_BASE_SHA" HEAD
    - echo "$CI_COMMIT_REF_NAME into $CI_MERGE_REQUEST_TARGET_BRANCH_NAME"
    - echo "pairs $(cat "$DATAFOLD_DIFFS")"
"other files":
  rules: [{changes: [other.sql]}]
  script: ["false"]
"#;
    let scene = Scene::new(&tappet, (".gitlab-ci.yml", file)).await;
    scene
        .call("PATCH", "", &json!({ "expects_diffs": true }))
        .await;
    let run = scene.trigger().await;
    let pairs = json!([{ "prod": "DB.ORDERS", "pr": "DB_PR.ORDERS" }]);
    let submitted = scene.call("POST", "/6", &pairs).await;
    assert_eq!(submitted["run_id"], run, "{submitted}");
    let log = scene.log(run).await;
    assert!(log.contains("\norders.sql\n"), "{log}");
    assert!(!log.contains("\nother.sql\n"), "{log}");
    assert!(log.contains("\nfeature into main\n"), "{log}");
    assert!(log.contains("DB_PR.ORDERS"), "{log}");
}

#[tokio::test]
async fn a_workflow_runs_on_the_head_of_a_pull_request() {
    let tappet = Tappet::start(1).await;
    let file = r#"
on: {pull_request: {branches: [main], paths: [orders.sql]}}
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          ls *.sql
          echo "$GITHUB_HEAD_REF into $GITHUB_BASE_REF at $GITHUB_REF"
          echo "number ${{ github.event.pull_request.number }}"
          echo "diffs are <$DATAFOLD_DIFFS>"
"#;
    let scene = Scene::new(&tappet, (".github/workflows/ci.yml", file)).await;
    let log = scene.log(scene.trigger().await).await;
    assert!(log.contains("orders.sql"), "{log}");
    assert!(!log.contains("other.sql"), "{log}");
    assert!(
        log.contains("feature into main at refs/pull/6/merge"),
        "{log}"
    );
    assert!(log.contains("number 6"), "{log}");
    assert!(log.contains("diffs are <>"), "{log}");
}
