//! Trigger tokens: create, list, get, delete.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Scene, assert_reply};

async fn create(scene: &Scene, body: Value) -> tappet_server::testing::TestReply {
    scene
        .server
        .post(&scene.path("/triggers"))
        .root()
        .json(&body)
        .send()
        .await
}

#[tokio::test]
async fn a_new_trigger_shows_its_whole_token_to_its_owner() {
    let scene = Scene::new().await;
    let reply = create(&scene, json!({ "description": "nightly" })).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let shown = reply.json();
    let token = shown["token"].as_str().unwrap();
    assert!(token.starts_with("glptt-") && token.len() >= 26, "{token}");
    let keys: Vec<&String> = shown.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "token",
            "description",
            "created_at",
            "updated_at",
            "last_used",
            "expires_at",
            "owner"
        ]
    );
    assert_eq!(shown["description"], "nightly");
    assert_eq!(shown["last_used"], Value::Null);
    assert_eq!(shown["expires_at"], Value::Null);
    assert_eq!(shown["owner"]["username"], "root");

    let got = scene.get(&format!("/triggers/{}", shown["id"])).await;
    assert_reply(&got, 200, &shown);
    let list = scene.get("/triggers").await;
    assert_reply(&list, 200, &json!([shown]));
    assert_eq!(list.header("x-total"), "1");
}

#[tokio::test]
async fn a_description_is_required_but_may_be_blank() {
    let scene = Scene::new().await;
    let reply = create(&scene, json!({})).await;
    assert_reply(&reply, 400, &json!({ "error": "description is missing" }));
    assert_eq!(
        create(&scene, json!({ "description": "" })).await.status,
        201
    );
}

#[rstest]
#[case("abc")]
#[case("01/01/2050")]
#[case("25/26/27")]
#[case("2308")]
#[tokio::test]
async fn an_expiry_that_is_no_time_is_refused(#[case] expires_at: &str) {
    let scene = Scene::new().await;
    let reply = create(
        &scene,
        json!({ "description": "x", "expires_at": expires_at }),
    )
    .await;
    assert_reply(&reply, 400, &json!({ "error": "expires_at is invalid" }));
}

#[tokio::test]
async fn an_expiry_too_far_away_names_the_last_day() {
    let scene = Scene::new().await;
    let reply = create(
        &scene,
        json!({ "description": "x", "expires_at": "2999-01-01" }),
    )
    .await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let message = reply.json()["message"].as_str().unwrap().to_owned();
    let inner = message.strip_prefix("400 Bad request - ").unwrap();
    let inner: Value = serde_json::from_str(inner).unwrap();
    let text = inner["expires_at"][0].as_str().unwrap();
    assert!(text.starts_with("must be before 20"), "{text}");
}

#[tokio::test]
async fn a_run_marks_its_trigger_as_used() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let created_at = scene.get(&format!("/pipelines/{run}")).await.json()["created_at"].clone();
    let trigger = &scene.get("/triggers").await.json()[0];
    assert_eq!(trigger["last_used"], created_at);
}

#[tokio::test]
async fn an_expired_trigger_is_not_shown() {
    let scene = Scene::new().await;
    let body = json!({ "description": "old", "expires_at": "2020-01-01" });
    let id = create(&scene, body).await.json()["id"].clone();
    assert_reply(&scene.get("/triggers").await, 200, &json!([]));
    let reply = scene.get(&format!("/triggers/{id}")).await;
    assert_reply(&reply, 404, &json!({ "message": "404 Not found" }));
}

#[tokio::test]
async fn a_deleted_trigger_is_gone() {
    let scene = Scene::new().await;
    let id = create(&scene, json!({ "description": "x" })).await.json()["id"].clone();
    let path = scene.path(&format!("/triggers/{id}"));
    let delete = || scene.server.request("DELETE", &path).root();
    let reply = delete().json(&json!({})).send().await;
    assert_eq!((reply.status, reply.text().as_str()), (204, ""));
    let gone = json!({ "message": "404 Not found" });
    assert_reply(&delete().send().await, 404, &gone);
    assert_reply(&scene.get(&format!("/triggers/{id}")).await, 404, &gone);
}

#[rstest]
#[case("Sat, 01 Jan 2000 00:00:00 GMT", 412)]
#[case("Fri, 01 Jan 2100 00:00:00 GMT", 204)]
#[case("nonsense", 204)]
#[tokio::test]
async fn a_deletion_can_depend_on_the_last_change(#[case] since: &str, #[case] status: u16) {
    let scene = Scene::new().await;
    let id = create(&scene, json!({ "description": "x" })).await.json()["id"].clone();
    let path = scene.path(&format!("/triggers/{id}"));
    let reply = scene
        .server
        .request("DELETE", &path)
        .root()
        .header("if-unmodified-since", since)
        .send()
        .await;
    assert_eq!(reply.status, status, "{}", reply.text());
    if status == 412 {
        assert_eq!(
            reply.json(),
            json!({ "message": "412 Precondition Failed" })
        );
    }
}

#[tokio::test]
async fn triggers_belong_to_their_project() {
    let scene = Scene::new().await;
    let other = scene.server.project("acme/other", &[super::PIPELINE]).await;
    let id = create(&scene, json!({ "description": "x" })).await.json()["id"].clone();
    let path = format!("/api/v4/projects/{other}/triggers/{id}");
    let gone = json!({ "message": "404 Not found" });
    assert_reply(&scene.server.get(&path).root().send().await, 404, &gone);
    assert_reply(
        &scene.server.request("DELETE", &path).root().send().await,
        404,
        &gone,
    );
    let reply = scene.get("/triggers/abc").await;
    assert_reply(&reply, 400, &json!({ "error": "trigger_id is invalid" }));
}

#[tokio::test]
async fn strangers_must_sign_in() {
    let scene = Scene::new().await;
    let reply = scene.server.get(&scene.path("/triggers")).send().await;
    assert_reply(&reply, 401, &json!({ "message": "401 Unauthorized" }));
}
