//! What holds for every address of the API.

use rstest::rstest;
use serde_json::json;
use tappet_server::testing::TestServer;

use super::{Scene, assert_reply};

#[rstest]
#[case("GET", "/api/v4/nothing")]
#[case("GET", "/api/v4")]
#[case("POST", "/api/v4/projects/1/nothing/here")]
#[case("POST", "/api/v4/projects/1/ref/main/trigger")]
#[tokio::test]
async fn an_unknown_address_is_an_error_not_a_message(#[case] method: &str, #[case] path: &str) {
    let server = TestServer::start().await;
    let reply = server.request(method, path).send().await;
    assert_reply(&reply, 404, &json!({ "error": "404 Not Found" }));
}

#[rstest]
#[case("GET", "/api/v4/projects/1/trigger/pipeline")]
#[case("GET", "/api/v4/projects/1/ref/main/trigger/pipeline")]
#[case("DELETE", "/api/v4/projects")]
#[tokio::test]
async fn a_wrong_verb_reads_as_not_found_in_both_shapes(#[case] method: &str, #[case] path: &str) {
    let server = TestServer::start().await;
    let reply = server.request(method, path).send().await;
    assert_reply(
        &reply,
        404,
        &json!({ "error": "404 Not Found", "message": "404 Not Found" }),
    );
}

#[rstest]
#[case("/api/v4/version")]
#[case("/api/v4/nothing")]
#[tokio::test]
async fn every_answer_carries_the_security_headers(#[case] path: &str) {
    let server = TestServer::start().await;
    let reply = server.get(path).root().send().await;
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert_eq!(reply.header("x-frame-options"), "SAMEORIGIN");
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("x-request-id").len(), 32);
    let again = server.get(path).root().send().await;
    assert_ne!(reply.header("x-request-id"), again.header("x-request-id"));
}

#[tokio::test]
async fn pages_are_walked_by_headers_with_absolute_links() {
    let scene = Scene::new().await;
    for _ in 0..3 {
        scene.run().await;
    }
    let url = scene.server.url() + &scene.path("/pipelines");
    let first = scene.get("/pipelines?per_page=2&ref=main").await;
    assert_eq!(first.json().as_array().unwrap().len(), 2);
    assert_eq!(first.header("x-total"), "3");
    assert_eq!(first.header("x-total-pages"), "2");
    assert_eq!(first.header("x-page"), "1");
    assert_eq!(first.header("x-per-page"), "2");
    assert_eq!(first.header("x-next-page"), "2");
    assert_eq!(first.header("x-prev-page"), "");
    assert_eq!(
        first.header("link"),
        format!(
            "<{url}?ref=main&page=2&per_page=2>; rel=\"next\", \
             <{url}?ref=main&page=1&per_page=2>; rel=\"first\", \
             <{url}?ref=main&page=2&per_page=2>; rel=\"last\""
        )
    );
    let last = scene.get("/pipelines?per_page=2&page=2").await;
    assert_eq!(last.json().as_array().unwrap().len(), 1);
    assert_eq!(last.header("x-next-page"), "");
    assert_eq!(last.header("x-prev-page"), "1");
}

#[rstest]
#[case("per_page=0", "per_page has a value not allowed")]
#[case("per_page=-1", "per_page does not have a valid value")]
#[case("page=-1", "page does not have a valid value")]
#[case("page=1;--", "page is invalid")]
#[tokio::test]
async fn impossible_pages_are_refused(#[case] query: &str, #[case] error: &str) {
    let scene = Scene::new().await;
    let reply = scene.get(&format!("/pipelines?{query}")).await;
    assert_reply(&reply, 400, &json!({ "error": error }));
}

#[tokio::test]
async fn the_host_header_does_not_reach_any_link() {
    let scene = Scene::new().await;
    let reply = scene
        .server
        .get(&scene.path("/pipelines"))
        .root()
        .header("x-forwarded-host", "evil.example")
        .send()
        .await;
    assert!(!reply.header("link").contains("evil"));
}

#[rstest]
#[case("acme%2Fweb", 200)]
#[case("ACME%2fWeb", 200)]
#[case("acme%2Fweb%2Ex", 404)]
#[case("acme%252Fweb", 404)]
#[case("acme%2F..%2Fweb", 404)]
#[case("web", 404)]
#[case("99999999999999999999", 404)]
#[tokio::test]
async fn a_project_is_named_by_number_or_encoded_path(#[case] id: &str, #[case] status: u16) {
    let scene = Scene::new().await;
    let reply = scene
        .server
        .get(&format!("/api/v4/projects/{id}"))
        .root()
        .send()
        .await;
    assert_eq!(reply.status, status, "{}", reply.text());
    if status == 404 {
        assert_eq!(reply.json(), json!({ "message": "404 Project Not Found" }));
    }
}

#[rstest]
#[case("//api/v4/projects/ID/trigger/pipeline")]
#[case("/api/v4//projects/ID/trigger/pipeline")]
#[case("/api/v4/projects/ID/trigger/pipeline/?x=//")]
#[case("/api/v3/projects/ID/trigger/builds/")]
#[case("/ci/api/v1/projects/ID/refs/main//trigger/")]
#[tokio::test]
async fn a_slash_too_many_changes_nothing(#[case] path: &str) {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let path = path.replace("ID", &scene.project.to_string());
    let form = format!("token={token}&ref=main");
    let reply = scene.server.post(&path).form(&form).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[tokio::test]
async fn a_path_prefix_shows_in_links_and_addresses() {
    let server = TestServer::start_with(|config| {
        config.external_url = Some("https://ci.example.com/tools".parse().unwrap());
    })
    .await;
    let path = server.repository("prefixed", &[super::PIPELINE]);
    let body = json!({ "path": "acme/web", "import_url": path });
    let reply = server
        .post("/tools/api/v4/projects")
        .root()
        .json(&body)
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(
        reply.json()["web_url"],
        "https://ci.example.com/tools/acme/web"
    );
    let list = server.get("/tools/api/v4/projects").root().send().await;
    assert!(
        list.header("link")
            .starts_with("<https://ci.example.com/tools/api/v4/projects?")
    );
    let id = reply.json()["id"].as_i64().unwrap();
    let again = format!("/tools//api/v4/projects/{id}/");
    assert_eq!(server.get(&again).root().send().await.status, 200);
    let path = format!("/tools/api/v4/projects/{id}/ref/no%2Fsuch/trigger/pipeline?token=x");
    let reply = server.post(&path).send().await;
    assert_reply(&reply, 404, &json!({ "message": "404 Not Found" }));
}
