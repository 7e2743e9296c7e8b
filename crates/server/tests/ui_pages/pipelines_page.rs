//! The list of pipelines.

use serde_json::json;
use tappet_server::testing::TestServer;

use super::visitor;

#[tokio::test]
async fn an_empty_list_says_how_to_start_a_pipeline() {
    let server = TestServer::start().await;
    let project = visitor::project(&server).await;
    let page = visitor::root(&server)
        .await
        .look("/acme/web/-/pipelines")
        .await;
    assert!(page.contains("No pipelines yet"));
    assert!(
        page.contains("--form token=TOKEN --form &#34;ref=main&#34;")
            || page.contains("--form token=TOKEN --form \"ref=main\""),
        "{page}"
    );
    let address = format!(
        "{}/api/v4/projects/{project}/trigger/pipeline",
        server.url()
    );
    assert!(page.contains(&address), "{page}");
}

#[tokio::test]
async fn a_triggered_run_is_marked_with_the_short_token() {
    let server = TestServer::start().await;
    let project = visitor::project(&server).await;
    let token = server.trigger(project).await;
    let path = format!("/api/v4/projects/{project}/trigger/pipeline");
    let body = json!({ "token": token, "ref": "main" });
    assert_eq!(server.post(&path).json(&body).send().await.status, 201);
    let page = visitor::root(&server)
        .await
        .look("/acme/web/-/pipelines")
        .await;
    let short: String = token.trim_start_matches("glptt-").chars().take(4).collect();
    assert!(
        page.contains("<span class=\"badge is-triggered\">triggered</span>"),
        "{page}"
    );
    assert!(page.contains(&format!(">{short}…</code>")), "{page}");
    assert!(!page.contains(&token));
    assert!(page.contains("Initial commit"));
    assert!(page.contains("title=\"build: Pending\""), "{page}");
    assert!(page.contains("title=\"test: Waiting\""), "{page}");
}

#[tokio::test]
async fn a_long_list_has_pages() {
    let server = TestServer::start().await;
    let project = visitor::project(&server).await;
    for _ in 0..21 {
        visitor::trigger_run(&server, project, json!({})).await;
    }
    let root = visitor::root(&server).await;
    let first = root.look("/acme/web/-/pipelines").await;
    assert_eq!(first.matches("<li class=\"row run\">").count(), 20);
    assert!(first.contains("href=\"?page=2\""));
    let second = root.look("/acme/web/-/pipelines?page=2").await;
    assert_eq!(second.matches("<li class=\"row run\">").count(), 1);
    assert!(second.contains("href=\"?page=1\""));
    assert!(
        root.look("/acme/web/-/pipelines?page=3")
            .await
            .contains("no more pipelines")
    );
}

#[tokio::test]
async fn names_from_outside_are_only_text() {
    let server = TestServer::start().await;
    let repository = server.repository("evil", &[(".gitlab-ci.yml", visitor::PIPELINE)]);
    let title = "<img src=x onerror=alert(1)> \u{202e}gnp";
    tappet_server::testing::commit(&repository, &[], title);
    let body = json!({ "path": "acme/evil", "import_url": repository });
    let created = server
        .post("/api/v4/projects")
        .root()
        .json(&body)
        .send()
        .await;
    let project = created.json()["id"].as_i64().unwrap();
    visitor::trigger_run(&server, project, json!({})).await;
    let page = visitor::root(&server)
        .await
        .look("/acme/evil/-/pipelines")
        .await;
    assert!(!page.contains("<img src=x"), "{page}");
    assert!(page.contains("<bdi>&#60;img src=x onerror"), "{page}");
}
