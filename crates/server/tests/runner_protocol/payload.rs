//! The job object, as `common/spec/spec.go` and other clients decode it.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::git;

use crate::runner::{Runner, Taken};
use crate::{ONE_JOB, Scene};

const WHOLE: &str = r#"
stages: [build, test]
variables:
  GREETING: hello
  WHOM: "$GREETING world"
build:
  stage: build
  script: make
  artifacts: { paths: [out/], name: built }
other:
  stage: build
  script: make other
  artifacts: { paths: [other/] }
test:
  stage: test
  needs: [build]
  before_script: [echo before]
  script: [make test, make check]
  after_script: [echo after]
  timeout: 10 minutes
  variables: { GIT_DEPTH: "7" }
  artifacts:
    paths: [report/]
    exclude: [report/tmp/]
    when: always
    expire_in: 1 week
"#;

/// Takes the jobs of a run up to `name`; the others end well, with an archive.
async fn take_job(scene: &Scene, name: &str) -> Taken {
    loop {
        let job = Runner::default().take(&scene.server).await;
        if job.payload["job_info"]["name"] == name {
            return job;
        }
        let zip = [crate::runner::Part::File("built.zip", "PK")];
        job.upload(&scene.server, "", &zip).await;
        job.report(&scene.server, "success").await;
    }
}

/// Replaces what differs from run to run.
fn redacted(scene: &Scene, job: &Taken) -> Value {
    let app = scene.server.app();
    let scratch = scene.server.scratch().to_string_lossy().into_owned();
    let mut text = serde_json::to_string_pretty(&job.payload).unwrap();
    let sha = job.payload["git_info"]["sha"].as_str().unwrap();
    let port = app.config.listen.port().to_string();
    for (secret, name) in [
        (job.token.as_str(), "[token]"),
        (sha, "[sha]"),
        (&sha[..8], "[short sha]"),
        (scratch.as_str(), "[scratch]"),
        (port.as_str(), "[port]"),
        (env!("CARGO_PKG_VERSION"), "[version]"),
    ] {
        text = text.replace(secret, name);
    }
    let mut payload: Value = serde_json::from_str(&text).unwrap();
    payload["job_info"]["time_in_queue_seconds"] = json!("[seconds]");
    for variable in payload["variables"].as_array_mut().unwrap() {
        let key = variable["key"].as_str().unwrap();
        if key.ends_with("_AT") || key == "CI_COMMIT_TIMESTAMP" || key == "CI_TRIGGER_SHORT_TOKEN" {
            variable["value"] = json!(format!("[{key}]"));
        }
    }
    payload
}

#[tokio::test]
async fn the_whole_job_object() {
    let scene = Scene::new(WHOLE).await;
    scene.run_with(json!({ "COLOUR": "red" })).await;
    let job = take_job(&scene, "test").await;
    insta::assert_json_snapshot!(redacted(&scene, &job));
}

/// A wrong type loses the job: the Go client cannot decode it and says nothing.
#[tokio::test]
async fn types_are_as_strict_clients_want_them() {
    let scene = Scene::new(WHOLE).await;
    scene.run().await;
    let job = take_job(&scene, "test").await;
    let payload = &job.payload;
    assert!(payload["job_info"]["time_in_queue_seconds"].is_f64());
    let count = &payload["job_info"]["project_jobs_running_on_instance_runners_count"];
    assert!(count.is_string(), "{count}");
    for variable in payload["variables"].as_array().unwrap() {
        assert!(variable["value"].is_string(), "{variable}");
        for flag in ["public", "masked", "file", "raw"] {
            assert!(variable[flag].is_boolean(), "{variable}");
        }
    }
    for step in payload["steps"].as_array().unwrap() {
        assert!(step["script"].is_array() && step["timeout"].is_u64());
        assert!(step["when"].is_string() && step["allow_failure"].is_boolean());
    }
    for list in [
        "artifacts",
        "dependencies",
        "services",
        "cache",
        "credentials",
        "hooks",
    ] {
        assert!(payload[list].is_array(), "{list}");
    }
    assert!(payload.as_object().unwrap().contains_key("image"));
}

#[tokio::test]
async fn each_report_is_an_upload_of_its_own_whatever_the_outcome() {
    let file = "job:\n  script: make\n  artifacts:\n    when: on_success\n    expire_in: 1 week\n\
         \x20   reports: { junit: [a.xml, b/*.xml], dotenv: build.env }\n";
    let scene = Scene::new(file).await;
    scene.run().await;
    let job = Runner::default().take(&scene.server).await;
    let report = |kind: &str, name: &str, paths: Value| {
        json!({
            "name": name, "untracked": false, "paths": paths, "exclude": [], "when": "always",
            "expire_in": "1 week", "artifact_type": kind, "artifact_format": "gzip",
        })
    };
    assert_eq!(
        job.payload["artifacts"],
        json!([
            report("junit", "junit.xml", json!(["a.xml", "b/*.xml"])),
            report("dotenv", ".env", json!(["build.env"])),
        ])
    );
}

#[tokio::test]
async fn needs_decide_whose_archives_are_restored() {
    let scene = Scene::new(WHOLE).await;
    scene.run().await;
    let job = take_job(&scene, "test").await;
    let dependencies = job.payload["dependencies"].as_array().unwrap();
    let names: Vec<_> = dependencies.iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["build"]);
    assert_eq!(dependencies[0]["token"], job.token.as_str());
    let file = json!({ "filename": "built.zip", "size": 2 });
    assert_eq!(dependencies[0]["artifacts_file"], file);
}

#[tokio::test]
async fn without_needs_all_earlier_stages_count_unless_dependencies_say_otherwise() {
    let file = "stages: [one, two]\n\
         a: { stage: one, script: x }\n\
         b: { stage: one, script: x }\n\
         all: { stage: two, script: x }\n\
         some: { stage: two, script: x, dependencies: [b] }\n\
         none: { stage: two, script: x, dependencies: [] }\n";
    for (name, expected) in [
        ("all", vec!["a", "b"]),
        ("some", vec!["b"]),
        ("none", vec![]),
    ] {
        let scene = Scene::new(file).await;
        scene.run().await;
        let job = take_job(&scene, name).await;
        let dependencies = job.payload["dependencies"].as_array().unwrap();
        let names: Vec<_> = dependencies.iter().map(|one| &one["name"]).collect();
        assert_eq!(names, expected, "{name}");
    }
}

#[tokio::test]
async fn after_script_is_a_step_only_where_there_is_one() {
    let scene = Scene::new(ONE_JOB).await;
    scene.run().await;
    let job = Runner::default().take(&scene.server).await;
    let steps = job.payload["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0]["name"], "script");
}

/// The caller's value stands above the job's, as for every variable.
#[tokio::test]
async fn the_depth_comes_from_a_variable_and_otherwise_is_everything() {
    let scene = Scene::new(WHOLE).await;
    scene.run().await;
    let build = Runner::default().take(&scene.server).await;
    assert_eq!(build.payload["git_info"]["depth"], 0);
    build.report(&scene.server, "success").await;
    let test = take_job(&scene, "test").await;
    assert_eq!(test.payload["git_info"]["depth"], 7);
    scene.run_with(json!({ "GIT_DEPTH": "3" })).await;
    let build = take_job(&scene, "build").await;
    assert_eq!(build.payload["git_info"]["depth"], 3);
}

/// The commit itself comes first, so that a force-push cannot take it away.
#[rstest]
#[case::branch(
    &["branch", "feature/$(id)'x"], "feature/$(id)'x", "branch", "CI_COMMIT_BRANCH",
    "+refs/heads/feature/$(id)'x:refs/remotes/origin/feature/$(id)'x"
)]
#[case::tag(&["tag", "v1"], "v1", "tag", "CI_COMMIT_TAG", "+refs/tags/v1:refs/tags/v1")]
#[tokio::test]
async fn the_ref_is_told_as_it_is_written(
    #[case] make: &[&str],
    #[case] name: &str,
    #[case] kind: &str,
    #[case] variable: &str,
    #[case] refspec: &str,
) {
    let scene = Scene::new(ONE_JOB).await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    git(&repository, make);
    scene.run_on(name, json!({})).await;
    let job = Runner::default().take(&scene.server).await;
    let git_info = &job.payload["git_info"];
    let told = (&git_info["ref"], &git_info["ref_type"]);
    assert_eq!(told, (&json!(name), &json!(kind)));
    let sha = git_info["sha"].as_str().unwrap();
    let refspecs = [&format!("+{sha}:refs/pipelines/1"), refspec];
    assert_eq!(git_info["refspecs"], json!(refspecs));
    let told = job.variable(variable).unwrap();
    let raw = (&told["value"], &told["raw"]);
    assert_eq!(raw, (&json!(name), &json!(true)));
}

#[rstest]
#[case::annotated(&["tag", "-a", "-m", "First release", "v1"], "First release")]
#[case::plain(&["tag", "v1"], "")]
#[tokio::test]
async fn the_message_of_a_tag_is_told(#[case] make: &[&str], #[case] message: &str) {
    let scene = Scene::new(ONE_JOB).await;
    git(&scene.server.scratch().join("repositories/acme-web"), make);
    scene.run_on("v1", json!({})).await;
    let job = Runner::default().take(&scene.server).await;
    assert_eq!(job.value("CI_COMMIT_TAG_MESSAGE"), Some(message));
}

#[tokio::test]
async fn a_caller_may_override_what_describes_the_commit() {
    let scene = Scene::new(ONE_JOB).await;
    scene
        .run_with(json!({ "CI_COMMIT_REF_NAME": "mine" }))
        .await;
    let job = Runner::default().take(&scene.server).await;
    assert_eq!(job.value("CI_COMMIT_REF_NAME"), Some("mine"));
    assert_eq!(job.payload["git_info"]["ref"], "main");
    job.report(&scene.server, "success").await;
    assert_eq!(scene.log(job.id).await, "");
}

#[tokio::test]
async fn names_of_the_runner_and_of_tokens_are_left_out_and_the_log_says_so() {
    let scene = Scene::new(ONE_JOB).await;
    let given = json!({ "CI_JOB_TOKEN": "x", "CI_PROJECT_DIR": "/", "FINE": "1" });
    scene.run_with(given).await;
    let job = Runner::default().take(&scene.server).await;
    assert_eq!(job.value("CI_JOB_TOKEN"), Some(job.token.as_str()));
    assert_eq!(job.variable("CI_PROJECT_DIR"), None);
    assert_eq!(job.value("FINE"), Some("1"));
    // The note does not count as the runner's bytes.
    let reply = job.log(&scene.server, 0, "abc").await;
    assert_eq!((reply.status, reply.header("range")), (202, "0-3"));
    job.report(&scene.server, "success").await;
    let log = scene.log(job.id).await;
    let note = "Ignored variables with reserved names: CI_JOB_TOKEN, CI_PROJECT_DIR";
    assert!(log.contains(note) && log.ends_with("abc"), "{log}");
}

#[tokio::test]
async fn the_token_is_masked_and_the_payload_of_a_trigger_is_a_file() {
    let scene = Scene::new(ONE_JOB).await;
    scene.run().await;
    let job = Runner::default().take(&scene.server).await;
    let token = job.variable("CI_JOB_TOKEN").unwrap();
    assert_eq!(
        (&token["masked"], &token["public"]),
        (&json!(true), &json!(false))
    );
    let payload = job.variable("TRIGGER_PAYLOAD").unwrap();
    assert_eq!(payload["file"], true);
}

#[tokio::test]
async fn variables_that_refer_in_circles_fail_the_job_with_the_reason() {
    let scene = Scene::new(ONE_JOB).await;
    scene.run_with(json!({ "A": "$B", "B": "$A" })).await;
    let run = scene.run().await;
    let job = Runner::default().request(&scene.server).send().await;
    assert_eq!(job.status, 204, "the first job is nothing to run");
    let next = Runner::default().take(&scene.server).await;
    assert_eq!(next.payload["job_info"]["pipeline_id"], run);
    let attempt = scene.attempt(next.id - 1).await;
    assert_eq!(attempt["status"], "failed");
    assert_eq!(attempt["failure_reason"], "data_integrity_failure");
    let log = scene.log(next.id - 1).await;
    assert!(
        log.contains("circular variable reference detected"),
        "{log}"
    );
}

#[tokio::test]
async fn a_repository_that_is_gone_fails_the_job_with_the_reason() {
    let scene = Scene::new(ONE_JOB).await;
    scene.run().await;
    let mut scene = scene;
    std::fs::remove_dir_all(scene.server.scratch().join("repositories/acme-web")).unwrap();
    scene.server.crash().await;
    let reply = Runner::default().request(&scene.server).send().await;
    assert_eq!(reply.status, 204);
    let attempt = scene.attempt(1).await;
    assert_eq!(attempt["failure_reason"], "runner_system_failure");
    let log = scene.log(1).await;
    assert!(
        log.contains("cannot read the project's repository"),
        "{log}"
    );
}
