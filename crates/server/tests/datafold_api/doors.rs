//! Who gets in, and which addresses there are.

use rstest::rstest;
use serde_json::json;
use tappet_server::testing::{ROOT_TOKEN, TestServer};

use super::{Scene, assert_refused, signed};

#[rstest]
#[case::sdk("authorization", "Key TOKEN")]
#[case::other_case("authorization", "key TOKEN")]
#[case::bearer("authorization", "Bearer TOKEN")]
#[case::gitlab("private-token", "TOKEN")]
#[tokio::test]
async fn an_access_token_opens_the_door(#[case] header: &str, #[case] value: &str) {
    let server = TestServer::start().await;
    let value = value.replace("TOKEN", ROOT_TOKEN);
    let request = server.get("/api/v1/data_sources").header(header, &value);
    assert_eq!(request.send().await.status, 200);
}

#[rstest]
#[case::nothing(None)]
#[case::no_scheme(Some("TOKEN"))]
#[case::other_scheme(Some("Token TOKEN"))]
#[case::basic(Some("Basic TOKEN"))]
#[case::empty(Some("Key "))]
#[case::unknown(Some("Key glpat-nobody"))]
#[case::longer_than_any(Some("Key LONG"))]
#[tokio::test]
async fn nobody_else_gets_in(#[case] value: Option<&str>) {
    let scene = Scene::new().await;
    for (method, path) in [
        ("GET", scene.path("/runs")),
        ("POST", scene.path("/6")),
        (
            "POST",
            format!("/api/v1/dbt/submit_artifacts/{}", scene.config),
        ),
        ("GET", "/api/v1/organization/meta".to_owned()),
    ] {
        let mut request = scene.server.request(method, &path);
        if let Some(value) = value {
            let value = value.replace("TOKEN", ROOT_TOKEN);
            let value = value.replace("LONG", &"x".repeat(9000));
            request = request.header("authorization", &value);
        }
        let reply = request.send().await;
        assert_refused(&reply, 401, "Not authenticated");
        assert_eq!(reply.header("www-authenticate"), "Key");
    }
}

#[tokio::test]
async fn a_key_reaches_as_far_as_its_scope() {
    let scene = Scene::new().await;
    let reader = scene.server.token_of(1, &["read_api"]).await;
    let people = scene.server.token_of(1, &["read_user"]).await;
    let runs = scene.path("/runs");
    let get = |token: &str| signed(scene.server.get(&runs), token).send();
    assert_eq!(get(&reader).await.status, 200);
    let needed = "the API key needs the scope `api` or `read_api` for this call";
    assert_refused(&get(&people).await, 403, needed);
    let submit = signed(scene.server.post(&scene.path("/6")), &reader).json(&json!([]));
    let needed = "the API key needs the scope `api` for this call";
    assert_refused(&submit.send().await, 403, needed);
}

#[tokio::test]
async fn what_must_not_be_seen_is_not_there() {
    let scene = Scene::new().await;
    let stranger = scene.server.user("stranger").await;
    for (method, path) in [
        ("GET", "/api/v1/ci/ID/runs"),
        ("POST", "/api/v1/ci/ID/6"),
        ("GET", "/api/v1/ci/ID"),
        ("PATCH", "/api/v1/ci/ID"),
        ("DELETE", "/api/v1/ci/ID"),
        ("POST", "/api/v1/dbt/submit_artifacts/ID"),
        ("POST", "/api/internal/ci/ID/check_pks_in_dbt_manifest"),
    ] {
        let ask = async |id: &str, token: &str| {
            let request = scene.server.request(method, &path.replace("ID", id));
            let body = if path.ends_with("/6") {
                json!([])
            } else {
                json!({})
            };
            signed(request, token).json(&body).send().await
        };
        let own = scene.config.to_string();
        assert_refused(
            &ask(&own, &stranger.token).await,
            404,
            "CI config not found",
        );
        for nothing in ["999", "-1", "999999999999999999999999999999"] {
            assert_refused(&ask(nothing, ROOT_TOKEN).await, 404, "CI config not found");
        }
    }
}

#[tokio::test]
async fn who_may_look_may_not_start_anything() {
    let scene = Scene::new().await;
    let reporter = scene.server.member(scene.project, "rita", 20).await;
    let runs = signed(scene.server.get(&scene.path("/runs")), &reporter.token);
    assert_eq!(runs.send().await.status, 200);
    for (path, body) in [
        (scene.path("/6"), json!([])),
        (
            format!("/api/v1/dbt/submit_artifacts/{}", scene.config),
            json!({}),
        ),
    ] {
        let request = signed(scene.server.post(&path), &reporter.token);
        let reply = request.json(&body).send().await;
        assert_refused(&reply, 403, "you may not do that in the project acme/web");
    }
}

#[tokio::test]
async fn a_person_who_is_blocked_is_told_so() {
    let scene = Scene::new().await;
    let ann = scene.server.member(scene.project, "ann", 40).await;
    let block = format!("/api/v4/users/{}/block", ann.id);
    assert_eq!(scene.server.post(&block).root().send().await.status, 201);
    let reply = signed(scene.server.get(&scene.path("/runs")), &ann.token)
        .send()
        .await;
    assert_refused(&reply, 403, "your account has been blocked");
}

#[tokio::test]
async fn too_many_calls_have_to_wait() {
    let server = TestServer::start_with(|config| config.limits.calls_per_minute = 1).await;
    let call = || signed(server.get("/api/v1/data_sources"), ROOT_TOKEN).send();
    let replies = [call().await, call().await, call().await];
    // A minute may begin in between, but hardly two.
    let refused = replies.iter().find(|reply| reply.status == 429).unwrap();
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert!(refused.json()["detail"].is_string());
}

#[rstest]
#[case("GET", "/api/v1")]
#[case("GET", "/api/v1/nothing")]
#[case("POST", "/api/v1/ci/1/trigger/now")]
#[case("GET", "/api/v1//ci/1/runs")]
#[case("GET", "/api/v1/ci//runs")]
#[case("GET", "/api/internal")]
#[case("POST", "/api/internal/nothing")]
#[tokio::test]
async fn unknown_addresses_are_not_found(#[case] method: &str, #[case] path: &str) {
    let server = TestServer::start().await;
    let reply = server.request(method, path).send().await;
    assert_refused(&reply, 404, "Not Found");
}

#[rstest]
#[case("GET", "/api/v1/ci/1/7", "POST")]
#[case("DELETE", "/api/v1/ci/1/runs", "POST")]
#[case("PUT", "/api/v1/dbt/submit_artifacts/1", "POST")]
#[case("POST", "/api/v1/organization/meta", "GET")]
#[case("PUT", "/api/v1/ci/1", "PATCH")]
#[tokio::test]
async fn a_wrong_verb_is_told_the_right_ones(
    #[case] method: &str,
    #[case] path: &str,
    #[case] allowed: &str,
) {
    let server = TestServer::start().await;
    let reply = server.request(method, path).send().await;
    assert_refused(&reply, 405, "Method Not Allowed");
    let allow = reply.header("allow");
    assert!(allow.split(',').any(|verb| verb == allowed), "{allow}");
}

#[rstest]
#[case("POST", "/api/v1/ci/1/6/?a=b%2F", "/api/v1/ci/1/6?a=b%2F")]
#[case("GET", "/api/v1/ci/1/runs/", "/api/v1/ci/1/runs")]
#[case("POST", "/api/internal/sdk/log/", "/api/internal/sdk/log")]
#[tokio::test]
async fn a_slash_at_the_end_leads_to_the_address_without(
    #[case] method: &str,
    #[case] path: &str,
    #[case] expected: &str,
) {
    for (prefix, url) in [("", None), ("/tools", Some("https://ci.example.com/tools"))] {
        let server = TestServer::start_with(|config| {
            config.external_url = url.map(|url| url.parse().unwrap());
        })
        .await;
        let reply = server
            .request(method, &format!("{prefix}{path}"))
            .send()
            .await;
        assert_eq!(reply.status, 307, "{}", reply.text());
        assert_eq!(reply.header("location"), format!("{prefix}{expected}"));
    }
}

#[tokio::test]
async fn triggers_of_gitlab_ci_keep_their_addresses() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let path = format!("/api/v1/projects/{}/refs/main/trigger/", scene.project);
    let request = scene.server.post(&path).form(&format!("token={token}"));
    let reply = request.send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[tokio::test]
async fn problem_details_are_for_who_asks_for_them() {
    let scene = Scene::new().await;
    let details = "application/problem+json";
    let request = scene
        .request("GET", "/api/v1/ci/999/runs")
        .header("accept", details);
    let reply = request.send().await;
    assert_eq!(reply.header("content-type"), details);
    let expected = json!({
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "CI config not found",
        "instance": "/api/v1/ci/999/runs",
    });
    assert_eq!((reply.status, reply.json()), (404, expected));

    let nobody = scene
        .server
        .get(&scene.path("/runs"))
        .header("accept", details);
    let nobody = nobody.send().await;
    assert_eq!(
        (nobody.status, nobody.header("www-authenticate")),
        (401, "Key")
    );
    let verb = scene
        .server
        .get(&scene.path("/6"))
        .header("accept", details);
    let verb = verb.send().await;
    assert_eq!((verb.status, verb.header("allow")), (405, "POST"));
    assert_eq!(verb.header("content-type"), details);

    let path = scene.path("/runs?limit=0");
    let invalid = scene
        .request("GET", &path)
        .header("accept", details)
        .send()
        .await;
    let body = invalid.json();
    assert_eq!(body["title"], "Unprocessable Entity");
    assert_eq!(body["errors"][0]["type"], "greater_than_equal");
    let fine = scene
        .request("GET", &scene.path("/runs"))
        .header("accept", details);
    assert_eq!(fine.send().await.header("content-type"), "application/json");
}
