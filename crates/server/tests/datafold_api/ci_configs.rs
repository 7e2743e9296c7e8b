//! CI configs: made, changed and removed by maintainers.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{TestReply, TestServer};

use super::{Scene, assert_refused, assert_reply, problem, problems, signed};

const OF_PROJECT: &str = "/api/v1/ci?project=acme/web";

async fn create(scene: &Scene, body: Value) -> TestReply {
    scene.post(OF_PROJECT, &body).await
}

#[tokio::test]
async fn every_project_has_one_from_the_start() {
    let scene = Scene::new().await;
    let list = scene
        .get(&format!("/api/v1/ci?project={}", scene.project))
        .await;
    let mut list = list.json();
    let one = list[0].as_object_mut().unwrap();
    for time in ["created_at", "updated_at"] {
        assert!(one.remove(time).unwrap().is_string());
    }
    let expected = json!([{
        "id": scene.config,
        "project_id": scene.project,
        "project": "acme/web",
        "name": "default",
        "pipeline_files": [],
        "base_branch": null,
        "ignored_files": [],
        "label": null,
        "cancels_superseded": true,
        "status_name": "tappet/pr",
        "reports_jobs": false,
        "comments": true,
        "fails_check_on_errors": true,
        "expects_diffs": false,
    }]);
    assert_eq!(list, expected);
}

#[tokio::test]
async fn one_is_made_changed_and_removed_and_the_log_tells() {
    let scene = Scene::new().await;
    let made = create(
        &scene,
        json!({ "name": "docs", "pipeline_files": ["docs.yml"] }),
    )
    .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    assert_eq!(made["pipeline_files"], json!(["docs.yml"]));
    let path = format!("/api/v1/ci/{}", made["id"]);
    let change = json!({ "expects_diffs": true, "label": "ci", "base_branch": "main" });
    let changed = scene.request("PATCH", &path).json(&change).send().await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let shown = scene.get(&path).await.json();
    assert_eq!(shown, changed.json());
    assert_eq!(shown["name"], "docs");
    assert_eq!(
        (&shown["label"], &shown["expects_diffs"]),
        (&json!("ci"), &json!(true))
    );
    let taken = scene
        .request("PATCH", &path)
        .json(&json!({ "label": null }));
    assert_eq!(taken.send().await.json()["label"], Value::Null);
    assert_eq!(scene.request("DELETE", &path).send().await.status, 204);
    assert_refused(&scene.get(&path).await, 404, "CI config not found");

    let log = scene.get("/api/v4/audit_events?per_page=100").await.text();
    for action in [
        "ci_config_created",
        "ci_config_updated",
        "ci_config_removed",
    ] {
        assert!(log.contains(action), "{action}");
    }
}

#[rstest]
#[case(json!({}), "missing", "name")]
#[case(json!({ "name": 7 }), "string_type", "name")]
#[case(json!({ "name": " " }), "value_error", "name")]
#[case(json!({ "name": "default" }), "value_error", "name")]
#[case(json!({ "name": "a", "pipeline_files": ["a.yml", "b.yml"] }), "value_error", "pipeline_files")]
#[case(json!({ "name": "a", "pipeline_files": ["a.yml", ".github/workflows/b.yml"] }), "value_error", "pipeline_files")]
#[case(json!({ "name": "a", "label": ["x"] }), "string_type", "label")]
#[case(json!({ "name": "a", "comments": "maybe" }), "bool_parsing", "comments")]
#[case(json!({ "name": "a", "data_source": 1 }), "extra_forbidden", "data_source")]
#[tokio::test]
async fn what_cannot_be_is_told(#[case] body: Value, #[case] kind: &str, #[case] field: &str) {
    let scene = Scene::new().await;
    let reply = create(&scene, body).await;
    assert_eq!(problems(&reply), [problem(kind, json!(["body", field]))]);
}

#[tokio::test]
async fn the_project_has_to_be_named_and_seen() {
    let scene = Scene::new().await;
    let body = json!({ "name": "docs" });
    let reply = scene.post("/api/v1/ci", &body).await;
    assert_eq!(
        problems(&reply),
        [problem("missing", json!(["query", "project"]))]
    );
    let stranger = scene.server.user("stranger").await;
    for name in ["acme/web", "acme/nothing", "999"] {
        let path = format!("/api/v1/ci?project={name}");
        let reply = signed(scene.server.get(&path), &stranger.token)
            .send()
            .await;
        assert_refused(&reply, 404, "Project not found");
    }
}

#[tokio::test]
async fn maintainers_manage_and_reporters_look() {
    let scene = Scene::new().await;
    let developer = scene.server.member(scene.project, "dev", 30).await;
    let maintainer = scene.server.member(scene.project, "mia", 40).await;
    let one = scene.path("");
    for (method, path, body) in [
        ("POST", OF_PROJECT, json!({ "name": "docs" })),
        ("PATCH", &one, json!({ "label": "ci" })),
        ("DELETE", &one, Value::Null),
    ] {
        let by = |token: &str| {
            signed(scene.server.request(method, path), token)
                .json(&body)
                .send()
        };
        assert_eq!(by(&developer.token).await.status, 403, "{method}");
        let reply = by(&maintainer.token).await;
        assert!(
            (200..300).contains(&reply.status),
            "{method}: {}",
            reply.text()
        );
    }
    let look = signed(scene.server.get(OF_PROJECT), &developer.token);
    assert_eq!(look.send().await.status, 200);
}

#[tokio::test]
async fn a_project_keeps_its_last_one_and_has_only_so_many() {
    let server = TestServer::start_with(|config| config.limits.ci_configs_per_project = 2).await;
    let scene = Scene::on(server).await;
    let last = scene.request("DELETE", &scene.path("")).send().await;
    let text = "this is the only CI config of the project: change it instead";
    assert_refused(&last, 409, text);
    assert_eq!(create(&scene, json!({ "name": "a" })).await.status, 201);
    let text = "a project has at most 2 CI configs: remove one first";
    assert_refused(&create(&scene, json!({ "name": "b" })).await, 422, text);
}

#[tokio::test]
async fn a_run_of_no_pull_request_is_no_ci_run() {
    let scene = Scene::new().await;
    let path = format!("/api/v4/projects/{}/pipeline", scene.project);
    let run = scene.post(&path, &json!({ "ref": "main" })).await.json();
    let path = format!("/api/v1/ci/runs/{}", run["id"]);
    assert_refused(&scene.get(&path).await, 404, "CI run not found");
    let approve = format!("{path}/approve");
    assert_refused(
        &scene.post(&approve, &Value::Null).await,
        404,
        "CI run not found",
    );
    assert_reply(&scene.get(&scene.path("/runs")).await, 200, &json!([]));
}
