//! Binding a project to its forge.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_model::ForgeKind;
use tappet_server::testing::{TestReply, TestServer};

use super::forge_scene::{ForgeScene, SECRET, send};
use super::{PIPELINE, Scene, assert_reply};

async fn put(scene: &Scene, body: &Value) -> TestReply {
    let request = scene.server.request("PUT", &scene.path("/forge")).root();
    request.json(body).send().await
}

#[tokio::test]
async fn a_binding_is_shown_without_its_secrets() {
    let scene = ForgeScene::new(ForgeKind::Github).await;
    let reply = scene.bind(&json!({})).await;
    assert_eq!(reply.status, 200);
    let shown = scene.shown().await;
    assert_eq!(shown["kind"], "github");
    assert_eq!(shown["api_url"], scene.forge.url());
    assert_eq!(shown["repository"], "acme/web");
    let project = scene.scene.project;
    let address = format!("{}/-/hooks/forge/{project}", scene.scene.server.url());
    assert_eq!(shown["webhook_url"], address);
    assert_eq!(shown["owner"]["username"], "root");
    assert_eq!(shown["last_error"], Value::Null);
    for text in [reply.text(), shown.to_string()] {
        assert!(!text.contains(SECRET) && !text.contains("token"), "{text}");
    }
}

#[tokio::test]
async fn a_secret_that_is_made_here_is_shown_once() {
    let scene = Scene::new().await;
    let body = json!({ "kind": "github", "repository": "acme/web", "token": "t" });
    let first = put(&scene, &body).await.json();
    let secret = first["webhook_secret"].as_str().unwrap();
    assert!(secret.starts_with("tpfh-") && secret.len() > 24, "{secret}");
    assert_eq!(first["api_url"], "https://api.github.com");
    let again = put(&scene, &body).await.json();
    assert_eq!(again.get("webhook_secret"), None);
    let shown = scene.get("/forge").await.json();
    assert_eq!(shown.get("webhook_secret"), None);
}

#[tokio::test]
async fn token_and_secret_stay_with_the_forge_that_they_were_given_for() {
    let scene = Scene::new().await;
    let whole = json!({
        "kind": "gitea", "api_url": "https://git.example.com/api/v1",
        "repository": "acme/web", "token": "t", "webhook_secret": "s",
    });
    assert_eq!(put(&scene, &whole).await.status, 200);
    let mut moved = json!({
        "kind": "gitea", "api_url": "https://git.example.com/api/v1/", "repository": "acme/shop",
    });
    let reply = put(&scene, &moved).await.json();
    assert_eq!(reply["repository"], "acme/shop");
    assert_eq!(reply.get("webhook_secret"), None);
    moved["api_url"] = json!("https://evil.example.com/api/v1");
    let refusal = json!({ "message": { "token": ["is missing: give one of this forge"] } });
    assert_reply(&put(&scene, &moved).await, 400, &refusal);
}

#[rstest]
#[case::kind("kind", json!("svn"), "is no kind of forge")]
#[case::address("api_url", json!("git.example.com"), "must be an http or https address")]
#[case::scheme("api_url", json!("gopher://git.example.com"), "must begin with http")]
#[case::login("api_url", json!("https://me:pw@git.example.com"), "no user or password")]
#[case::query("api_url", json!("https://git.example.com/?a=b"), "no `?`")]
#[case::fragment("api_url", json!("https://git.example.com/#a"), "no `#`")]
#[case::loopback("api_url", json!("http://127.0.0.1:9/api"), "allow_local_requests")]
#[case::private("api_url", json!("http://[::ffff:10.0.0.1]/api"), "allow_local_requests")]
#[case::repository("repository", json!("web"), "owner and name")]
#[case::dots("repository", json!("../web"), "owner and name")]
#[case::token("token", json!("a b"), "access token")]
#[case::secret("webhook_secret", json!("a b"), "without spaces")]
#[tokio::test]
async fn what_no_forge_has_is_refused_by_field(
    #[case] field: &str,
    #[case] value: Value,
    #[case] expected: &str,
) {
    let server = TestServer::start_with(|config| config.allow_local_requests = false).await;
    let project = server.project("acme/web", &[PIPELINE]).await;
    let scene = Scene { server, project };
    let mut body = json!({ "kind": "github", "repository": "acme/web", "token": "t" });
    body[field] = value;
    let reply = put(&scene, &body).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let text = reply.json()["message"][field][0].to_string();
    assert!(text.contains(expected), "{}", reply.text());
    assert_eq!(scene.get("/forge").await.status, 404);
}

#[rstest]
#[case(json!({ "kind": "gitea", "repository": "acme/web", "token": "t" }), "api_url")]
#[case(json!({ "kind": "github", "repository": "acme/web" }), "token")]
#[tokio::test]
async fn what_has_no_default_must_be_given(#[case] body: Value, #[case] field: &str) {
    let scene = Scene::new().await;
    let reply = put(&scene, &body).await;
    assert_eq!(reply.status, 400);
    let text = reply.json()["message"][field][0].to_string();
    assert!(text.contains("is missing"), "{}", reply.text());
}

#[tokio::test]
async fn absent_parameters_are_named() {
    let scene = Scene::new().await;
    let refusal = json!({ "error": "kind is missing, kind is empty, repository is missing, repository is empty" });
    assert_reply(&put(&scene, &json!({})).await, 400, &refusal);
}

#[tokio::test]
async fn only_maintainers_see_or_change_it() {
    let scene = ForgeScene::new(ForgeKind::Github).await;
    let Scene { server, project } = &scene.scene;
    let developer = server.member(*project, "dev", 30).await;
    let maintainer = server.member(*project, "boss", 40).await;
    for (method, rest) in [
        ("GET", "/forge"),
        ("PUT", "/forge"),
        ("DELETE", "/forge"),
        ("GET", "/forge/deliveries"),
    ] {
        let path = scene.scene.path(rest);
        let reply = server.request(method, &path).user(&developer).send().await;
        assert_eq!(reply.status, 403, "{method} {rest}");
    }
    let path = scene.scene.path("/forge");
    let reply = server.get(&path).user(&maintainer).send().await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_removed_binding_takes_no_webhooks() {
    let scene = ForgeScene::new(ForgeKind::Github).await;
    let delivery = scene.delivery("ping", "1", &scene.pushed());
    let Scene { server, project } = &scene.scene;
    assert_eq!(send(server, *project, &delivery).await.status, 200);
    let path = scene.scene.path("/forge");
    let reply = server.request("DELETE", &path).root().send().await;
    assert_eq!(reply.status, 204);
    assert_eq!(scene.scene.get("/forge").await.status, 404);
    assert_eq!(scene.scene.get("/forge/deliveries").await.status, 404);
    let delivery = scene.delivery("ping", "2", &scene.pushed());
    assert_eq!(send(server, *project, &delivery).await.status, 401);
}

#[tokio::test]
async fn changes_stand_in_the_audit_log() {
    let scene = ForgeScene::new(ForgeKind::Gitlab).await;
    scene.bind(&json!({ "repository": "7" })).await;
    let path = scene.scene.path("/forge");
    scene
        .scene
        .server
        .request("DELETE", &path)
        .root()
        .send()
        .await;
    let log = scene.scene.get("/audit_events").await.text();
    for action in ["forge_bound", "forge_changed", "forge_removed"] {
        assert!(log.contains(action), "{action}: {log}");
    }
    assert!(!log.contains(SECRET), "{log}");
}
