//! Who calls, and what a bad credential gets.

use rstest::rstest;
use serde_json::json;
use tappet_server::testing::{ROOT_TOKEN, TestServer};

use super::{Scene, assert_reply, runner};

#[rstest]
#[case("private-token", ROOT_TOKEN.to_owned())]
#[case("PRIVATE-TOKEN", ROOT_TOKEN.to_owned())]
#[case("authorization", format!("Bearer {ROOT_TOKEN}"))]
#[case("authorization", format!("Key {ROOT_TOKEN}"))]
#[tokio::test]
async fn an_access_token_works_in_each_header(#[case] name: &str, #[case] value: String) {
    let server = TestServer::start().await;
    let reply = server.get("/api/v4/user").header(name, &value).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["username"], "root");
    assert_eq!(reply.json()["is_admin"], true);
    assert!(!reply.text().contains(ROOT_TOKEN));
}

#[tokio::test]
async fn an_access_token_works_as_a_parameter_and_beats_the_header() {
    let server = TestServer::start().await;
    let good = format!("/api/v4/user?private_token={ROOT_TOKEN}");
    let reply = server
        .get(&good)
        .header("private-token", "wrong")
        .send()
        .await;
    assert_eq!(reply.status, 200);
    let reply = server
        .get("/api/v4/user?private_token=wrong")
        .root()
        .send()
        .await;
    assert_reply(&reply, 401, &json!({ "message": "401 Unauthorized" }));
}

#[tokio::test]
async fn a_bad_credential_is_refused_even_where_none_is_needed() {
    let server = TestServer::start().await;
    let repository = server.repository("open", &[super::PIPELINE]);
    let body = json!({ "path": "acme/open", "import_url": repository, "visibility": "public" });
    let project = server
        .post("/api/v4/projects")
        .root()
        .json(&body)
        .send()
        .await;
    let path = format!("/api/v4/projects/{}", project.json()["id"]);
    assert_eq!(server.get(&path).send().await.status, 200);
    for token in ["glpat-wrong", &"x".repeat(9000)] {
        let reply = server
            .get(&path)
            .header("private-token", token)
            .send()
            .await;
        assert_reply(&reply, 401, &json!({ "message": "401 Unauthorized" }));
    }
}

#[rstest]
#[case("/api/v4/version")]
#[case("/api/v4/metadata")]
#[case("/api/v4/user")]
#[tokio::test]
async fn the_instance_tells_nothing_to_strangers(#[case] path: &str) {
    let server = TestServer::start().await;
    let reply = server.get(path).send().await;
    assert_reply(&reply, 401, &json!({ "message": "401 Unauthorized" }));
    assert_eq!(server.get(path).root().send().await.status, 200);
}

#[tokio::test]
async fn the_version_is_gitlabs_with_ours_beside_it() {
    let server = TestServer::start().await;
    let version = server.get("/api/v4/version").root().send().await.json();
    assert_eq!(version["version"], "18.9.0-tappet");
    assert_eq!(version["enterprise"], false);
    assert_eq!(version["kas"]["enabled"], false);
    assert!(version["tappet"]["version"].is_string());
}

#[rstest]
#[case("", 404, json!({ "message": "404 Project Not Found" }))]
#[case("/pipelines", 404, json!({ "message": "404 Project Not Found" }))]
#[case("/pipelines/1", 404, json!({ "message": "404 Project Not Found" }))]
#[case("/triggers", 401, json!({ "message": "401 Unauthorized" }))]
#[case("/jobs/1", 401, json!({ "message": "401 Unauthorized" }))]
#[case("/jobs/1/trace", 401, json!({ "message": "401 Unauthorized" }))]
#[case("/pipelines/1/variables", 401, json!({ "message": "401 Unauthorized" }))]
#[tokio::test]
async fn a_private_project_is_invisible_to_strangers(
    #[case] rest: &str,
    #[case] status: u16,
    #[case] body: serde_json::Value,
) {
    let scene = Scene::new().await;
    let reply = scene.server.get(&scene.path(rest)).send().await;
    assert_reply(&reply, status, &body);
}

#[tokio::test]
async fn a_running_jobs_token_reads_pipelines_of_its_own_project_only() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let job = runner::take(&scene.server).await;
    let path = scene.path(&format!("/pipelines/{run}"));
    let reply = scene
        .server
        .get(&path)
        .header("job-token", &job.token)
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());

    let other = scene.server.project("acme/other", &[super::PIPELINE]).await;
    let foreign = format!("/api/v4/projects/{other}/pipelines");
    let reply = scene
        .server
        .get(&foreign)
        .header("job-token", &job.token)
        .send()
        .await;
    assert_eq!(reply.status, 403, "{}", reply.text());

    let reply = scene
        .server
        .post(&format!("{path}/cancel"))
        .header("job-token", &job.token)
        .send()
        .await;
    assert_reply(&reply, 401, &json!({ "message": "401 Unauthorized" }));

    job.end("success").await;
    let reply = scene
        .server
        .get(&path)
        .header("job-token", &job.token)
        .send()
        .await;
    assert_reply(&reply, 401, &json!({ "message": "Job is not running" }));
}

#[rstest]
#[case("", &[("job-token", "JOB")], 200)]
#[case("", &[("authorization", "Bearer JOB")], 200)]
#[case("?job_token=JOB", &[], 200)]
#[case("?token=JOB", &[], 200)]
#[case("?token=JOB", &[("job-token", "wrong")], 200)]
#[case("?token=wrong", &[("job-token", "JOB")], 401)]
#[case("?job_token=wrong", &[], 401)]
#[tokio::test]
async fn a_job_token_works_in_each_place_and_its_parameter_beats_its_header(
    #[case] query: &str,
    #[case] headers: &[(&str, &str)],
    #[case] status: u16,
) {
    let scene = Scene::new().await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    let path = scene.path("/pipelines") + &query.replace("JOB", &job.token);
    let mut request = scene.server.get(&path);
    for (name, value) in headers {
        request = request.header(name, &value.replace("JOB", &job.token));
    }
    let reply = request.send().await;
    assert_eq!(reply.status, status, "{}", reply.text());
}

#[tokio::test]
async fn an_access_token_beats_a_job_token_beside_it() {
    let scene = Scene::new().await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    for header in [job.token.as_str(), "wrong"] {
        let request = scene.server.get("/api/v4/user").root();
        let reply = request.header("job-token", header).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let request = scene.server.get("/api/v4/job").root();
        let reply = request.header("job-token", header).send().await;
        assert_reply(&reply, 404, &json!({ "message": "404 Job Not Found" }));
    }
}

#[rstest]
#[case("/pipelines/latest")]
#[case("/pipelines/RUN/test_report")]
#[case("/pipelines/RUN/test_report_summary")]
#[tokio::test]
async fn a_job_token_is_no_credential_where_gitlab_takes_none(#[case] rest: &str) {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let job = runner::take(&scene.server).await;
    let path = scene.path(&rest.replace("RUN", &run.to_string()));
    let request = scene.server.get(&path).header("job-token", &job.token);
    let hidden = json!({ "message": "404 Project Not Found" });
    assert_reply(&request.send().await, 404, &hidden);
}
