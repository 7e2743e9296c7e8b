//! Files up and archives down.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::TestServer;

use crate::runner::{Part, Runner, Taken};
use crate::{ONE_JOB, Scene, assert_over, run_of};

const ARCHIVE: &str = "?artifact_type=archive&artifact_format=zip";
const TWO_STAGES: &str = "stages: [one, two]\n\
     make: { stage: one, script: x }\n\
     use: { stage: two, script: x }\n";

async fn running_job(file: &str) -> (Scene, Taken) {
    running_job_on(TestServer::start().await, file).await
}

async fn running_job_on(server: TestServer, file: &str) -> (Scene, Taken) {
    let scene = Scene::on(server, file).await;
    scene.run().await;
    let job = Runner::default().take(&scene.server).await;
    (scene, job)
}

async fn files(scene: &Scene, job: &Taken) -> Value {
    scene.attempt(job.id).await["artifacts"].clone()
}

/// Files below `artifacts/` of the data directory.
fn stored_files(scene: &Scene) -> usize {
    let mut open = vec![scene.server.data_dir().join("artifacts")];
    let mut count = 0;
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                count += 1;
            }
        }
    }
    count
}

/// gitlab-runner puts the options into the query, other clients into fields,
/// the Rust one behind the file.
#[rstest]
#[case::query("?artifact_type=cobertura&artifact_format=gzip", &[Part::File("cobertura.xml.gz", "PK")])]
#[case::fields_before("", &[
    Part::Field("artifact_type", "cobertura"),
    Part::Field("artifact_format", "gzip"),
    Part::File("cobertura.xml.gz", "PK"),
])]
#[case::fields_after("", &[
    Part::File("cobertura.xml.gz", "PK"),
    Part::Field("artifact_type", "cobertura"),
    Part::Field("artifact_format", "gzip"),
])]
#[tokio::test]
async fn options_may_stand_anywhere(#[case] query: &str, #[case] parts: &[Part<'_>]) {
    let (scene, job) = running_job(ONE_JOB).await;
    let reply = job.upload(&scene.server, query, parts).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let files = files(&scene, &job).await;
    assert_eq!(files[0]["file_type"], "cobertura");
    assert_eq!(files[0]["file_format"], "gzip");
    assert_eq!(files[0]["filename"], "cobertura.xml.gz");
    assert_eq!(files[0]["size"], 2);
}

#[tokio::test]
async fn without_options_it_is_an_archive() {
    let (scene, job) = running_job(ONE_JOB).await;
    let file = [Part::File("artifacts.zip", "PK")];
    assert_eq!(job.upload(&scene.server, "", &file).await.status, 201);
    assert_eq!(files(&scene, &job).await[0]["file_type"], "archive");
}

#[tokio::test]
async fn the_same_file_again_is_taken_and_another_is_not() {
    let (scene, job) = running_job(ONE_JOB).await;
    let upload = |content| {
        let server = &scene.server;
        let job = &job;
        async move {
            let file = [Part::File("a.zip", content)];
            job.upload(server, ARCHIVE, &file).await.status
        }
    };
    assert_eq!(upload("one").await, 201);
    assert_eq!(upload("one").await, 201);
    assert_eq!(upload("two").await, 400);
    assert_eq!(stored_files(&scene), 1);
    let files = files(&scene, &job).await;
    assert_eq!(files.as_array().unwrap().len(), 1);
    assert_eq!(files[0]["size"], 3);
}

#[rstest]
#[case::no_file("", &[Part::Field("artifact_type", "archive")])]
#[case::no_duration("?expire_in=soon", &[Part::File("a.zip", "PK")])]
#[case::no_kind("?artifact_type=../x", &[Part::File("a.zip", "PK")])]
#[case::no_kind_in_a_field("", &[Part::File("a.zip", "PK"), Part::Field("artifact_type", "A B")])]
#[tokio::test]
async fn a_wrong_upload_is_refused_and_leaves_nothing(
    #[case] query: &str,
    #[case] parts: &[Part<'_>],
) {
    let (scene, job) = running_job(ONE_JOB).await;
    let reply = job.upload(&scene.server, query, parts).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(stored_files(&scene), 0);
    assert_eq!(files(&scene, &job).await, json!([]));
}

#[tokio::test]
async fn an_endless_option_is_refused() {
    let (scene, job) = running_job(ONE_JOB).await;
    let long = "x".repeat(100_000);
    let parts = [Part::Field("expire_in", &long), Part::File("a.zip", "PK")];
    let reply = job.upload(&scene.server, "", &parts).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let (scene, job) = running_job(ONE_JOB).await;
    let reply = scene
        .server
        .post(&format!("/api/v4/jobs/{}/artifacts", job.id))
        .header("job-token", &job.token)
        .body("application/zip", "PK")
        .send()
        .await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn a_name_loses_its_path() {
    let (scene, job) = running_job(ONE_JOB).await;
    let file = [Part::File("../../etc/passwd", "PK")];
    job.upload(&scene.server, ARCHIVE, &file).await;
    assert_eq!(files(&scene, &job).await[0]["filename"], "passwd");
}

#[rstest]
#[case::given("?expire_in=1+week", Some(7 * 86_400))]
#[case::never("?expire_in=never", None)]
#[case::default("", Some(30 * 86_400))]
#[tokio::test]
async fn files_expire_when_the_job_says(#[case] query: &str, #[case] seconds: Option<i64>) {
    let (scene, job) = running_job(ONE_JOB).await;
    let file = [Part::File("a.zip", "PK")];
    job.upload(&scene.server, query, &file).await;
    let id = tappet_model::AttemptId(job.id);
    let kept = scene.server.app().store.artifacts(id).await.unwrap();
    let life = kept[0]
        .expires_at
        .map(|at| i64::try_from(at.since(kept[0].created_at).as_secs()).unwrap());
    assert_eq!(life, seconds);
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_refused_and_leaves_nothing() {
    let server = TestServer::start_with(|config| config.artifact_limit_bytes = 10).await;
    let (scene, job) = running_job_on(server, ONE_JOB).await;
    let upload = |content| {
        let file = [Part::File("a.zip", content)];
        let (server, job) = (&scene.server, &job);
        async move { job.upload(server, ARCHIVE, &file).await.status }
    };
    assert_eq!(upload("12345678901").await, 413);
    assert_eq!(stored_files(&scene), 0);
    assert_eq!(upload("1234567890").await, 201);
}

#[tokio::test]
async fn after_the_end_nothing_is_taken() {
    let (scene, job) = running_job(ONE_JOB).await;
    job.report(&scene.server, "success").await;
    let file = [Part::File("a.zip", "PK")];
    let reply = job.upload(&scene.server, ARCHIVE, &file).await;
    assert_over(&reply, "success");
    assert_eq!(stored_files(&scene), 0);
}

#[tokio::test]
async fn a_later_job_fetches_the_archive_of_an_earlier_one() {
    let (scene, make) = running_job(TWO_STAGES).await;
    let content = "PK".repeat(100_000);
    let file = [Part::File("a.zip", &content)];
    make.upload(&scene.server, ARCHIVE, &file).await;
    make.report(&scene.server, "success").await;
    let job = Runner::default().take(&scene.server).await;
    let reply = job.download(&scene.server, make.id).await;
    assert_eq!((reply.status, reply.text() == content), (200, true));
    assert_eq!(reply.header("content-length"), "200000");

    job.report(&scene.server, "success").await;
    let late = job.download(&scene.server, make.id).await;
    assert_eq!(late.status, 403, "its job is over");
}

#[tokio::test]
async fn a_job_without_archive_has_none_to_fetch() {
    let (scene, make) = running_job(TWO_STAGES).await;
    make.report(&scene.server, "success").await;
    let job = Runner::default().take(&scene.server).await;
    assert_eq!(job.download(&scene.server, make.id).await.status, 404);
    assert_eq!(job.download(&scene.server, 999_999).await.status, 404);
}

#[tokio::test]
async fn the_archive_of_another_project_stays_there() {
    let (scene, make) = running_job(ONE_JOB).await;
    make.upload(&scene.server, ARCHIVE, &[Part::File("a.zip", "PK")])
        .await;
    let files = [(".gitlab-ci.yml", ONE_JOB)];
    let other = scene.server.project("acme/spy", &files).await;
    run_of(&scene.server, other, "main", json!({})).await;
    let spy = Runner::default().take(&scene.server).await;
    assert_eq!(spy.download(&scene.server, make.id).await.status, 403);
    let nobody = Taken {
        token: String::new(),
        ..spy
    };
    assert_eq!(nobody.download(&scene.server, make.id).await.status, 403);
}
