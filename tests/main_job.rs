//! The main job: one HTTP call starts a pipeline, and it really runs.

mod support;

use rustix::process::Signal;
use serde_json::json;
use support::{Tappet, output};

#[tokio::test]
async fn the_demo_shows_a_green_run_and_ends_with_its_code() {
    let mut command = Tappet::command();
    command
        .args(["demo", "--once"])
        .env_remove("TAPPET_ROOT_TOKEN");
    let (status, text) = output(command).await;
    assert!(status.success(), "{text}");
    assert!(
        text.contains("POST /api/v4/projects/1/trigger/pipeline"),
        "{text}"
    );
    assert!(text.contains("Hello from demo/hello"), "{text}");
    for line in ["build ", "unit tests ", "spelling ", "deploy "] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(text.contains("The run ended with success."), "{text}");
}

#[tokio::test]
async fn artifacts_of_earlier_stages_reach_later_ones() {
    let tappet = Tappet::start(2).await;
    let project = tappet
        .project(
            "stages",
            r#"
stages: [one, two]
make:
  stage: one
  script: [mkdir -p out/deep, 'echo "made by $CI_JOB_NAME" > out/deep/file']
  artifacts: {paths: [out/]}
"use it":
  stage: two
  script: [cat out/deep/file]
"without":
  stage: two
  dependencies: []
  script: [test ! -e out]
"#,
        )
        .await;
    let run = project.run_to("success").await;
    let jobs = project.jobs(run).await;
    let user = jobs.iter().find(|job| job["name"] == "use it").unwrap();
    assert!(project.log_of(user).await.contains("\nmade by make\n"));
}

#[tokio::test]
async fn what_a_job_reports_reaches_later_jobs_and_readers() {
    let tappet = Tappet::start(1).await;
    let project = tappet
        .project(
            "reports",
            r#"
stages: [build, test]
make:
  stage: build
  script: ['echo "VERSION=1.$CI_PIPELINE_IID" > build.env']
  artifacts: {reports: {dotenv: build.env}}
check:
  stage: test
  script:
    - 'echo "this is <$VERSION>"'
    - mkdir out
    - 'echo "<testsuite><testcase name=\"a\"/></testsuite>" > out/1.xml'
    - 'echo "<testsuite><testcase name=\"b\"><failure>no</failure></testcase></testsuite>" > out/2.xml'
  artifacts: {reports: {junit: ["out/*.xml"]}}
"#,
        )
        .await;
    let run = project.run_to("success").await;
    let jobs = project.jobs(run).await;
    let check = jobs.iter().find(|job| job["name"] == "check").unwrap();
    let log = project.log_of(check).await;
    assert!(log.contains("\nthis is <1.1>\n"), "{log}");
    let path = project.path(&format!("/pipelines/{run}/test_report"));
    let report = tappet.request("GET", &path).send().await.json();
    assert_eq!(report["success_count"], 1, "{report}");
    assert_eq!(report["failed_count"], 1);
    assert_eq!(
        report["test_suites"][0]["test_cases"][0]["system_output"],
        "no"
    );
}

#[tokio::test]
async fn a_deploy_job_gets_what_is_for_its_environment_and_a_test_tells_its_coverage() {
    let tappet = Tappet::start(1).await;
    let project = tappet
        .project(
            "deploy",
            r#"
stages: [test, deploy]
check:
  stage: test
  script:
    - echo "token is <$TOKEN>"
    - echo "lines covered 87.50%"
    - echo "HOST=v$CI_PIPELINE_IID.example.com" > deploy.env
  coverage: '/covered (\d+\.\d+)%/'
  artifacts: {reports: {dotenv: deploy.env}}
ship:
  stage: deploy
  script:
    - echo "token is <$TOKEN>"
    - echo "to $CI_ENVIRONMENT_NAME ($CI_ENVIRONMENT_TIER) at $CI_ENVIRONMENT_URL"
  environment: {name: review/$CI_COMMIT_REF_NAME, url: 'https://$HOST'}
"#,
        )
        .await;
    for (scope, value) in [("*", "any"), ("review/*", "review"), ("production", "live")] {
        let body = json!({ "key": "TOKEN", "value": value, "environment_scope": scope });
        let variables = tappet.request("POST", &project.path("/variables"));
        assert_eq!(variables.json(&body).send().await.status, 201);
    }
    let run = project.trigger().await;
    assert_eq!(project.ended(run).await, "success");
    let jobs = project.jobs(run).await;
    let find = |name: &str| jobs.iter().find(|job| job["name"] == name).unwrap();
    let log = project.log(find("check")["id"].as_i64().unwrap()).await;
    assert!(log.contains("\ntoken is <any>\n"), "{log}");
    let log = project.log(find("ship")["id"].as_i64().unwrap()).await;
    assert!(log.contains("\ntoken is <review>\n"), "{log}");
    let told = "\nto review/main (development) at https://v1.example.com\n";
    assert!(log.contains(told), "{log}");
    assert_eq!(find("check")["coverage"], 87.5);
    let shown = tappet
        .get(&project.path(&format!("/pipelines/{run}")))
        .await;
    assert_eq!(shown["coverage"], "87.50");
}

#[tokio::test]
async fn a_wrong_dotenv_file_fails_its_job_and_the_log_says_why() {
    let tappet = Tappet::start(1).await;
    let project = tappet
        .project(
            "wrong-dotenv",
            "job: {script: ['echo \"# nothing\" > a.env'], artifacts: {reports: {dotenv: a.env}}}",
        )
        .await;
    let run = project.run_to("failed").await;
    let job = project.job(run).await;
    assert_eq!(job["failure_reason"], "script_failure");
    let log = project.log_of(&job).await;
    assert!(log.contains("Invalid Format"), "{log}");
}

#[tokio::test]
async fn variables_of_the_call_reach_the_script_untouched() {
    let tappet = Tappet::start(1).await;
    let project = tappet
        .project(
            "variables",
            "job: {script: ['printf \"<%s>\\n\" \"$ODD\"']}",
        )
        .await;
    let odd = "a 'b' \"c\" $(id) `id` ${HOME} \\n ü";
    let run = project.trigger_with("main", json!({ "ODD": odd })).await;
    assert_eq!(project.ended(run).await, "success");
    let log = project.log_of(&project.job(run).await).await;
    // GitLab expands references in values; text that is none stays.
    let expected = odd.replace("${HOME}", "");
    assert!(log.contains(&format!("<{expected}>")), "{log}");
}

#[tokio::test]
async fn after_script_runs_after_a_failure_and_knows_it() {
    let tappet = Tappet::start(1).await;
    let project = tappet
        .project(
            "after",
            "job:\n  script: [echo before, exit 7, echo never]\n  after_script: ['echo \"after: $CI_JOB_STATUS\"']\n",
        )
        .await;
    let run = project.run_to("failed").await;
    let job = project.job(run).await;
    assert_eq!(job["failure_reason"], "script_failure");
    let log = project.log_of(&job).await;
    assert!(
        log.contains("\nbefore\n") && log.contains("\nafter: failed\n"),
        "{log}"
    );
    assert!(!log.contains("\nnever\n"), "{log}");
}

#[tokio::test]
async fn a_job_past_its_time_limit_is_stopped() {
    let tappet = Tappet::start(1).await;
    let project = tappet
        .project("slow", "job: {timeout: 1s, script: [sleep 600]}")
        .await;
    let run = project.run_to("failed").await;
    assert_eq!(
        project.job(run).await["failure_reason"],
        "job_execution_timeout"
    );
}

#[tokio::test]
async fn retry_repeats_a_failed_job_by_itself() {
    let tappet = Tappet::start(1).await;
    let counter = tappet.scratch().join("counter");
    let pipeline = format!(
        "job: {{retry: 2, script: ['echo x >> {0}', 'test $(wc -l < {0}) -ge 3']}}",
        counter.display()
    );
    let project = tappet.project("retry", &pipeline).await;
    let run = project.trigger().await;
    assert_eq!(project.run_until(run, &["success"]).await, "success");
    let statuses: Vec<_> = project
        .jobs(run)
        .await
        .iter()
        .map(|job| job["status"].clone())
        .collect();
    assert_eq!(statuses, ["failed", "failed", "success"]);
}

#[tokio::test]
async fn a_manual_job_waits_for_a_person() {
    let tappet = Tappet::start(1).await;
    let project = tappet
        .project(
            "manual",
            "stages: [a, b]\nask: {stage: a, when: manual, allow_failure: false, script: [echo yes]}\nnext: {stage: b, script: [echo next]}",
        )
        .await;
    let run = project.trigger().await;
    assert_eq!(project.run_until(run, &["manual"]).await, "manual");
    let ask = project.jobs(run).await[0]["id"].as_i64().unwrap();
    let play = project.path(&format!("/jobs/{ask}/play"));
    assert_eq!(tappet.request("POST", &play).send().await.status, 200);
    assert_eq!(project.ended(run).await, "success");
}

#[tokio::test]
async fn an_idle_server_ends_with_0_on_sigterm_and_takes_its_runner_along() {
    let mut tappet = Tappet::start(1).await;
    let project = tappet.project("once", "job: {script: ['true']}").await;
    project.run_to("success").await;
    let runner = tappet.runner_pid();
    tappet.signal(Signal::TERM);
    assert_eq!(tappet.wait().await.code(), Some(0));
    assert!(
        rustix::process::test_kill_process(runner).is_err(),
        "the runner lives on"
    );
}

#[tokio::test]
async fn a_second_server_on_the_same_directory_names_the_first() {
    let tappet = Tappet::start(0).await;
    let mut command = Tappet::command();
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(tappet.data());
    let (status, text) = output(command).await;
    assert_eq!(status.code(), Some(1));
    assert!(
        text.contains("in use by another tappet server (pid "),
        "{text}"
    );
}

#[tokio::test]
async fn health_and_readiness_answer() {
    let tappet = Tappet::start(0).await;
    assert_eq!(
        tappet.anonymous("GET", "/-/healthz").send().await.status,
        200
    );
    assert_eq!(
        tappet.anonymous("GET", "/-/readyz").send().await.status,
        200
    );
}
