//! What an id means, and why the thing it names stands where it stands.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{TestReply, TestServer};

use super::{Scene, assert_reply, runner};

async fn get(server: &TestServer, path: &str) -> TestReply {
    server.get(&format!("/api/v4/-/{path}")).root().send().await
}

#[tokio::test]
async fn an_id_leads_to_its_project_and_pipeline() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let job = scene.job_id(run, "build").await;
    let found = |job_id: Value| {
        json!({
            "project_id": scene.project, "path_with_namespace": "acme/web",
            "pipeline_id": run, "job_id": job_id,
        })
    };
    let reply = get(&scene.server, &format!("lookup/r{run}")).await;
    assert_reply(&reply, 200, &found(Value::Null));
    for letter in ["a", "j"] {
        let reply = get(&scene.server, &format!("lookup/{letter}{job}")).await;
        assert_reply(&reply, 200, &found(json!(job)));
    }
}

#[tokio::test]
async fn a_job_means_its_newest_attempt() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let taken = runner::take(&scene.server).await;
    taken.end("failed").await;
    let first = taken.id;
    let second = scene.post(&format!("/jobs/{first}/retry")).await.json()["id"].clone();
    assert_ne!(second, first);
    let reply = get(&scene.server, &format!("lookup/j{first}")).await;
    assert_eq!(reply.json()["job_id"], second, "{}", reply.text());
    let reply = get(&scene.server, &format!("lookup/a{first}")).await;
    assert_eq!(reply.json()["job_id"], first);
    assert_eq!(reply.json()["pipeline_id"], run);
}

#[rstest]
#[case("lookup/r99", 404, json!({ "message": "404 Not found" }))]
#[case("lookup/a99", 404, json!({ "message": "404 Not found" }))]
#[case("explain/j99", 404, json!({ "message": "404 Not found" }))]
#[case("lookup/7", 400, json!({ "error": "id is invalid" }))]
#[case("explain/w7", 400, json!({ "error": "id is invalid" }))]
#[tokio::test]
async fn what_is_not_there_is_not_found(
    #[case] path: &str,
    #[case] status: u16,
    #[case] body: Value,
) {
    let server = TestServer::start().await;
    assert_reply(&get(&server, path).await, status, &body);
}

#[rstest]
#[case("lookup")]
#[case("explain")]
#[tokio::test]
async fn runs_of_private_projects_are_hidden_from_strangers(#[case] what: &str) {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let path = format!("/api/v4/-/{what}/r{run}");
    let reply = scene.server.get(&path).send().await;
    assert_reply(&reply, 404, &json!({ "message": "404 Not found" }));
}

#[tokio::test]
async fn a_waiting_run_is_explained_job_by_job() {
    let scene = Scene::with_file((
        ".gitlab-ci.yml",
        "stages: [build, test]\n\
         build:\n  stage: build\n  script: make\n  tags: [arm]\n\
         test:\n  stage: test\n  script: make test\n\
         docs:\n  stage: test\n  script: make docs\n  rules: [{if: '$CI_COMMIT_TAG'}]\n",
    ))
    .await;
    let run = scene.run().await;
    let explanation = get(&scene.server, &format!("explain/r{run}")).await.json();
    assert_eq!(explanation["reason_code"], "under_way");
    let jobs: Vec<_> = explanation["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| {
            (
                job["name"].as_str().unwrap(),
                job["reason_code"].as_str().unwrap(),
            )
        })
        .collect();
    // Test servers have no slots, so there is no runner at all.
    assert_eq!(jobs, [("build", "no_runner"), ("test", "waits_for_jobs")]);
    let left_out = &explanation["left_out"][0];
    assert_eq!(left_out["name"], "docs");
    assert!(
        left_out["reason"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
}

#[tokio::test]
async fn one_job_can_be_asked_for_by_name() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let explain = |job: &str| format!("explain/r{run}?job={job}");
    let reply = get(&scene.server, &explain("test")).await.json();
    assert_eq!(reply["jobs"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        reply["jobs"][0]["reason"],
        "It waits for `build` of earlier stages."
    );
    let reply = get(&scene.server, &explain("nothing")).await;
    assert_reply(&reply, 404, &json!({ "message": "404 Job Not Found" }));
}

#[tokio::test]
async fn an_invalid_file_is_the_reason_of_its_run() {
    let scene = Scene::with_file((".gitlab-ci.yml", "build: {scrip: make}\n")).await;
    let token = scene.server.trigger(scene.project).await;
    let call = scene.server.post(&scene.path("/trigger/pipeline"));
    let refused = call.form(&format!("token={token}&ref=main")).send().await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    let run = scene.get("/pipelines").await.json()[0]["id"].clone();
    let explanation = get(&scene.server, &format!("explain/r{run}")).await.json();
    assert_eq!(explanation["reason_code"], "config_error");
    let errors = explanation["yaml_errors"].as_str().unwrap();
    assert!(errors.contains("line 1"), "{errors}");
}
