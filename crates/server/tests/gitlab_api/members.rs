//! Members of a project.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{TestReply, TestUser};

use super::{Scene, assert_reply};

async fn add(scene: &Scene, body: Value) -> TestReply {
    let call = scene.server.post(&scene.path("/members")).root();
    call.json(&body).send().await
}

#[tokio::test]
async fn a_member_is_added_changed_and_removed() {
    let scene = Scene::new().await;
    let bob = scene.server.user("bob").await;
    let body = json!({ "user_id": bob.id, "access_level": 30, "expires_at": "2100-01-31" });
    let reply = add(&scene, body.clone()).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let member = reply.json();
    assert_eq!(member["id"], bob.id);
    assert_eq!(member["username"], "bob");
    assert_eq!(member["access_level"], 30);
    assert_eq!(member["expires_at"], "2100-01-31");
    assert_eq!(member["created_by"]["username"], "root");
    let again = add(&scene, body).await;
    assert_reply(&again, 409, &json!({ "message": "Member already exists" }));

    let path = scene.path(&format!("/members/{}", bob.id));
    let change = scene.server.request("PUT", &path).root();
    let reply = change
        .json(&json!({ "access_level": 40, "expires_at": "" }))
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["access_level"], 40);
    assert_eq!(reply.json()["expires_at"], Value::Null);
    let all = scene.get(&format!("/members/all/{}", bob.id)).await;
    assert_eq!(all.json()["access_level"], 40);

    let gone = json!({ "message": "404 Not found" });
    let delete = || scene.server.request("DELETE", &path).root().send();
    assert_eq!(delete().await.status, 204);
    assert_reply(&delete().await, 404, &gone);
    assert_reply(
        &scene.get(&format!("/members/{}", bob.id)).await,
        404,
        &gone,
    );
}

#[rstest]
#[case(json!({}), 400, json!({ "error": "user_id, username are missing, at least one parameter must be provided, access_level is missing" }))]
#[case(json!({ "user_id": 1 }), 400, json!({ "error": "access_level is missing" }))]
#[case(json!({ "user_id": 1, "access_level": "high" }), 400, json!({ "error": "access_level is invalid" }))]
#[case(json!({ "user_id": 99, "access_level": 30 }), 404, json!({ "message": "404 User Not Found" }))]
#[case(json!({ "username": "nobody", "access_level": 30 }), 404, json!({ "message": "404 User Not Found" }))]
#[case(json!({ "username": "bob", "access_level": 35 }), 400, json!({ "message": { "access_level": ["is not included in the list"] } }))]
#[case(json!({ "username": "bob", "access_level": 30, "expires_at": "2020-01-01" }), 400, json!({ "message": { "expires_at": ["cannot be a date in the past"] } }))]
#[tokio::test]
async fn a_membership_that_cannot_be_is_refused(
    #[case] body: Value,
    #[case] status: u16,
    #[case] expected: Value,
) {
    let scene = Scene::new().await;
    scene.server.user("bob").await;
    assert_reply(&add(&scene, body).await, status, &expected);
}

#[tokio::test]
async fn several_are_added_at_once() {
    let scene = Scene::new().await;
    let ann = scene.server.user("ann").await.id;
    let bob = scene.server.user("bob").await.id;
    let both = json!({ "user_id": format!("{ann},{bob}"), "access_level": 20 });
    assert_reply(
        &add(&scene, both.clone()).await,
        201,
        &json!({ "status": "success" }),
    );
    let list = scene.get("/members?query=b").await.json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    let again = add(&scene, both).await.json();
    assert_eq!(again["message"]["bob"], "Member already exists");
    let some = scene
        .get(&format!("/members/all?user_ids={ann},{bob}"))
        .await;
    assert_eq!(some.header("x-total"), "2");
}

#[rstest]
#[case(30, 20, 403)]
#[case(40, 40, 201)]
#[case(40, 50, 403)]
#[case(50, 50, 201)]
#[tokio::test]
async fn nobody_gives_a_role_above_their_own(
    #[case] own: u32,
    #[case] given: u32,
    #[case] status: u16,
) {
    let scene = Scene::new().await;
    let giver = scene.server.member(scene.project, "giver", own).await;
    let bob = scene.server.user("bob").await;
    let body = json!({ "user_id": bob.id, "access_level": given });
    let call = scene.server.post(&scene.path("/members")).user(&giver);
    let reply = call.json(&body).send().await;
    assert_eq!(reply.status, status, "{}", reply.text());
    if status == 403 {
        assert_reply(&reply, 403, &json!({ "message": "403 Forbidden" }));
    }
}

async fn leave(scene: &Scene, who: &TestUser, id: i64) -> u16 {
    let path = scene.path(&format!("/members/{id}"));
    let call = scene.server.request("DELETE", &path).user(who);
    call.send().await.status
}

#[tokio::test]
async fn everybody_may_leave_but_not_throw_out_their_betters() {
    let scene = Scene::new().await;
    let dev = scene.server.member(scene.project, "dev", 30).await;
    let boss = scene.server.member(scene.project, "boss", 40).await;
    let owner = scene.server.member(scene.project, "owner", 50).await;
    assert_eq!(leave(&scene, &dev, boss.id).await, 403);
    assert_eq!(leave(&scene, &boss, owner.id).await, 403);
    assert_eq!(leave(&scene, &boss, dev.id).await, 204);
    assert_eq!(leave(&scene, &boss, boss.id).await, 204);
}

#[tokio::test]
async fn a_project_keeps_an_owner() {
    let scene = Scene::new().await;
    let root = scene.get("/members").await.json()[0]["id"]
        .as_i64()
        .unwrap();
    let path = scene.path(&format!("/members/{root}"));
    let reply = scene.server.request("DELETE", &path).root().send().await;
    assert_eq!(reply.status, 403);
    assert!(reply.text().contains("add another one first"));
    let lower = scene.server.request("PUT", &path).root();
    let reply = lower.json(&json!({ "access_level": 30 })).send().await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn members_are_for_those_who_are_signed_in_and_see_the_project() {
    let scene = Scene::new().await;
    let stranger = scene.server.user("stranger").await;
    let nobody = scene.server.get(&scene.path("/members")).send().await;
    assert_reply(&nobody, 401, &json!({ "message": "401 Unauthorized" }));
    let reply = scene.server.get(&scene.path("/members")).user(&stranger);
    let missing = json!({ "message": "404 Project Not Found" });
    assert_reply(&reply.send().await, 404, &missing);
}
