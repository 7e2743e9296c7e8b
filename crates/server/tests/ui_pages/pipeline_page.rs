//! The page of one pipeline.

use serde_json::json;
use tappet_server::testing::TestServer;

use super::visitor;

#[tokio::test]
async fn jobs_stand_under_their_stages_and_left_out_ones_apart() {
    let server = TestServer::start().await;
    let project = visitor::project(&server).await;
    let run = visitor::trigger_run(&server, project, json!({})).await;
    let page = visitor::root(&server)
        .await
        .look(&format!("/acme/web/-/pipelines/{run}"))
        .await;
    let at = |text: &str| {
        page.find(text)
            .unwrap_or_else(|| panic!("no {text} in {page}"))
    };
    assert!(at("<bdi>build</bdi>") < at("compile</bdi>"));
    assert!(at("compile</bdi>") < at("<bdi>test</bdi>"));
    assert!(at("<bdi>test</bdi>") < at("unit</bdi>"));
    assert!(at("Jobs left out (1)") < at("<bdi>nightly</bdi>"));
    assert!(page.contains("<bdi class=\"trigger\">test</bdi>"), "{page}");
    assert!(page.contains(&format!(
        "/api/v4/projects/{project}/pipelines/{run}/events"
    )));
}

#[tokio::test]
async fn variables_and_the_payload_are_shown_to_who_may_see_them() {
    let server = TestServer::start().await;
    let project = visitor::project(&server).await;
    let body = json!({ "variables": { "GREETING": "<b>hi</b>" }, "extra": "payload" });
    let run = visitor::trigger_run(&server, project, body).await;
    let page = visitor::root(&server)
        .await
        .look(&format!("/acme/web/-/pipelines/{run}"))
        .await;
    assert!(page.contains("<code>GREETING</code>"), "{page}");
    assert!(page.contains("&#60;b&#62;hi&#60;/b&#62;"), "{page}");
    let payload = page
        .find("<code>TRIGGER_PAYLOAD</code>")
        .expect("the payload is listed");
    assert!(
        page[payload..].contains("<details><summary>file, "),
        "{page}"
    );
}

#[tokio::test]
async fn an_invalid_file_is_explained_with_its_line() {
    let server = TestServer::start().await;
    let file = "job:\n  script: [true]\n  nonsense: 1\n";
    let project = server
        .project("acme/bad", &[(".gitlab-ci.yml", file)])
        .await;
    let token = server.trigger(project).await;
    let path = format!("/api/v4/projects/{project}/trigger/pipeline");
    let body = json!({ "token": token, "ref": "main" });
    let reply = server.post(&path).json(&body).send().await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    let root = visitor::root(&server).await;
    let list = root.look("/acme/bad/-/pipelines").await;
    assert!(list.contains("invalid file"), "{list}");
    let at = list
        .find("/acme/bad/-/pipelines/")
        .expect("the run is listed");
    let address: String = list[at..].chars().take_while(|one| *one != '"').collect();
    let page = root.look(&address).await;
    assert!(page.contains("The pipeline file is not valid"), "{page}");
    assert!(page.contains("nonsense"), "{page}");
    assert!(page.contains("line 3"), "{page}");
}
