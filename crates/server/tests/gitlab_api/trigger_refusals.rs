//! The main call, when it is refused: each check with its status and body.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Scene, assert_reply, runner};

#[rstest]
#[case(json!({}), "ref is missing, ref is empty, token is missing")]
#[case(json!({"ref":"main"}), "token is missing")]
#[case(json!({"token":"TOKEN"}), "ref is missing, ref is empty")]
#[case(json!({"token":"TOKEN","ref":""}), "ref is empty")]
#[case(json!({"token":"TOKEN","ref":["main"]}), "ref is invalid")]
#[case(json!({"token":"TOKEN","ref":"main","variables":[]}), "variables is invalid")]
#[case(json!({"token":"TOKEN","ref":"main","variables":"A=1"}), "variables is invalid")]
#[case(json!({"token":"TOKEN","ref":"main","variables":""}), "variables is invalid")]
#[case(json!({"token":"TOKEN","ref":"main","inputs":[1]}), "inputs is invalid")]
#[tokio::test]
async fn parameters_are_checked_first(#[case] body: Value, #[case] error: &str) {
    let scene = Scene::new().await;
    let reply = post(&scene, body).await;
    assert_reply(&reply, 400, &json!({ "error": error }));
    assert_eq!(scene.runs().await, 0);
}

#[rstest]
#[case(json!(1))]
#[case(json!(true))]
#[case(json!(null))]
#[case(json!(["x"]))]
#[case(json!({"x":"y"}))]
#[tokio::test]
async fn every_variable_is_a_text(#[case] value: Value) {
    let scene = Scene::new().await;
    let body = json!({ "token": "TOKEN", "ref": "main", "variables": { "A": value } });
    let reply = post(&scene, body).await;
    let message = "variables needs to be a map of key-valued strings";
    assert_reply(&reply, 400, &json!({ "message": message }));
}

#[rstest]
#[case("Pipeline Hook", 403)]
#[case("Push Hook", 201)]
#[case("Tag Push Hook", 201)]
#[case("Job Hook", 201)]
#[tokio::test]
async fn a_pipeline_webhook_starts_no_pipeline(#[case] event: &str, #[case] status: u16) {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let reply = scene
        .server
        .post(&scene.path("/trigger/pipeline"))
        .header("x-gitlab-event", event)
        .form(&format!("token={token}&ref=main"))
        .send()
        .await;
    assert_eq!(reply.status, status, "{}", reply.text());
    if status == 403 {
        assert_eq!(reply.json(), json!({ "message": "403 Forbidden" }));
    }
}

#[tokio::test]
async fn unknown_projects_and_useless_tokens_cannot_be_told_apart() {
    let scene = Scene::new().await;
    let other = scene.server.project("acme/other", &[super::PIPELINE]).await;
    let good = scene.server.trigger(scene.project).await;
    let foreign = scene.server.trigger(other).await;
    let revoked = revoked_token(&scene).await;
    let expired = expired_token(&scene).await;
    let here = scene.project.to_string();
    let cases = [
        ("999", good.as_str()),
        ("acme%2Fnothing", &good),
        ("web", &good),
        (&here, "glptt-unknown"),
        (&here, ""),
        (&here, &foreign),
        (&here, &revoked),
        (&here, &expired),
        (&here, tappet_server::testing::ROOT_TOKEN),
        (&here, "glcbt-1_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        (&here, &"x".repeat(9000)),
    ];
    for (project, token) in cases {
        let path = format!("/api/v4/projects/{project}/trigger/pipeline");
        let reply = scene
            .server
            .post(&path)
            .form(&format!("token={token}&ref=main"))
            .send()
            .await;
        assert_reply(&reply, 404, &json!({ "message": "404 Not Found" }));
    }
    assert_eq!(scene.runs().await, 0);
}

async fn revoked_token(scene: &Scene) -> String {
    let body = json!({ "description": "revoked" });
    let path = scene.path("/triggers");
    let trigger = scene
        .server
        .post(&path)
        .root()
        .json(&body)
        .send()
        .await
        .json();
    let path = format!("{path}/{}", trigger["id"]);
    assert_eq!(
        scene
            .server
            .request("DELETE", &path)
            .root()
            .send()
            .await
            .status,
        204
    );
    trigger["token"].as_str().unwrap().to_owned()
}

async fn expired_token(scene: &Scene) -> String {
    let body = json!({ "description": "expired", "expires_at": "2020-01-01T00:00:00Z" });
    let reply = scene
        .server
        .post(&scene.path("/triggers"))
        .root()
        .json(&body)
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_running_jobs_token_of_another_project_is_not_found() {
    let scene = Scene::new().await;
    let other = scene.server.project("acme/other", &[super::PIPELINE]).await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    let path = format!("/api/v4/projects/{other}/trigger/pipeline");
    let form = format!("token={}&ref=main", job.token);
    let reply = scene.server.post(&path).form(&form).send().await;
    assert_reply(&reply, 404, &json!({ "message": "404 Not Found" }));
}

#[rstest]
#[case("nothing".to_owned())]
#[case("-x".to_owned())]
#[case("--upload-pack=touch /tmp/x".to_owned())]
#[case("a..b".to_owned())]
#[case("../../x".to_owned())]
#[case("HEAD".to_owned())]
#[case("@{-1}".to_owned())]
#[case("main\nx".to_owned())]
#[case("x".repeat(10_000))]
#[case("0123456789012345678901234567890123456789".to_owned())]
#[tokio::test]
async fn what_is_no_branch_or_tag_is_not_a_reference(#[case] ref_name: String) {
    let scene = Scene::new().await;
    let reply = post(&scene, json!({ "token": "TOKEN", "ref": ref_name })).await;
    let body = json!({ "message": { "base": ["Reference not found"] } });
    assert_reply(&reply, 400, &body);
    assert_eq!(scene.runs().await, 0);
}

#[tokio::test]
async fn the_commits_own_id_is_not_a_reference_either() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let sha = scene.get(&format!("/pipelines/{run}")).await.json()["sha"].clone();
    let reply = post(&scene, json!({ "token": "TOKEN", "ref": sha })).await;
    let body = json!({ "message": { "base": ["Reference not found"] } });
    assert_reply(&reply, 400, &body);
}

#[rstest]
#[case("application/json", "{\"ref\":\"a\\u0000b\",\"token\":\"t\"}")]
#[case("application/json", "{\"ref\":")]
#[case("application/x-www-form-urlencoded", "ref=a%00b&token=t")]
#[case("application/x-www-form-urlencoded", "ref=%FF&token=t")]
#[case(
    "application/x-www-form-urlencoded",
    "ref=a&variables=1&variables[A]=2"
)]
#[case("multipart/form-data; boundary=X", "no multipart")]
#[tokio::test]
async fn broken_bodies_are_bad_requests(#[case] content_type: &str, #[case] body: &str) {
    let scene = Scene::new().await;
    let reply = scene
        .server
        .post(&scene.path("/trigger/pipeline"))
        .body(content_type, body.to_owned())
        .send()
        .await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.json()["error"].is_string());
}

#[tokio::test]
async fn other_content_types_and_huge_bodies_are_refused() {
    let scene = Scene::new().await;
    let path = scene.path("/trigger/pipeline");
    let reply = scene.server.post(&path).body("image/png", "x").send().await;
    assert_eq!(reply.status, 415, "{}", reply.text());
    let huge = "x".repeat(6 * 1024 * 1024);
    let reply = scene
        .server
        .post(&path)
        .form(&format!("ref={huge}"))
        .send()
        .await;
    assert_eq!(reply.status, 413, "{}", reply.text());
}

#[tokio::test]
async fn a_name_that_no_variable_can_have_is_refused() {
    let scene = Scene::new().await;
    let body = json!({ "token": "TOKEN", "ref": "main", "variables": { "A-B": "1" } });
    let reply = post(&scene, body).await;
    assert_reply(
        &reply,
        400,
        &json!({ "message": {
            "variables.key": ["can contain only letters, digits and '_'."],
            "base": ["Failed to build the pipeline!"],
        }}),
    );
}

#[tokio::test]
async fn inputs_are_refused_by_name_until_they_exist() {
    let scene = Scene::new().await;
    let body = json!({ "token": "TOKEN", "ref": "main", "inputs": { "env": "prod" } });
    let reply = post(&scene, body).await;
    assert_eq!(reply.status, 400);
    let text = reply.json()["message"]["base"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        text.contains("inputs are not supported yet") && text.contains("env"),
        "{text}"
    );

    let many: serde_json::Map<String, Value> =
        (0..21).map(|at| (format!("i{at}"), json!("x"))).collect();
    let reply = post(
        &scene,
        json!({ "token": "TOKEN", "ref": "main", "inputs": many }),
    )
    .await;
    let body = json!({ "message": { "base": ["There cannot be more than 20 inputs"] } });
    assert_reply(&reply, 400, &body);
}

#[tokio::test]
async fn an_own_payload_variable_keeps_a_failed_pipeline() {
    let scene = Scene::new().await;
    let body = json!({ "token": "TOKEN", "ref": "main", "variables": { "TRIGGER_PAYLOAD": "x" } });
    let reply = post(&scene, body).await;
    let text = "Duplicate variable name: TRIGGER_PAYLOAD";
    assert_reply(&reply, 422, &json!({ "message": { "base": [text] } }));
    let run = &scene.get("/pipelines").await.json()[0];
    assert_eq!(run["status"], "failed");
    let variables = scene
        .get(&format!("/pipelines/{}/variables", run["id"]))
        .await;
    assert_eq!(variables.json(), json!([]));
}

#[tokio::test]
async fn a_wrong_file_keeps_a_failed_pipeline_that_says_why() {
    let scene =
        Scene::with_file((".gitlab-ci.yml", "broken:\n  script: [1, {a: b}]\n  x: 1\n")).await;
    let reply = post(&scene, json!({ "token": "TOKEN", "ref": "main" })).await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    let text = reply.json()["message"]["base"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(text.contains("broken"), "{text}");
    let run = &scene.get("/pipelines?yaml_errors=true").await.json()[0];
    assert_eq!(run["status"], "failed");
    let shown = scene.get(&format!("/pipelines/{}", run["id"])).await.json();
    assert!(shown["yaml_errors"].as_str().unwrap().starts_with(&text));
}

#[tokio::test]
async fn what_looks_like_html_is_taken_out_of_error_texts() {
    let file = "\"<img src=x>job\":\n  script: [1, {a: b}]\n  x: 1\n";
    let scene = Scene::with_file((".gitlab-ci.yml", file)).await;
    let reply = post(&scene, json!({ "token": "TOKEN", "ref": "main" })).await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    let shown = reply.text();
    assert!(
        shown.contains("jobs:job ") && !shown.contains('<'),
        "{shown}"
    );
}

#[tokio::test]
async fn a_missing_file_keeps_nothing() {
    let scene = Scene::with_file(("README", "no pipeline here")).await;
    let reply = post(&scene, json!({ "token": "TOKEN", "ref": "main" })).await;
    let body = json!({ "message": { "base": ["Missing CI config file"] } });
    assert_reply(&reply, 400, &body);
    assert_eq!(scene.runs().await, 0);
}

#[tokio::test]
async fn a_full_queue_asks_to_come_back_later() {
    let server =
        tappet_server::testing::TestServer::start_with(|config| config.queue_limit = 1).await;
    let project = server.project("acme/web", &[super::PIPELINE]).await;
    let scene = Scene { server, project };
    scene.run().await;
    let reply = post(&scene, json!({ "token": "TOKEN", "ref": "main" })).await;
    assert_eq!(reply.status, 429, "{}", reply.text());
    assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
    assert!(reply.json()["message"]["error"].is_string());
    assert_eq!(scene.runs().await, 1);
}

#[tokio::test]
async fn a_repository_that_is_gone_asks_to_come_back_later() {
    let scene = Scene::new().await;
    let repositories = scene.server.scratch().join("repositories");
    std::fs::rename(repositories.join("acme-web"), repositories.join("moved")).unwrap();
    let reply = post(&scene, json!({ "token": "TOKEN", "ref": "main" })).await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
    assert_eq!(scene.runs().await, 0);
}

/// Triggers with a JSON body in which `TOKEN` is a good token.
async fn post(scene: &Scene, body: Value) -> tappet_server::testing::TestReply {
    let token = scene.server.trigger(scene.project).await;
    let body = body.to_string().replace("TOKEN", &token);
    let path = scene.path("/trigger/pipeline");
    scene
        .server
        .post(&path)
        .body("application/json", body)
        .send()
        .await
}
