//! Pipelines: list, get, variables, create, cancel, retry, events.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::git;

use super::{PIPELINE, Scene, assert_reply, runner};

#[tokio::test]
async fn the_list_shows_the_basic_shape_with_a_name() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let list = scene.get("/pipelines").await.json();
    let keys: Vec<&String> = list[0].as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "iid",
            "project_id",
            "sha",
            "ref",
            "status",
            "source",
            "created_at",
            "updated_at",
            "web_url",
            "name"
        ]
    );
    assert_eq!(list[0]["id"], run);
    assert_eq!(list[0]["status"], "pending");
}

#[rstest]
#[case("scope=running", 0)]
#[case("scope=pending", 2)]
#[case("scope=finished", 0)]
#[case("scope=branches", 1)]
#[case("scope=tags", 0)]
#[case("status=pending", 2)]
#[case("status=success", 0)]
#[case("ref=main", 2)]
#[case("ref=main' OR 1=1 --", 0)]
#[case("sha=0000000000000000000000000000000000000000", 0)]
#[case("source=trigger", 2)]
#[case("source=push", 0)]
#[case("source=ondemand_dast_scan", 0)]
#[case("username=root", 2)]
#[case("username=nobody", 0)]
#[case("yaml_errors=false", 2)]
#[case("yaml_errors=true", 0)]
#[case("updated_after=2020-01-01T00:00:00Z", 2)]
#[case("created_before=2020-01-01T00:00:00Z", 0)]
#[case("order_by=user_id&sort=asc", 2)]
#[case("unknown=1", 2)]
#[tokio::test]
async fn each_filter_selects(#[case] query: &str, #[case] count: usize) {
    let scene = Scene::new().await;
    scene.run().await;
    scene.run().await;
    let query = query.replace(' ', "%20").replace('\'', "%27");
    let reply = scene.get(&format!("/pipelines?{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json().as_array().unwrap().len(), count);
}

#[rstest]
#[case("scope=all", "scope does not have a valid value")]
#[case(
    "scope=&sort=",
    "scope does not have a valid value, sort does not have a valid value"
)]
#[case("status=done", "status does not have a valid value")]
#[case("source=cron", "source does not have a valid value")]
#[case("order_by=id;--", "order_by does not have a valid value")]
#[case("sort=up", "sort does not have a valid value")]
#[case("yaml_errors=perhaps", "yaml_errors is invalid")]
#[case("updated_after=yesterday", "updated_after is invalid")]
#[case(
    "sort=up&status=done&scope=all",
    "scope does not have a valid value, status does not have a valid value, \
     sort does not have a valid value"
)]
#[tokio::test]
async fn a_bad_filter_is_named(#[case] query: &str, #[case] error: &str) {
    let scene = Scene::new().await;
    let reply = scene.get(&format!("/pipelines?{query}")).await;
    assert_reply(&reply, 400, &json!({ "error": error }));
}

#[rstest]
#[case(
    "GET",
    "/pipelines?scope=all",
    "scope does not have a valid value",
    400
)]
#[case(
    "GET",
    "/pipelines?per_page=0",
    "per_page has a value not allowed",
    400
)]
#[case(
    "GET",
    "/pipelines/1/jobs?scope=all",
    "scope does not have a valid value",
    400
)]
#[case(
    "GET",
    "/pipelines/1/bridges?scope[]=all",
    "scope does not have a valid value",
    400
)]
#[case("GET", "/jobs?scope=all", "scope does not have a valid value", 401)]
#[case("GET", "/jobs/artifacts/main/download", "job is missing", 400)]
#[case("POST", "/pipeline", "ref is missing, ref is empty", 401)]
#[case("POST", "/jobs/1/cancel?force=perhaps", "force is invalid", 401)]
#[case("PUT", "/pipelines/1/metadata", "name is missing", 401)]
#[tokio::test]
async fn parameters_are_checked_before_the_project_and_after_the_login(
    #[case] verb: &str,
    #[case] rest: &str,
    #[case] error: &str,
    #[case] stranger: u16,
) {
    let scene = Scene::new().await;
    let path = format!("/api/v4/projects/999{rest}");
    let call = || scene.server.request(verb, &path);
    let reply = call().root().send().await;
    assert_reply(&reply, 400, &json!({ "error": error }));
    assert_eq!(call().send().await.status, stranger);
}

#[tokio::test]
async fn a_pipeline_belongs_to_its_project() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let other = scene.server.project("acme/other", &[PIPELINE]).await;
    let path = format!("/api/v4/projects/{other}/pipelines/{run}");
    let reply = scene.server.get(&path).root().send().await;
    assert_reply(&reply, 404, &json!({ "message": "404 Not found" }));
    let reply = scene.get("/pipelines/abc").await;
    assert_reply(&reply, 400, &json!({ "error": "pipeline_id is invalid" }));
    for unknown in ["999", "99999999999999999999"] {
        let reply = scene.get(&format!("/pipelines/{unknown}")).await;
        assert_reply(&reply, 404, &json!({ "message": "404 Not found" }));
    }
}

#[tokio::test]
async fn the_latest_is_that_of_the_refs_head() {
    let scene = Scene::new().await;
    let reply = scene.get("/pipelines/latest").await;
    assert_reply(&reply, 403, &json!({ "message": "403 Forbidden" }));
    let run = scene.run().await;
    for query in ["", "?ref=main"] {
        let reply = scene.get(&format!("/pipelines/latest{query}")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.json()["id"], run);
        assert!(reply.json().as_object().unwrap().contains_key("name"));
    }
    let reply = scene.get("/pipelines/latest?ref=nothing").await;
    assert_eq!(reply.status, 403);
    let repository = scene.server.scratch().join("repositories/acme-web");
    git(
        &repository,
        &["commit", "--quiet", "--allow-empty", "--message", "newer"],
    );
    assert_eq!(scene.get("/pipelines/latest").await.status, 403);
}

#[tokio::test]
async fn people_start_pipelines_with_an_array_of_variables() {
    let scene = Scene::new().await;
    let body = json!({ "ref": "main", "variables": [
        { "key": "A", "value": "1" },
        { "key": "F", "value": "text", "variable_type": "file" },
    ]});
    let reply = scene
        .server
        .post(&scene.path("/pipeline"))
        .root()
        .json(&body)
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["source"], "api");
    assert_eq!(reply.json()["status"], "created");
    let run = &reply.json()["id"];
    let variables = scene.get(&format!("/pipelines/{run}/variables")).await;
    assert_reply(
        &variables,
        200,
        &json!([
            { "variable_type": "env_var", "key": "A", "value": "1", "raw": false },
            { "variable_type": "file", "key": "F", "value": "text", "raw": false },
        ]),
    );
}

#[rstest]
#[case(json!({}), json!({ "error": "ref is missing, ref is empty" }))]
#[case(json!({ "ref": "main", "variables": { "A": "1" } }), json!({ "error": "variables is invalid" }))]
#[case(json!({ "ref": "main", "variables": [{ "key": "A" }] }), json!({ "error": "variables[0][value] is missing" }))]
#[case(json!({ "ref": "nothing" }), json!({ "message": { "base": ["Reference not found"] } }))]
#[tokio::test]
async fn a_pipeline_of_a_person_is_refused_with_400(#[case] body: Value, #[case] expected: Value) {
    let scene = Scene::new().await;
    let reply = scene
        .server
        .post(&scene.path("/pipeline"))
        .root()
        .json(&body)
        .send()
        .await;
    assert_reply(&reply, 400, &expected);
}

#[tokio::test]
async fn a_cancel_is_200_even_the_second_time() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    for _ in 0..2 {
        let reply = scene.post(&format!("/pipelines/{run}/cancel")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.json()["status"], "canceled");
        assert!(!reply.json().as_object().unwrap().contains_key("name"));
    }
}

#[tokio::test]
async fn a_retry_repeats_what_was_canceled() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let first = scene.job_id(run, "build").await;
    scene.post(&format!("/pipelines/{run}/cancel")).await;
    let reply = scene.post(&format!("/pipelines/{run}/retry")).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_ne!(reply.json()["status"], "canceled");
    assert_eq!(reply.json()["finished_at"], Value::Null);
    assert_ne!(scene.job_id(run, "build").await, first);
    let reply = scene.post(&format!("/pipelines/{run}/retry")).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[tokio::test]
async fn changes_need_a_sign_in() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    for verb in ["cancel", "retry"] {
        let path = scene.path(&format!("/pipelines/{run}/{verb}"));
        let reply = scene.server.post(&path).send().await;
        assert_reply(&reply, 401, &json!({ "message": "401 Unauthorized" }));
    }
}

#[tokio::test]
async fn a_finished_pipeline_shows_its_times() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    for _ in 0..2 {
        runner::take(&scene.server).await.end("success").await;
    }
    let shown = scene.get(&format!("/pipelines/{run}")).await.json();
    assert_eq!(shown["status"], "success");
    assert_eq!(shown["detailed_status"]["text"], "Passed");
    assert!(
        shown["duration"].is_u64() && shown["queued_duration"].is_u64(),
        "{shown}"
    );
    assert!(shown["started_at"].is_string() && shown["finished_at"].is_string());
}

#[tokio::test]
async fn the_events_of_a_run_can_be_followed_and_resumed() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let path = scene.path(&format!("/pipelines/{run}/events"));
    let follow = scene.server.get(&path).root().send();
    let (reply, ()) = tokio::join!(follow, async {
        for _ in 0..2 {
            runner::take(&scene.server).await.end("success").await;
        }
    });
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "text/event-stream");
    assert_eq!(reply.header("cache-control"), "no-cache");
    assert_eq!(reply.header("x-accel-buffering"), "no");
    let text = reply.text();
    assert!(
        text.ends_with("event: end\ndata: {\"status\":\"success\"}\n\n"),
        "{text}"
    );
    let ids: Vec<i64> = text
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .map(|id| id.parse().unwrap())
        .collect();
    assert!(ids.len() > 2 && ids.is_sorted(), "{text}");

    let last = ids[ids.len() - 2].to_string();
    let rest = scene
        .server
        .get(&path)
        .root()
        .header("last-event-id", &last)
        .send()
        .await;
    let rest = rest.text();
    assert_eq!(rest.matches("id: ").count(), 1, "{rest}");
    assert!(text.ends_with(&rest));
}

#[tokio::test]
async fn a_branch_that_is_gone_has_no_newest_pipeline_any_more() {
    let scene = Scene::new().await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    git(&repository, &["branch", "topic"]);
    let kept = scene.run().await;
    let gone = scene.run_with("ref=topic").await;
    let ids = async || -> Vec<i64> {
        let list = scene.get("/pipelines?scope=branches").await.json();
        let list = list.as_array().unwrap().clone();
        list.iter().map(|run| run["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids().await, [gone, kept]);
    git(&repository, &["branch", "--delete", "--force", "topic"]);
    assert_eq!(ids().await, [kept]);
}
