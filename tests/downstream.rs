//! A tag in one project starts a pipeline of another, as the pages of GitLab tell
//! it: with nothing but git, curl and Tappet.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::{Project, Tappet, commit, git};
use tempfile::TempDir;

/// The script that people are told to copy.
const POST_RECEIVE: &str = include_str!("../docs/post-receive");

const DOCS: &str = r#"
pages:
  script: ['echo "docs because of $CI_PIPELINE_SOURCE"']
"#;

/// Project A: a bare repository that tells of pushes, and somebody's clone of it.
struct Upstream<'a> {
    project: Project<'a>,
    bare: PathBuf,
    clone: TempDir,
}

impl<'a> Upstream<'a> {
    async fn new(tappet: &'a Tappet) -> Self {
        let bare = tappet.scratch().join("library");
        let location = bare.to_str().expect("the path is text");
        git(
            tappet.scratch(),
            &[
                "init",
                "--quiet",
                "--bare",
                "--initial-branch=main",
                location,
            ],
        );
        let project = tappet.project_over(&bare).await;
        let reply = tappet.request("POST", &project.path("/push_hook")).send();
        let hook = reply.await.json();
        let secret = hook["secret"].as_str().expect("a secret");
        install(&bare, &url(tappet), secret);
        let clone = TempDir::new().expect("a temporary directory can be made");
        git(clone.path(), &["init", "--quiet", "--initial-branch=main"]);
        Self {
            project,
            bare,
            clone,
        }
    }

    /// Commits a pipeline whose deploy job, for tags alone, says `curl`; pushes the
    /// branch and a tag.
    async fn push(&self, curl: &str) {
        let file = format!(
            r#"
stages: [test, deploy]
unit:
  stage: test
  script: ["true"]
build_docs:
  stage: deploy
  script:
  - "curl --silent --show-error --fail-with-body --request POST {curl}"
  only:
  - tags
"#
        );
        commit(self.clone.path(), &[(".gitlab-ci.yml", &file)], "Release");
        git(self.clone.path(), &["tag", "v1.0"]);
        let (clone, bare) = (self.clone.path().to_owned(), self.bare.clone());
        let push = move || {
            let bare = bare.to_str().expect("the path is text");
            git(&clone, &["push", "--quiet", bare, "main", "v1.0"])
        };
        // The hook calls the server before the push ends.
        tokio::task::spawn_blocking(push)
            .await
            .expect("git can be waited for");
    }

    /// The end of the run of a ref: its status and its jobs.
    async fn ended(&self, ref_name: &str) -> (String, Vec<Value>) {
        let path = self.project.path(&format!("/pipelines?ref={ref_name}"));
        let runs = self.project.tappet.get(&path).await;
        assert_eq!(runs[0]["source"], "push", "{runs}");
        let run = runs[0]["id"].as_i64().expect("a run has an id");
        let status = self.project.ended(run).await;
        (status, self.project.jobs(run).await)
    }
}

fn url(tappet: &Tappet) -> String {
    format!("http://{}", tappet.address())
}

fn install(bare: &Path, url: &str, secret: &str) {
    let script = bare.join("hooks/post-receive");
    std::fs::create_dir_all(bare.join("hooks")).expect("a directory can be made");
    std::fs::write(&script, POST_RECEIVE).expect("the hook can be written");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))
        .expect("the hook can be made executable");
    for (key, value) in [
        ("tappet.url", format!("{url}/-/hooks/push").as_str()),
        ("tappet.project", "acme/library"),
        ("tappet.secret", secret),
    ] {
        git(bare, &["config", key, value]);
    }
}

fn names(jobs: &[Value]) -> Vec<&str> {
    jobs.iter()
        .map(|job| job["name"].as_str().expect("a job has a name"))
        .collect()
}

/// Pushes to A until its deploy job has run; gives the run of B that it started.
async fn downstream_of(upstream: &Upstream<'_>, docs: &Project<'_>, curl: &str) -> Value {
    upstream.push(curl).await;
    let (status, jobs) = upstream.ended("main").await;
    assert_eq!((status.as_str(), names(&jobs)), ("success", vec!["unit"]));
    let (status, jobs) = upstream.ended("v1.0").await;
    assert_eq!(names(&jobs), ["unit", "build_docs"]);
    let deploy = jobs[1]["id"].as_i64().expect("a job has an id");
    let log = upstream.project.log(deploy).await;
    assert_eq!(status, "success", "{log}");

    let runs = docs.tappet.get(&docs.path("/pipelines")).await;
    assert_eq!(runs.as_array().map(Vec::len), Some(1), "{runs}");
    let run = runs[0]["id"].as_i64().expect("a run has an id");
    assert_eq!(docs.ended(run).await, "success");
    let job = docs.job(run).await["id"].as_i64().expect("a job has an id");
    let source = runs[0]["source"].as_str().expect("a run has a source");
    let said = format!("docs because of {source}");
    let log = docs.log(job).await;
    assert!(log.contains(&said), "{log}");
    runs[0].clone()
}

#[tokio::test]
async fn a_tag_of_one_project_builds_another_with_its_trigger_token() {
    let tappet = Tappet::start(2).await;
    let docs = tappet.project("docs", DOCS).await;
    let upstream = Upstream::new(&tappet).await;
    let curl = format!(
        "--form token={} --form ref=main {}{}",
        docs.token,
        url(&tappet),
        docs.path("/trigger/pipeline"),
    );
    let run = downstream_of(&upstream, &docs, &curl).await;
    assert_eq!(run["source"], "trigger");
    let trigger = tappet.get(&docs.path("/triggers")).await;
    assert_eq!(trigger[0]["last_used"], run["created_at"]);
}

#[tokio::test]
async fn a_tag_of_one_project_builds_another_with_its_jobs_own_token() {
    let tappet = Tappet::start(2).await;
    let docs = tappet.project("docs", DOCS).await;
    let upstream = Upstream::new(&tappet).await;
    let allowlist = docs.path("/job_token_scope/allowlist");
    let body = json!({ "target_project_id": upstream.project.id });
    let reply = tappet.request("POST", &allowlist).json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let curl = format!(
        "--form token=$CI_JOB_TOKEN --form ref=main $CI_API_V4_URL/projects/{}/trigger/pipeline",
        docs.id,
    );
    let run = downstream_of(&upstream, &docs, &curl).await;
    assert_eq!(run["source"], "pipeline");
}
