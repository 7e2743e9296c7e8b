//! Checking pipeline files against a project.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{TestServer, commit, git};

use crate::{PIPELINE, Scene, assert_reply};

const FILE: &str = "\
.base:
  before_script: [prepare]
  tags: [linux]
test:
  extends: .base
  script: echo 1
  only: [main]
deploy:
  stage: deploy
  script: [ship]
  when: manual
  needs: [test]
";

const MERGED: &str = "\
---
\".base\":
  before_script:
  - prepare
  tags:
  - linux
test:
  before_script:
  - prepare
  tags:
  - linux
  extends: \".base\"
  script: echo 1
  only:
  - main
deploy:
  stage: deploy
  script:
  - ship
  when: manual
  needs:
  - test
";

async fn lint(scene: &Scene, body: Value) -> Value {
    let path = scene.path("/ci/lint");
    let reply = scene.server.post(&path).root().json(&body).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn lint_commit(scene: &Scene, query: &str) -> Value {
    let reply = scene.get(&format!("/ci/lint?{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

#[tokio::test]
async fn a_valid_file_is_shown_merged() {
    let scene = Scene::new().await;
    let result = lint(&scene, json!({ "content": FILE })).await;
    let expected = json!({
        "valid": true,
        "errors": [],
        "warnings": [],
        "merged_yaml": MERGED,
        "includes": [],
    });
    assert_eq!(result, expected);
}

#[tokio::test]
async fn jobs_are_shown_when_asked_for() {
    let scene = Scene::new().await;
    let result = lint(&scene, json!({ "content": FILE, "include_jobs": true })).await;
    let expected = json!([
        {
            "name": "test",
            "stage": "test",
            "before_script": ["prepare"],
            "script": ["echo 1"],
            "after_script": [],
            "tag_list": ["linux"],
            "environment": null,
            "when": "on_success",
            "allow_failure": false,
            "only": { "refs": ["main"] },
            "except": null,
            "needs": null,
        },
        {
            "name": "deploy",
            "stage": "deploy",
            "before_script": [],
            "script": ["ship"],
            "after_script": [],
            "tag_list": [],
            "environment": null,
            "when": "manual",
            "allow_failure": true,
            "only": { "refs": ["branches", "tags"] },
            "except": null,
            "needs": [{ "name": "test", "artifacts": true, "optional": false }],
        },
    ]);
    assert_eq!(result["jobs"], expected);
}

#[rstest]
#[case("", "Please provide content of .gitlab-ci.yml", Value::Null)]
#[case(
    "image: x\nservices: [postgres]\n",
    "jobs config should contain at least one visible job",
    json!("---\nimage: x\nservices:\n- postgres\n")
)]
#[case(
    "job:\n  script: x\n  extends: .none\n",
    "job: unknown keys in `extends` (.none)",
    Value::Null
)]
#[tokio::test]
async fn an_invalid_file_is_200_too(
    #[case] content: &str,
    #[case] error: &str,
    #[case] merged: Value,
) {
    let scene = Scene::new().await;
    for dry_run in [false, true] {
        let body = json!({ "content": content, "dry_run": dry_run, "include_jobs": true });
        let result = lint(&scene, body).await;
        assert_eq!(result["valid"], false);
        let errors = result["errors"].as_array().unwrap();
        assert!(errors.iter().any(|text| text == error), "{result}");
        assert_eq!(result["merged_yaml"], merged);
        assert_eq!(result["jobs"], json!([]));
    }
}

#[tokio::test]
async fn a_dry_run_decides_rules() {
    let scene = Scene::new().await;
    let content = "a:\n  script: x\n  rules:\n    - if: $CI_COMMIT_BRANCH == \"main\"\n\
                   b:\n  script: y\n  rules:\n    - if: $CI_COMMIT_BRANCH == \"work\"\n";
    let names = |result: &Value| -> Vec<String> {
        let jobs = result["jobs"].as_array().unwrap().iter();
        jobs.map(|job| job["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let body = json!({ "content": content, "include_jobs": true });
    assert_eq!(names(&lint(&scene, body.clone()).await), ["a", "b"]);

    let mut dry = body;
    dry["dry_run"] = json!(true);
    let result = lint(&scene, dry.clone()).await;
    assert_eq!(names(&result), ["a"]);
    assert_eq!(result["jobs"][0].get("only"), None, "decided already");
    let repository = scene.server.scratch().join("repositories/acme-web");
    git(&repository, &["branch", "work"]);
    dry["ref"] = json!("work");
    assert_eq!(names(&lint(&scene, dry.clone()).await), ["b"]);
    dry["ref"] = json!("nowhere");
    let result = lint(&scene, dry.clone()).await;
    assert_eq!(result["errors"], json!(["Reference not found"]));
    assert_eq!(scene.runs().await, 0);
}

#[tokio::test]
async fn the_environment_of_a_job_is_shown_as_written() {
    let scene = Scene::new().await;
    let content = "a: { script: x, environment: review/$CI_COMMIT_REF_NAME }\n\
                   b: { script: x, environment: { name: production, url: y } }\n\
                   c: { script: x }\n";
    for dry_run in [false, true] {
        let body = json!({ "content": content, "dry_run": dry_run, "include_jobs": true });
        let result = lint(&scene, body).await;
        let jobs = result["jobs"].as_array().unwrap().iter();
        let shown: Vec<_> = jobs.map(|job| job["environment"].clone()).collect();
        let expected = [
            json!("review/$CI_COMMIT_REF_NAME"),
            json!("production"),
            Value::Null,
        ];
        assert_eq!(shown, expected);
    }
}

#[tokio::test]
async fn what_stops_no_environment_is_warned_of() {
    let scene = Scene::new().await;
    let content = "a: { script: x, environment: { name: a, auto_stop_in: 1 day } }\n";
    let result = lint(&scene, json!({ "content": content })).await;
    assert_eq!(result["valid"], true);
    assert_eq!(
        result["warnings"],
        json!([
            "jobs:a:environment `auto_stop_in` has no effect: Tappet stops no environment by itself"
        ])
    );
}

#[tokio::test]
async fn files_of_commits_are_found_by_any_name() {
    let scene = Scene::new().await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    let first = git(&repository, &["rev-parse", "HEAD"]);
    commit(&repository, &[(".gitlab-ci.yml", "x: {}\n")], "Break it");
    git(&repository, &["rm", "--quiet", ".gitlab-ci.yml"]);
    git(&repository, &["branch", "broken"]);
    commit(&repository, &[("other", "")], "Remove it");
    assert_eq!(
        lint_commit(&scene, &format!("content_ref={first}")).await["valid"],
        true
    );
    assert_eq!(
        lint_commit(&scene, &format!("sha={first}")).await["valid"],
        true
    );
    assert_eq!(
        lint_commit(&scene, "content_ref=broken").await["valid"],
        false
    );
    let missing = lint_commit(&scene, "").await;
    let text = "Please provide content of .gitlab-ci.yml";
    assert_eq!(missing["errors"], json!([text]));
}

#[rstest]
#[case("sha=a&content_ref=b", 400, json!({"error": "sha, content_ref are mutually exclusive"}))]
#[case("ref=a&dry_run_ref=b", 400, json!({"error": "ref, dry_run_ref are mutually exclusive"}))]
#[case("dry_run=maybe", 400, json!({"error": "dry_run is invalid"}))]
#[case("content_ref=unknown", 404, json!({"message": "404 Commit Not Found"}))]
#[tokio::test]
async fn wrong_queries_are_refused(
    #[case] query: &str,
    #[case] status: u16,
    #[case] expected: Value,
) {
    let scene = Scene::new().await;
    let reply = scene.get(&format!("/ci/lint?{query}")).await;
    assert_reply(&reply, status, &expected);
}

#[tokio::test]
async fn content_is_required() {
    let scene = Scene::new().await;
    let reply = scene.post("/ci/lint").await;
    assert_reply(&reply, 400, &json!({ "error": "content is missing" }));
}

#[tokio::test]
async fn an_empty_repository_has_nothing_to_check_but_takes_content() {
    let server = TestServer::start().await;
    let repository = server.scratch().join("empty");
    std::fs::create_dir_all(&repository).unwrap();
    git(&repository, &["init", "--quiet", "--initial-branch=main"]);
    let body = json!({ "path": "acme/empty", "import_url": repository });
    let made = server
        .post("/api/v4/projects")
        .root()
        .json(&body)
        .send()
        .await;
    let project = made.json()["id"].as_i64().unwrap();
    let scene = Scene { server, project };
    let reply = scene.get("/ci/lint").await;
    assert_reply(
        &reply,
        404,
        &json!({ "message": "404 Repository Not Found" }),
    );
    let result = lint(&scene, json!({ "content": PIPELINE.1 })).await;
    assert_eq!(result["valid"], true, "{result}");
}

#[tokio::test]
async fn strangers_and_visitors_are_kept_out() {
    let scene = Scene::new().await;
    let path = scene.path("/ci/lint");
    let body = json!({ "content": FILE });
    let missing = json!({ "message": "404 Project Not Found" });
    let reply = scene.server.post(&path).json(&body).send().await;
    assert_reply(&reply, 404, &missing);
    assert_reply(&scene.server.get(&path).send().await, 404, &missing);

    let public = json!({ "visibility": "public" });
    let project = scene.path("");
    scene
        .server
        .request("PUT", &project)
        .root()
        .json(&public)
        .send()
        .await;
    let reply = scene.server.post(&path).json(&body).send().await;
    assert_reply(&reply, 403, &json!({ "message": "403 Forbidden" }));
    let reply = scene.server.get(&path).send().await;
    assert_eq!(reply.status, 200);
    let dry = format!("{path}?dry_run=true");
    let reply = scene.server.get(&dry).send().await.json();
    let text = "Insufficient permissions to create a new pipeline";
    assert_eq!(reply["errors"], json!([text]));
    assert_eq!(reply["merged_yaml"], Value::Null);
}
