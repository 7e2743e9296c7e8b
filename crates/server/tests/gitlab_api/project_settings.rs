//! Settings of a project, renaming, archiving, removing.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::TestReply;

use super::{PIPELINE, Scene, assert_reply};

async fn put(scene: &Scene, body: &Value) -> TestReply {
    let call = scene.server.request("PUT", &scene.path("")).root();
    call.json(body).send().await
}

#[tokio::test]
async fn settings_are_kept_and_shown() {
    let scene = Scene::new().await;
    let settings = json!({
        "name": "The Web",
        "description": "Pages",
        "default_branch": "main",
        "visibility": "internal",
        "builds_access_level": "private",
        "public_jobs": false,
        "ci_config_path": "ci/main.yml",
        "build_timeout": 7200,
        "ci_pipeline_variables_minimum_override_role": "owner",
        "restrict_user_defined_variables": true,
        "keep_latest_artifact": false,
        "auto_cancel_pending_pipelines": "disabled",
        "ci_job_token_scope_enabled": false,
    });
    let reply = put(&scene, &settings).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let shown = scene.get("").await.json();
    assert_eq!(reply.json(), shown);
    for (name, value) in settings.as_object().unwrap() {
        assert_eq!(&shown[name], value, "{name}");
    }
    let reply = put(
        &scene,
        &json!({ "jobs_enabled": false, "ci_config_path": "" }),
    )
    .await;
    assert_eq!(reply.json()["builds_access_level"], "disabled");
    assert_eq!(reply.json()["ci_config_path"], ".gitlab-ci.yml");
    assert_eq!(reply.json()["build_timeout"], 7200);
}

#[rstest]
#[case(json!({ "visibility": "secret" }), json!({ "error": "visibility does not have a valid value" }))]
#[case(json!({ "build_timeout": 5 }), json!({ "message": { "build_timeout": ["needs to be between 10 minutes and 1 month"] } }))]
#[case(json!({ "ci_config_path": "/etc/passwd" }), json!({ "message": { "ci_config_path": ["can't include leading slash or directory traversal"] } }))]
#[case(json!({ "name": " " }), json!({ "message": { "name": ["can't be blank"] } }))]
#[case(json!({ "path": "a b" }), json!({ "message": { "path": ["can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or '.', end in '.git', '.atom' or '.', or hold an empty part."] } }))]
#[case(json!({ "name": "x", "ci_default_git_depth": 5 }), json!({ "message": "400 Bad request - ci_default_git_depth cannot be set on this server; leave it out" }))]
#[case(json!({ "auto_cancel_pending_pipelines": "enabled" }), json!({ "message": "400 Bad request - auto_cancel_pending_pipelines can only be disabled on this server" }))]
#[tokio::test]
async fn a_setting_that_cannot_be_is_refused(#[case] body: Value, #[case] expected: Value) {
    let scene = Scene::new().await;
    let before = scene.get("").await.json();
    assert_reply(&put(&scene, &body).await, 400, &expected);
    assert_eq!(scene.get("").await.json(), before);
}

#[tokio::test]
async fn a_change_of_nothing_is_refused() {
    let scene = Scene::new().await;
    let reply = put(&scene, &json!({})).await;
    assert_eq!(reply.status, 400);
    assert!(
        reply
            .text()
            .contains("at least one parameter must be provided")
    );
}

#[rstest]
#[case(30, "PUT", "", 403)]
#[case(40, "PUT", "", 200)]
#[case(40, "POST", "/archive", 403)]
#[case(50, "POST", "/archive", 201)]
#[case(40, "DELETE", "", 403)]
#[case(50, "DELETE", "", 202)]
#[tokio::test]
async fn settings_are_for_maintainers_and_endings_for_owners(
    #[case] level: u32,
    #[case] method: &str,
    #[case] rest: &str,
    #[case] status: u16,
) {
    let scene = Scene::new().await;
    let user = scene.server.member(scene.project, "user", level).await;
    let call = scene.server.request(method, &scene.path(rest)).user(&user);
    let reply = call.json(&json!({ "description": "x" })).send().await;
    assert_eq!(reply.status, status, "{}", reply.text());
}

#[tokio::test]
async fn a_maintainer_does_not_open_a_project_to_the_world() {
    let scene = Scene::new().await;
    let user = scene.server.member(scene.project, "user", 40).await;
    for body in [
        json!({ "visibility": "public" }),
        json!({ "path": "other" }),
    ] {
        let call = scene.server.request("PUT", &scene.path("")).user(&user);
        let reply = call.json(&body).send().await;
        assert_reply(&reply, 403, &json!({ "message": "403 Forbidden" }));
    }
}

#[tokio::test]
async fn the_old_path_of_a_project_leads_on() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let reply = put(&scene, &json!({ "path": "site" })).await;
    assert_eq!(
        reply.json()["path_with_namespace"],
        "acme/site",
        "{}",
        reply.text()
    );

    let old = "/api/v4/projects/acme%2Fweb";
    let get = scene
        .server
        .get(&format!("{old}/pipelines?ref=main"))
        .root();
    let moved = get.send().await;
    assert_eq!(moved.status, 301);
    let to = format!("/api/v4/projects/{}/pipelines?ref=main", scene.project);
    assert_eq!(
        moved.header("location"),
        format!("{}{to}", scene.server.url())
    );
    let post = scene
        .server
        .post(&format!("{old}/pipeline?ref=main"))
        .root();
    let message = "Non GET methods are not allowed for moved projects";
    assert_reply(&post.send().await, 405, &json!({ "message": message }));
    let trigger = scene.server.post(&format!("{old}/trigger/pipeline"));
    let started = trigger
        .form(&format!("token={token}&ref=main"))
        .send()
        .await;
    assert_eq!(started.status, 201, "{}", started.text());
    let nobody = scene.server.get(old).send().await;
    assert_reply(&nobody, 404, &json!({ "message": "404 Project Not Found" }));
}

#[tokio::test]
async fn an_archived_project_starts_nothing_until_it_is_taken_back() {
    let scene = Scene::new().await;
    let archived = scene.post("/archive").await;
    assert_eq!(
        (archived.status, &archived.json()["archived"]),
        (201, &json!(true))
    );
    let start = || scene.post("/pipeline?ref=main");
    assert_ne!(start().await.status, 201);
    assert_eq!(scene.get("/pipelines").await.status, 200);
    let list = scene.server.get("/api/v4/projects?archived=true").root();
    assert_eq!(list.send().await.header("x-total"), "1");
    assert_eq!(scene.post("/unarchive").await.json()["archived"], false);
    assert_eq!(start().await.status, 201);
}

#[tokio::test]
async fn a_removed_project_is_gone_with_its_tokens_and_its_path_is_free() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let run = scene.run().await;
    let reply = scene
        .server
        .request("DELETE", &scene.path(""))
        .root()
        .send()
        .await;
    assert_reply(&reply, 202, &json!({ "message": "202 Accepted" }));
    let gone = json!({ "message": "404 Project Not Found" });
    assert_reply(&scene.get("").await, 404, &gone);
    assert_reply(&scene.get(&format!("/pipelines/{run}")).await, 404, &gone);
    let trigger = scene.server.post(&scene.path("/trigger/pipeline"));
    let reply = trigger
        .form(&format!("token={token}&ref=main"))
        .send()
        .await;
    assert_eq!(reply.status, 404);
    scene.server.project("acme/web", &[PIPELINE]).await;
    let store = &scene.server.app().store;
    assert_eq!(store.pending_attempts().await.unwrap(), []);
    purged(&scene).await;
    let left = store.run(tappet_model::RunId(run)).await.unwrap();
    assert!(left.is_none(), "{left:?}");
}

/// Waits until nothing of deleted projects is left.
async fn purged(scene: &Scene) {
    let store = &scene.server.app().store;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !store.deleted_projects().await.unwrap().is_empty() {
        assert!(std::time::Instant::now() < deadline, "a project stays");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_removed_project_keeps_no_secret_and_its_number_and_tokens_never_come_back() {
    let scene = Scene::new().await;
    let variable = json!({ "key": "PASSWORD", "value": "hunter22" });
    let add = scene.server.post(&scene.path("/variables")).root();
    assert_eq!(add.json(&variable).send().await.status, 201);
    assert_eq!(scene.post("/push_hook").await.status, 201);
    let token = scene.server.trigger(scene.project).await;
    let delete = scene.server.request("DELETE", &scene.path("")).root();
    assert_eq!(delete.send().await.status, 202);
    purged(&scene).await;

    let store = &scene.server.app().store;
    let id = tappet_model::ProjectId(scene.project);
    let level = tappet_store::VariableLevel::Project(id);
    let first = tappet_store::PageRequest::default();
    let kept = store.settings_variables(&level, first).await.unwrap();
    assert_eq!(kept.items, []);
    assert_eq!(store.push_hook(id).await.unwrap(), None);

    let next = scene.server.project("acme/web", &[PIPELINE]).await;
    assert_ne!(next, scene.project);
    let path = format!("/api/v4/projects/{next}/triggers/import");
    let import = scene.server.post(&path).root();
    let import = import.json(&json!({ "token": token })).send().await;
    assert_eq!(import.status, 400, "{}", import.text());
    let audit = scene.server.get("/api/v4/audit_events?per_page=100").root();
    let events = audit.send().await.json();
    let deleted = events.as_array().unwrap().iter();
    let deleted = deleted.filter(|event| event["event_name"] == "project_deleted");
    let deleted: Vec<_> = deleted.collect();
    assert_eq!(deleted.len(), 1, "{events}");
    assert_eq!(deleted[0]["entity_id"], scene.project);
}

#[rstest]
#[case("?min_access_level=40", &["acme/two"])]
#[case("?membership=true", &["acme/two", "acme/one"])]
#[case("?owned=true", &[])]
#[case("?sort=asc&order_by=path", &["acme/one", "acme/two"])]
#[tokio::test]
async fn people_find_their_own_projects(#[case] query: &str, #[case] expected: &[&str]) {
    let scene = Scene::new().await;
    let server = &scene.server;
    let user = server.user("user").await;
    for (path, level) in [("acme/one", 30), ("acme/two", 40)] {
        let project = server.project(path, &[PIPELINE]).await;
        let body = json!({ "user_id": user.id, "access_level": level });
        let members = format!("/api/v4/projects/{project}/members");
        server.post(&members).root().json(&body).send().await;
    }
    let call = server.get(&format!("/api/v4/projects{query}")).user(&user);
    let list = call.send().await.json();
    let list = list.as_array().unwrap_or_else(|| panic!("{list}"));
    let paths: Vec<_> = list
        .iter()
        .map(|p| p["path_with_namespace"].as_str().unwrap())
        .collect();
    assert_eq!(paths, expected);
}

#[tokio::test]
async fn a_keyset_list_goes_on_behind_the_last_id() {
    let scene = Scene::new().await;
    scene.server.project("acme/two", &[PIPELINE]).await;
    let path = "/api/v4/projects?pagination=keyset&order_by=id&sort=asc&per_page=1&simple=true";
    let first = scene.server.get(path).root().send().await;
    assert_eq!(first.json()[0]["path_with_namespace"], "acme/web");
    assert_eq!(first.header("x-total"), "");
    let next = first
        .header("link")
        .trim_start_matches(&format!("<{}", scene.server.url()));
    let (next, relation) = next.split_once('>').unwrap();
    assert_eq!(relation, "; rel=\"next\"");
    let second = scene.server.get(next).root().send().await;
    assert_eq!(second.json()[0]["path_with_namespace"], "acme/two");
    assert_eq!(second.header("link"), "");
    let by_name = path.replace("order_by=id", "order_by=name");
    let refused = scene.server.get(&by_name).root().send().await;
    let error = "Keyset pagination is not yet available for this type of request";
    assert_reply(&refused, 405, &json!({ "error": error }));
}
