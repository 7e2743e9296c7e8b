//! Who did what: written by what happens, read by those who may.

use std::time::{Duration, Instant};

use rstest::rstest;
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

#[rstest]
#[case("/api/v4/projects/ID/trigger/pipeline", true)]
#[case("/api/v3/projects/ID/trigger/builds", true)]
#[case("/api/v4/projects/999/trigger/pipeline", true)]
#[case("/api/v4/projects/ID/trigger/pipeline", false)]
#[tokio::test]
async fn the_use_of_an_ended_trigger_is_in_the_log(#[case] path: &str, #[case] was_revoked: bool) {
    let server = TestServer::start().await;
    let project = server
        .project("acme/web", &[(".gitlab-ci.yml", FILE)])
        .await;
    let triggers = format!("/api/v4/projects/{project}/triggers");
    let mut body = json!({ "description": "nightly" });
    if !was_revoked {
        body["expires_at"] = json!("2020-01-01");
    }
    let made = server.post(&triggers).root().json(&body).send().await;
    let trigger = made.json();
    if was_revoked {
        let one = format!("{triggers}/{}", trigger["id"]);
        let revoked = server.request("DELETE", &one).root().send().await;
        assert_eq!(revoked.status, 204);
    }
    let token = trigger["token"].as_str().unwrap();
    let path = path.replace("ID", &project.to_string());
    let form = format!("token={token}&ref=main");
    assert_eq!(server.post(&path).form(&form).send().await.status, 404);

    let event = first_event(&server, project, "trigger_refused").await;
    assert_eq!(event["author_id"], -1);
    assert_eq!(event["details"]["trigger_id"], trigger["id"]);
    assert_eq!(event["details"]["description"], "nightly");
    let reason = if was_revoked { "revoked" } else { "expired" };
    assert_eq!(event["details"]["reason"], reason);
    assert!(
        !event.to_string().contains(token),
        "no secret is in the log"
    );
}

/// The newest entry of this name, which may be written after the answer.
async fn first_event(server: &TestServer, project: i64, name: &str) -> serde_json::Value {
    let path = format!("/api/v4/projects/{project}/audit_events?event_name={name}");
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let events = server.get(&path).root().send().await.json();
        match events.get(0) {
            Some(event) => return event.clone(),
            None => assert!(Instant::now() < deadline, "no {name} is in the log"),
        }
    }
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
