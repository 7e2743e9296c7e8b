//! Protected branches and tags, and who runs on them.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::TestReply;

use super::{Scene, assert_reply};

async fn protect(scene: &Scene, kind: &str, body: Value) -> TestReply {
    let call = scene
        .server
        .post(&scene.path(&format!("/protected_{kind}")));
    call.root().json(&body).send().await
}

#[tokio::test]
async fn a_branch_is_protected_once_and_shown_as_gitlab_does() {
    let scene = Scene::new().await;
    let body = json!({ "name": "release/*", "push_access_level": 30, "allow_force_push": true });
    let reply = protect(&scene, "branches", body.clone()).await;
    let rule = json!({
        "id": 1,
        "name": "release/*",
        "push_access_levels": [{
            "id": 1, "access_level": 30, "access_level_description": "Developers + Maintainers",
            "user_id": null, "group_id": null,
        }],
        "merge_access_levels": [{
            "id": 1, "access_level": 40, "access_level_description": "Maintainers",
            "user_id": null, "group_id": null,
        }],
        "allow_force_push": true,
    });
    assert_reply(&reply, 201, &rule);
    let again = protect(&scene, "branches", body).await;
    let message = "Protected branch 'release/*' already exists";
    assert_reply(&again, 409, &json!({ "message": message }));

    let one = "/protected_branches/release%2F%2A";
    assert_reply(&scene.get(one).await, 200, &rule);
    assert_reply(&scene.get("/protected_branches").await, 200, &json!([rule]));
    let patch = scene.server.request("PATCH", &scene.path(one)).root();
    let body = json!({ "allowed_to_push": [{ "access_level": 0 }], "allow_force_push": false });
    let changed = patch.json(&body).send().await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(changed.json()["push_access_levels"][0]["access_level"], 0);
    assert_eq!(changed.json()["allow_force_push"], false);
    let delete = || {
        scene
            .server
            .request("DELETE", &scene.path(one))
            .root()
            .send()
    };
    assert_eq!(delete().await.status, 204);
    assert_reply(&delete().await, 404, &json!({ "message": "404 Not found" }));
}

#[tokio::test]
async fn a_tag_is_protected_once() {
    let scene = Scene::new().await;
    let reply = protect(&scene, "tags", json!({ "name": "v*" })).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["create_access_levels"][0]["access_level"], 40);
    let again = protect(&scene, "tags", json!({ "name": "v*" })).await;
    assert_reply(
        &again,
        422,
        &json!({ "message": ["Name has already been taken"] }),
    );
    assert_eq!(scene.get("/protected_tags/v%2A").await.status, 200);
}

#[rstest]
#[case(json!({}), 400, json!({ "error": "name is missing" }))]
#[case(json!({ "name": "" }), 422, json!({ "message": ["Name can't be blank"] }))]
#[case(json!({ "name": "x", "push_access_level": 20 }), 400, json!({ "error": "push_access_level does not have a valid value" }))]
#[case(json!({ "name": "x", "unprotect_access_level": 40 }), 400, json!({ "message": "400 Bad request - unprotect_access_level is not supported by this server; leave it out" }))]
#[tokio::test]
async fn a_protection_that_cannot_be_is_refused(
    #[case] body: Value,
    #[case] status: u16,
    #[case] expected: Value,
) {
    let scene = Scene::new().await;
    assert_reply(&protect(&scene, "branches", body).await, status, &expected);
}

#[rstest]
#[case(30, 403)]
#[case(40, 200)]
#[tokio::test]
async fn protections_are_for_maintainers(#[case] level: u32, #[case] status: u16) {
    let scene = Scene::new().await;
    let user = scene.server.member(scene.project, "user", level).await;
    for kind in ["branches", "tags"] {
        let path = scene.path(&format!("/protected_{kind}"));
        let reply = scene.server.get(&path).user(&user).send().await;
        assert_eq!(reply.status, status, "{}", reply.text());
    }
}

#[rstest]
#[case(json!({ "name": "m*" }), 30, false)]
#[case(json!({ "name": "m*" }), 40, true)]
#[case(json!({ "name": "main", "push_access_level": 0, "merge_access_level": 30 }), 30, true)]
#[case(json!({ "name": "main", "push_access_level": 0, "merge_access_level": 0 }), 50, false)]
#[case(json!({ "name": "main", "push_access_level": 60, "merge_access_level": 60 }), 50, false)]
#[case(json!({ "name": "main", "developers_can_merge": true }), 30, true)]
#[case(json!({ "name": "other" }), 30, true)]
#[tokio::test]
async fn who_may_push_or_merge_may_run(
    #[case] rule: Value,
    #[case] level: u32,
    #[case] may_run: bool,
) {
    let scene = Scene::new().await;
    assert_eq!(protect(&scene, "branches", rule).await.status, 201);
    let user = scene.server.member(scene.project, "user", level).await;
    let call = scene.server.post(&scene.path("/pipeline")).user(&user);
    let reply = call.json(&json!({ "ref": "main" })).send().await;
    if may_run {
        assert_eq!(reply.status, 201, "{}", reply.text());
    } else {
        let text = "You do not have sufficient permission to run a pipeline on 'main'. \
                    Please select a different branch or contact your administrator for assistance.";
        assert_reply(&reply, 400, &json!({ "message": { "base": [text] } }));
    }
}
