//! Who did what: written by what happens, read by those who may.

use serde_json::json;
use tappet_server::testing::TestServer;

const FILE: &str = "job:\n  script: echo hi\n";

#[tokio::test]
async fn every_use_of_a_trigger_is_in_the_log() {
    let server = TestServer::start().await;
    let project = server
        .project("acme/web", &[(".gitlab-ci.yml", FILE)])
        .await;
    let token = server.trigger(project).await;
    let path = format!("/api/v4/projects/{project}/trigger/pipeline");
    let form = format!("token={token}&ref=main");
    let run = server.post(&path).form(&form).send().await.json();

    let path = format!("/api/v4/projects/{project}/audit_events?event_name=run_started");
    let events = server.get(&path).root().send().await.json();
    assert_eq!(events.as_array().map(Vec::len), Some(1), "{events}");
    let event = &events[0];
    assert_eq!(event["author_id"], 1);
    assert_eq!(event["entity_type"], "Project");
    assert_eq!(event["entity_id"], project);
    assert_eq!(
        event["details"],
        json!({
            "run_id": run["id"],
            "ref": "main",
            "source": "trigger",
            "author_name": "Administrator",
            "entity_path": "acme/web",
            "credential": "trigger:1",
        })
    );
    assert!(
        !events.to_string().contains(&token),
        "no secret is in the log"
    );

    let path = format!("/api/v4/audit_events/{}", event["id"]);
    let one = server.get(&path).root().send().await;
    assert_eq!(one.json(), *event);
}

#[tokio::test]
async fn an_entry_of_another_project_is_not_found() {
    let server = TestServer::start().await;
    let first = server
        .project("acme/web", &[(".gitlab-ci.yml", FILE)])
        .await;
    let second = server.project("acme/docs", &[]).await;
    let path = format!("/api/v4/projects/{first}/pipeline");
    assert_eq!(
        server
            .post(&path)
            .root()
            .form("ref=main")
            .send()
            .await
            .status,
        201
    );
    let path = format!("/api/v4/projects/{first}/audit_events?event_name=run_started");
    let events = server.get(&path).root().send().await.json();
    let path = format!("/api/v4/projects/{second}/audit_events/{}", events[0]["id"]);
    let reply = server.get(&path).root().send().await;
    assert_eq!(reply.status, 404);
    assert_eq!(
        reply.json(),
        json!({ "message": "404 Audit Event Not Found" })
    );
}
