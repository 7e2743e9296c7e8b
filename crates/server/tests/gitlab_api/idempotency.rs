//! `Idempotency-Key`: a repeated request starts nothing twice.

use rstest::rstest;
use serde_json::json;
use tappet_server::testing::TestReply;

use super::{Scene, runner};

async fn trigger(scene: &Scene, token: &str, key: &str, form: &str) -> TestReply {
    scene
        .server
        .post(&scene.path("/trigger/pipeline"))
        .header("idempotency-key", key)
        .form(&format!("token={token}&{form}"))
        .send()
        .await
}

#[tokio::test]
async fn the_same_request_gets_the_same_bytes_again() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let first = trigger(&scene, &token, "deploy 1", "ref=main&variables[A]=1").await;
    assert_eq!(first.status, 201, "{}", first.text());
    assert_eq!(first.header("idempotent-replayed"), "");
    runner::take(&scene.server).await.end("success").await;

    let again = scene
        .server
        .post(&scene.path(&format!("/trigger/pipeline?token={token}")))
        .header("idempotency-key", "deploy 1")
        .json(&json!({ "variables": { "A": "1" }, "ref": "main" }))
        .send()
        .await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(scene.runs().await, 1);
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    assert_eq!(trigger(&scene, &token, "k", "ref=main").await.status, 201);
    let other = trigger(&scene, &token, "k", "ref=main&variables[A]=1").await;
    assert_eq!(other.status, 422, "{}", other.text());
    assert!(other.text().contains("Idempotency-Key"));
    assert_eq!(scene.runs().await, 1);
}

#[tokio::test]
async fn a_key_belongs_to_its_token() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let other = scene.server.trigger(scene.project).await;
    assert_eq!(trigger(&scene, &token, "k", "ref=main").await.status, 201);
    let second = trigger(&scene, &other, "k", "ref=main").await;
    assert_eq!(second.header("idempotent-replayed"), "");
    assert_eq!(scene.runs().await, 2);
}

#[tokio::test]
async fn a_kept_failure_is_replayed_and_a_refusal_is_not_remembered() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let form = "ref=main&variables[TRIGGER_PAYLOAD]=x";
    let first = trigger(&scene, &token, "kept", form).await;
    let again = trigger(&scene, &token, "kept", form).await;
    assert_eq!((first.status, again.status), (422, 422));
    assert_eq!(first.body, again.body);
    assert_eq!(again.header("idempotent-replayed"), "true");

    assert_eq!(
        trigger(&scene, &token, "refused", "ref=nothing")
            .await
            .status,
        400
    );
    let other = trigger(&scene, &token, "refused", "ref=main").await;
    assert_eq!(other.status, 201, "{}", other.text());
}

#[tokio::test]
async fn requests_at_the_same_time_start_one_run() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let one = || trigger(&scene, &token, "k", "ref=main");
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    for reply in [&a, &b, &c, &d] {
        assert_eq!(
            (reply.status, &reply.body),
            (201, &a.body),
            "{}",
            reply.text()
        );
    }
    assert_eq!(scene.runs().await, 1);
}

#[rstest]
#[case("")]
#[case("tab\there")]
#[case(&"k".repeat(256))]
#[tokio::test]
async fn a_key_is_printable_and_short(#[case] key: &str) {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let reply = trigger(&scene, &token, key, "ref=main").await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(scene.runs().await, 0);
}

#[tokio::test]
async fn it_works_for_pipelines_of_people_too() {
    let scene = Scene::new().await;
    let create = async || {
        scene
            .server
            .post(&scene.path("/pipeline"))
            .root()
            .header("idempotency-key", "k")
            .json(&json!({ "ref": "main" }))
            .send()
            .await
    };
    let (first, again) = (create().await, create().await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!(again.header("idempotent-replayed"), "true");
}
