//! The list of projects.

use serde_json::json;
use tappet_server::testing::TestServer;

use super::visitor;

#[tokio::test]
async fn a_fresh_server_says_how_to_create_a_project() {
    let server = TestServer::start().await;
    let root = visitor::root(&server).await;
    for path in ["/", "/projects"] {
        let page = root.look(path).await;
        assert!(page.contains("No projects yet"), "{page}");
        assert!(
            page.contains(&format!("{}/api/v4/projects", server.url())),
            "{page}"
        );
    }
}

#[tokio::test]
async fn each_project_shows_its_newest_pipeline() {
    let server = TestServer::start().await;
    let project = visitor::project(&server).await;
    let root = visitor::root(&server).await;
    assert!(root.look("/projects").await.contains("No pipelines yet"));
    let run = visitor::trigger_run(&server, project, json!({})).await;
    let page = root.look("/projects").await;
    assert!(
        page.contains(&format!("href=\"/acme/web/-/pipelines/{run}\"")),
        "{page}"
    );
    assert!(page.contains("Pending"), "{page}");
}
