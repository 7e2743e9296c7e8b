//! Test results and dotenv variables, from the upload to those who read them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use rstest::rstest;
use serde_json::{Value, json};

use tappet_server::testing::TestReply;

use super::runner::{self, Taken};
use super::{Scene, assert_reply};

const JUNIT: &str = "\
<testsuites>
  <testsuite name='Math'>
    <testcase classname='Sum' name='one' time='0.25' file='sum.rb'/>
    <testcase classname='Sum' name='two' time='0.5'>
      <failure message='m'>wrong</failure>
      <system-out>[[ATTACHMENT|shots/a.png]]</system-out>
    </testcase>
    <testcase classname='Sum' name='three'><skipped/></testcase>
    <testcase classname='Sum' name='four' time='1'><error>broken</error></testcase>
  </testsuite>
</testsuites>";

/// Two test jobs that count as one suite, and a third.
fn file() -> (&'static str, &'static str) {
    (
        ".gitlab-ci.yml",
        "rspec 1/2: {script: x}\nrspec 2/2: {script: x}\nlint: {script: x}\n",
    )
}

/// Uploads a report of one file, packed as runners do.
async fn upload(job: &Taken<'_>, kind: &str, text: &str) -> TestReply {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    job.upload_as(kind, "gzip", "report.gz", &packed).await
}

/// The value of a variable that the runner was told; the last one of this name wins.
fn value<'p>(payload: &'p Value, key: &str) -> Option<&'p str> {
    let mut newest_first = payload["variables"].as_array()?.iter().rev();
    newest_first.find(|one| one["key"] == key)?["value"].as_str()
}

async fn report(scene: &Scene, run: i64) -> Value {
    let reply = scene.get(&format!("/pipelines/{run}/test_report")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn summary(scene: &Scene, run: i64) -> Value {
    let reply = scene
        .get(&format!("/pipelines/{run}/test_report_summary"))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

#[tokio::test]
async fn a_run_without_reports_counts_nothing() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    assert_eq!(
        report(&scene, run).await,
        json!({
            "total_time": 0, "total_count": 0, "success_count": 0, "failed_count": 0,
            "skipped_count": 0, "error_count": 0, "test_suites": [],
        })
    );
    assert_eq!(
        summary(&scene, run).await,
        json!({
            "total": {
                "time": 0, "count": 0, "success": 0, "failed": 0, "skipped": 0, "error": 0,
                "suite_error": null,
            },
            "test_suites": [],
        })
    );
}

#[tokio::test]
async fn results_are_shown_with_trouble_first() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let job = runner::take(&scene.server).await;
    assert_eq!(upload(&job, "junit", JUNIT).await.status, 201);
    let case = |status: &str, name: &str, time: f64, output: Value| {
        json!({
            "status": status, "name": name, "classname": "Sum", "file": null,
            "execution_time": time, "system_output": output, "stack_trace": null,
            "recent_failures": null,
        })
    };
    let mut failed = case(
        "failed",
        "two",
        0.5,
        json!("wrong\n\nSystem Out:\n\n[[ATTACHMENT|shots/a.png]]"),
    );
    failed["attachment_url"] = json!(format!(
        "{}/acme/web/-/jobs/{}/artifacts/file/shots/a.png",
        scene.server.url(),
        job.id
    ));
    let mut passed = case("success", "one", 0.25, json!(null));
    passed["file"] = json!("sum.rb");
    assert_eq!(
        report(&scene, run).await,
        json!({
            "total_time": 1.75, "total_count": 4, "success_count": 1, "failed_count": 1,
            "skipped_count": 1, "error_count": 1,
            "test_suites": [{
                "name": "build", "total_time": 1.75, "total_count": 4, "success_count": 1,
                "failed_count": 1, "skipped_count": 1, "error_count": 1, "suite_error": null,
                "test_cases": [
                    case("error", "four", 1.0, json!("broken")),
                    failed,
                    passed,
                    case("skipped", "three", 0.0, json!(null)),
                ],
            }],
        })
    );
    assert_eq!(
        summary(&scene, run).await,
        json!({
            "total": {
                "time": 1.75, "count": 4, "success": 1, "failed": 1, "skipped": 1, "error": 1,
                "suite_error": null,
            },
            "test_suites": [{
                "name": "build", "total_time": 1.75, "total_count": 4, "success_count": 1,
                "failed_count": 1, "skipped_count": 1, "error_count": 1,
                "build_ids": [job.id], "suite_error": null,
            }],
        })
    );
}

#[tokio::test]
async fn jobs_of_one_name_share_a_suite() {
    let scene = Scene::with_file(file()).await;
    let run = scene.run().await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        let job = runner::take(&scene.server).await;
        let xml = format!("<testsuite><testcase name='{name}' time='1'/></testsuite>");
        assert_eq!(upload(&job, "junit", &xml).await.status, 201);
        ids.push(job.id);
    }
    let whole = report(&scene, run).await;
    assert_eq!(whole["test_suites"][0]["name"], "rspec");
    assert_eq!(whole["test_suites"][0]["total_count"], 2);
    assert_eq!(whole["test_suites"][1]["name"], "lint");
    let short = summary(&scene, run).await;
    assert_eq!(short["test_suites"][0]["build_ids"], json!(ids[..2]));
    assert_eq!(short["total"]["count"], 3);
}

#[tokio::test]
async fn a_broken_report_is_taken_and_says_what_is_wrong() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let job = runner::take(&scene.server).await;
    assert_eq!(upload(&job, "junit", "<testsuite>").await.status, 201);
    let error =
        "JUnit XML parsing failed: 1:12: FATAL: Premature end of data in tag testsuite line 1";
    let whole = report(&scene, run).await;
    assert_eq!(whole["test_suites"][0]["suite_error"], error);
    assert_eq!(whole["test_suites"][0]["test_cases"], json!([]));
    assert_eq!(whole["total_count"], 0);
    let short = summary(&scene, run).await;
    assert_eq!(short["total"]["suite_error"], error);
    assert_eq!(short["test_suites"][0]["suite_error"], error);
}

#[tokio::test]
async fn attempts_that_were_retried_no_longer_count() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let job = runner::take(&scene.server).await;
    upload(
        &job,
        "junit",
        "<testsuite><testcase name='a'><failure/></testcase></testsuite>",
    )
    .await;
    job.end("failed").await;
    assert_eq!(
        scene.post(&format!("/jobs/{}/retry", job.id)).await.status,
        201
    );
    assert_eq!(report(&scene, run).await["test_suites"], json!([]));
    let again = runner::take(&scene.server).await;
    upload(
        &again,
        "junit",
        "<testsuite><testcase name='a'/></testsuite>",
    )
    .await;
    assert_eq!(report(&scene, run).await["success_count"], 1);
    assert_eq!(
        summary(&scene, run).await["test_suites"][0]["build_ids"],
        json!([again.id])
    );
}

#[rstest]
#[case::whole("test_report")]
#[case::short("test_report_summary")]
#[tokio::test]
async fn whoever_does_not_see_the_run_sees_no_tests(#[case] kind: &str) {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let path = scene.path(&format!("/pipelines/{run}/{kind}"));
    let anonymous = scene.server.get(&path).send().await;
    assert_reply(
        &anonymous,
        404,
        &json!({ "message": "404 Project Not Found" }),
    );
    let unknown = scene.get(&format!("/pipelines/999/{kind}")).await;
    assert_reply(&unknown, 404, &json!({ "message": "404 Not found" }));
    let wrong = scene.get(&format!("/pipelines/x/{kind}")).await;
    assert_reply(&wrong, 400, &json!({ "error": "pipeline_id is invalid" }));
}

#[tokio::test]
async fn variables_of_a_dotenv_report_reach_later_jobs_below_those_of_the_call() {
    let scene = Scene::with_file((
        ".gitlab-ci.yml",
        "stages: [build, test]\n\
         build: {stage: build, script: x}\n\
         all: {stage: test, script: x, variables: {FROM_YAML: yaml}}\n\
         none: {stage: test, script: x, dependencies: []}\n\
         unwanted: {stage: test, script: x, needs: [{job: build, artifacts: false}]}\n\
         needed: {stage: test, script: x, needs: [build]}\n",
    ))
    .await;
    scene.run_with("ref=main&variables[GIVEN]=caller").await;
    let build = runner::take(&scene.server).await;
    let text = "VERSION=1.2\nREFERS=v$VERSION\nFROM_YAML=report\nGIVEN=report\nCI_JOB_ID=1\n";
    assert_eq!(upload(&build, "dotenv", text).await.status, 201);
    build.end("success").await;
    for (name, gets) in [
        ("all", true),
        ("none", false),
        ("unwanted", false),
        ("needed", true),
    ] {
        let (job, payload) = runner::take_with_payload(&scene.server).await;
        assert_eq!(payload["job_info"]["name"], name);
        assert_eq!(value(&payload, "VERSION"), gets.then_some("1.2"), "{name}");
        assert_eq!(value(&payload, "REFERS"), gets.then_some("v1.2"), "{name}");
        assert_eq!(value(&payload, "GIVEN"), Some("caller"));
        assert_eq!(
            value(&payload, "CI_JOB_ID"),
            Some(job.id.to_string().as_str())
        );
        if name == "all" {
            assert_eq!(value(&payload, "FROM_YAML"), Some("report"));
        }
        job.end("success").await;
    }
}

#[rstest]
#[case::comment("# a\nA=1", "Invalid Format")]
#[case::empty_line("A=1\n\nB=2", "Invalid Format")]
#[case::name(
    "A-B=1",
    "Validation failed: Key can contain only letters, digits and '_'."
)]
#[case::size(
    &format!("A={}", "x".repeat(5118)),
    "Dotenv Artifact Too Big. Maximum Allowable Size: 5120"
)]
#[case::count(
    &(0..21).map(|n| format!("A{n}=x\n")).collect::<String>(),
    "Dotenv files cannot have more than 20 variables"
)]
#[tokio::test]
async fn a_wrong_dotenv_report_is_refused_and_not_kept(#[case] text: &str, #[case] why: &str) {
    let scene = Scene::new().await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    let reply = upload(&job, "dotenv", text).await;
    assert_reply(&reply, 400, &json!({ "message": why }));
    let shown = scene.get(&format!("/jobs/{}", job.id)).await.json();
    assert_eq!(shown["artifacts"], json!([]));
}

#[tokio::test]
async fn a_report_in_the_wrong_format_is_refused() {
    let scene = Scene::new().await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    let reply = job.upload_as("junit", "zip", "a.zip", b"PK").await;
    let why = "Validation failed: Invalid file format with specified file type";
    assert_reply(&reply, 400, &json!({ "message": why }));
}
