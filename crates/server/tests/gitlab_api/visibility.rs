//! Who sees pipelines of which project: GitLab's own table over HTTP.

use rstest::rstest;
use serde_json::json;

use super::{Scene, assert_reply};

#[rstest]
#[case("private", "enabled", true, [404, 404, 200, 200])]
#[case("private", "private", true, [404, 404, 200, 200])]
#[case("private", "enabled", false, [404, 404, 403, 200])]
#[case("private", "private", false, [404, 404, 403, 200])]
#[case("internal", "enabled", true, [404, 200, 200, 200])]
#[case("internal", "enabled", false, [404, 403, 403, 200])]
#[case("internal", "private", true, [404, 403, 200, 200])]
#[case("internal", "private", false, [404, 403, 403, 200])]
#[case("public", "enabled", true, [200, 200, 200, 200])]
#[case("public", "enabled", false, [403, 403, 403, 200])]
#[case("public", "private", true, [403, 403, 200, 200])]
#[case("public", "private", false, [403, 403, 403, 200])]
#[case("public", "disabled", true, [403, 403, 403, 403])]
#[tokio::test]
async fn pipelines_show_to_whom_they_should(
    #[case] visibility: &str,
    #[case] builds: &str,
    #[case] public_builds: bool,
    #[case] expected: [u16; 4],
) {
    let scene = Scene::new().await;
    let server = &scene.server;
    let settings = json!({
        "visibility": visibility,
        "builds_access_level": builds,
        "public_builds": public_builds,
    });
    let call = server.request("PUT", &scene.path("")).root();
    let reply = call.json(&settings).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let stranger = server.user("stranger").await;
    let guest = server.member(scene.project, "guest", 10).await;
    let reporter = server.member(scene.project, "reporter", 20).await;

    let path = scene.path("/pipelines");
    let mut statuses = [server.get(&path).send().await.status, 0, 0, 0];
    for (place, user) in statuses[1..].iter_mut().zip([stranger, guest, reporter]) {
        let reply = server.get(&path).user(&user).send().await;
        *place = reply.status;
        match reply.status {
            403 => assert_reply(&reply, 403, &json!({ "message": "403 Forbidden" })),
            404 => assert_reply(&reply, 404, &json!({ "message": "404 Project Not Found" })),
            _ => {}
        }
    }
    assert_eq!(statuses, expected);
}

#[tokio::test]
async fn external_people_see_internal_projects_as_members_only() {
    let scene = Scene::new().await;
    let server = &scene.server;
    let call = server.request("PUT", &scene.path("")).root();
    call.json(&json!({ "visibility": "internal" })).send().await;
    let contractor = server.user("contractor").await;
    let path = format!("/api/v4/users/{}", contractor.id);
    let change = server.request("PUT", &path).root();
    change.json(&json!({ "external": true })).send().await;
    let seen = async || {
        server
            .get(&scene.path(""))
            .user(&contractor)
            .send()
            .await
            .status
    };
    assert_eq!(seen().await, 404);
    let body = json!({ "user_id": contractor.id, "access_level": 10 });
    let call = server.post(&scene.path("/members")).root();
    call.json(&body).send().await;
    assert_eq!(seen().await, 200);
}
