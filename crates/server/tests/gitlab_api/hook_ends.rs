//! Where webhooks end: in circles of runs that they start, and with their project.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::hooks::{Receiver, add, server, told};
use super::{PIPELINE, Scene};

/// Lets a webhook of one project start runs of another, which may be the same.
async fn chain(scene: &Scene, from: i64, to: i64) -> Value {
    let token = scene.server.trigger(to).await;
    let url = format!(
        "{}/api/v4/projects/{to}/ref/main/trigger/pipeline?token={token}",
        scene.server.url()
    );
    let path = format!("/api/v4/projects/{from}/hooks");
    let body = json!({ "url": url, "job_events": true });
    let reply = scene.server.post(&path).root().json(&body).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()
}

async fn ids(scene: &Scene, project: i64) -> Vec<i64> {
    let path = format!("/api/v4/projects/{project}/pipelines");
    let reply = scene.server.get(&path).root().send().await.json();
    let runs = reply.as_array().unwrap().iter();
    runs.map(|run| run["id"].as_i64().unwrap()).collect()
}

/// What a webhook has told, oldest first, once it has `count` things to tell and
/// none of them waits.
async fn settled(scene: &Scene, hook: &Value, count: usize) -> Vec<Value> {
    let path = format!(
        "/api/v4/projects/{}/hooks/{}/events",
        hook["project_id"], hook["id"]
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let events = scene.server.get(&path).root().send().await.json();
        let events = events.as_array().unwrap().clone();
        let waits = events.iter().any(|event| event["state"] == "waiting");
        if events.len() == count && !waits {
            let events = events.iter().rev();
            return events
                .map(|event| event["response_status"].clone())
                .collect();
        }
        assert!(Instant::now() < deadline, "{events:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const CUT: &str = "this webhook led to the pipeline that it would tell of";

#[tokio::test]
async fn a_webhook_is_not_told_of_what_it_led_to() {
    let scene = server(|_| {}).await;
    let hook = chain(&scene, scene.project, scene.project).await;
    scene.run().await;
    assert_eq!(settled(&scene, &hook, 2).await, ["201", CUT]);
    assert_eq!(ids(&scene, scene.project).await, [2, 1]);

    scene.run().await;
    let told = settled(&scene, &hook, 4).await;
    assert_eq!(told, ["201", CUT, "201", CUT]);
    assert_eq!(ids(&scene, scene.project).await, [4, 3, 2, 1]);
}

#[tokio::test]
async fn a_circle_of_two_projects_goes_round_once() {
    let scene = server(|_| {}).await;
    let other = scene.server.project("acme/other", &[PIPELINE]).await;
    let there = chain(&scene, scene.project, other).await;
    let back = chain(&scene, other, scene.project).await;
    scene.run().await;
    assert_eq!(settled(&scene, &there, 2).await, ["201", CUT]);
    assert_eq!(settled(&scene, &back, 1).await, ["201"]);
    assert_eq!(ids(&scene, scene.project).await, [3, 1]);
    assert_eq!(ids(&scene, other).await, [2]);
}

#[tokio::test]
async fn a_deleted_project_tells_nothing_more() {
    let receiver = Receiver::start(&[500]).await;
    let scene = server(|config| config.hook_rest = Duration::from_secs(3600)).await;
    let body = json!({ "url": receiver.url, "pipeline_events": true });
    assert_eq!(add(&scene, &body).await.status, 201);
    scene.run().await;
    receiver.until(|got| got.len() == 1).await;
    let path = scene.path("");
    let reply = scene.server.request("DELETE", &path).root().send().await;
    assert_eq!(reply.status, 202, "{}", reply.text());

    // Neither the delivery that rested nor the cancelation of the run is left.
    let app = scene.server.app();
    assert_eq!(app.store.due_deliveries().await.unwrap(), []);
    let project = scene.server.project("acme/later", &[PIPELINE]).await;
    let later = Scene {
        server: scene.server,
        project,
    };
    assert_eq!(add(&later, &body).await.status, 201);
    let run = later.run().await;
    let got = receiver.until(|got| got.len() == 2).await;
    assert_eq!(got[1].1["object_attributes"]["id"], run);
    assert_eq!(told(&got[0].1).1, "pending");
}
