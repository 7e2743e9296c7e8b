//! `ci trigger`.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::TestServer;

use super::{Scene, assert_refused, problem, problems, runner, signed};

#[tokio::test]
async fn a_run_is_started_and_both_names_of_its_number_are_told() {
    let scene = Scene::new().await;
    let changes = scene.changes("feature");
    let reply = scene
        .post(&scene.path("/trigger"), &changes.as_request(6))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let run = reply.json()["ci_run_id"].as_i64().unwrap();
    assert_eq!(reply.json(), json!({ "ci_run_id": run, "run_id": run }));
    let path = format!("/api/v4/projects/{}/pipelines/{run}", scene.project);
    let pipeline = scene.get(&path).await.json();
    assert_eq!(pipeline["source"], "merge_request_event");
    assert_eq!(pipeline["sha"], changes.head);
    assert_eq!(pipeline["ref"], "refs/merge-requests/6/head");
}

#[tokio::test]
async fn a_run_ends_in_datafolds_words() {
    for (state, word) in [("success", "done"), ("failed", "failed")] {
        let scene = Scene::new().await;
        let run = scene.start(&scene.changes("feature")).await;
        assert_eq!(scene.status(run).await, "queued");
        let job = runner::take(&scene.server).await;
        assert_eq!(scene.status(run).await, "processing");
        job.end(state).await;
        assert_eq!(scene.status(run).await, word);
    }
}

#[tokio::test]
async fn the_same_commits_have_one_active_run() {
    let scene = Scene::new().await;
    let changes = scene.changes("feature");
    let first = scene.start(&changes).await;
    let path = scene.path("/trigger");
    let again = scene.post(&path, &changes.as_request(6)).await;
    assert_eq!(again.json()["ci_run_id"], first);
    assert_eq!(again.header("idempotent-replayed"), "true");
    let other = scene.post(&path, &changes.as_request(7)).await;
    assert_ne!(other.json()["ci_run_id"], first);
    assert_eq!(other.header("idempotent-replayed"), "");
    runner::take(&scene.server).await.end("success").await;
    assert_ne!(scene.start(&changes).await, first);
}

#[tokio::test]
async fn twenty_callers_at_once_get_one_run() {
    let scene = Scene::new().await;
    let body = scene.changes("feature").as_request(6);
    let path = scene.path("/trigger");
    let calls = (0..20).map(|_| scene.post(&path, &body));
    let replies = futures_util::future::join_all(calls).await;
    let runs: std::collections::BTreeSet<i64> = replies
        .iter()
        .map(|reply| reply.json()["ci_run_id"].as_i64().unwrap())
        .collect();
    assert_eq!(runs.len(), 1);
    assert_eq!(scene.runs("").await.len(), 1);
}

#[tokio::test]
async fn a_newer_commit_cancels_the_run_of_the_older_one() {
    let scene = Scene::new().await;
    let older = scene.start(&scene.changes("feature")).await;
    let newer = scene.start(&scene.changes("feature")).await;
    assert_eq!(scene.status(older).await, "cancelled");
    assert_eq!(scene.status(newer).await, "queued");
    let shown = scene.get(&format!("/api/v1/ci/runs/{older}")).await.json();
    assert_eq!(shown["superseded_by"], newer);
}

#[tokio::test]
async fn a_config_may_let_older_runs_go_on() {
    let scene = Scene::new().await;
    scene
        .configure(json!({ "cancels_superseded": false }))
        .await;
    let older = scene.start(&scene.changes("feature")).await;
    scene.start(&scene.changes("feature")).await;
    assert_eq!(scene.status(older).await, "queued");
}

#[tokio::test]
async fn a_key_stands_for_one_run_for_good() {
    let scene = Scene::new().await;
    let changes = scene.changes("feature");
    let call = async |key: &str, body: &Value| {
        let request = scene.request("POST", &scene.path("/trigger")).json(body);
        request.header("idempotency-key", key).send().await
    };
    let first = call("a", &changes.as_request(6)).await;
    assert_eq!(first.header("idempotent-replayed"), "");
    runner::take(&scene.server).await.end("success").await;
    let again = call("a", &changes.as_request(6)).await;
    assert_eq!(again.json(), first.json());
    assert_eq!(again.header("idempotent-replayed"), "true");
    let other = call("a", &changes.as_request(7)).await;
    let text = "the Idempotency-Key was used with another request; use a new key";
    assert_refused(&other, 422, text);
    let bad = call("", &changes.as_request(6)).await;
    let text = "Idempotency-Key must be one value of 1 to 255 printable characters";
    assert_refused(&bad, 400, text);
    assert_eq!(scene.runs("").await.len(), 1);
}

#[rstest]
#[case::of_nothing("0123456789012345678901234567890123456789")]
#[case::too_short("abc")]
#[case::empty("")]
#[case::an_option("--upload-pack=touch pwned")]
#[tokio::test]
async fn commits_that_are_none_are_told_by_a_failed_run(#[case] sha: &str) {
    let scene = Scene::new().await;
    let changes = scene.changes("feature");
    for field in ["pr_sha", "base_sha"] {
        let mut body = changes.as_request(6);
        body[field] = json!(sha);
        let reply = scene.post(&scene.path("/trigger"), &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let run = reply.json()["ci_run_id"].as_i64().unwrap();
        assert_eq!(scene.status(run).await, "failed");
        let path = format!("/api/v4/projects/{}/pipelines/{run}", scene.project);
        let pipeline = scene.get(&path).await.json();
        assert!(pipeline["yaml_errors"].is_string(), "{pipeline}");
    }
    let listed = scene.runs("").await;
    assert_eq!(listed[0]["base_sha"], sha);
    assert_eq!(listed[1]["pr_sha"], sha);
}

#[rstest]
#[case(json!("12"), "12")]
#[case(json!(" +1_000 "), "1000")]
#[case(json!(12.0), "12")]
#[case(json!(true), "1")]
#[case(json!(-6), "-6")]
#[case(json!("999999999999999999999999999999"), "999999999999999999999999999999")]
#[tokio::test]
async fn a_number_may_be_any_whole_one(#[case] number: Value, #[case] expected: &str) {
    let scene = Scene::new().await;
    let mut body = scene.changes("feature").as_request(6);
    body["pr_number"] = number;
    body["more"] = json!("ignored");
    let reply = scene.post(&scene.path("/trigger"), &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let runs = scene
        .runs(&format!("?pr_num={}", expected.replace('+', "%2B")))
        .await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["pr_num"], expected);
}

#[tokio::test]
async fn a_number_of_thirty_digits_keeps_all_of_them() {
    let scene = Scene::new().await;
    let body = scene.changes("feature").as_request(6).to_string();
    let digits = "123456789012345678901234567890";
    let body = body.replace("\"pr_number\":6", &format!("\"pr_number\":{digits}"));
    let request = scene.request("POST", &scene.path("/trigger"));
    let reply = request.body("application/json", body).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(scene.runs("").await[0]["pr_num"], digits);
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_told_in_the_order_of_the_fields() {
    let scene = Scene::new().await;
    let fields = [
        "pr_number",
        "pr_branch",
        "base_branch",
        "pr_sha",
        "base_sha",
    ];
    let missing = fields.map(|name| problem("missing", json!(["body", name])));
    let reply = scene.post(&scene.path("/trigger"), &json!({})).await;
    assert_eq!(problems(&reply), missing);
    let reply = scene.post("/api/v1/ci/abc/trigger", &json!({})).await;
    let mut all = vec![problem("int_parsing", json!(["path", "ci_config_id"]))];
    all.extend(missing);
    assert_eq!(problems(&reply), all);
    let mut body = scene.changes("feature").as_request(6);
    for (name, value, kind) in [
        ("pr_number", json!(12.5), "int_from_float"),
        ("pr_number", json!("abc"), "int_parsing"),
        ("pr_number", json!(null), "int_type"),
        ("pr_branch", json!(7), "string_type"),
        ("pr_sha", json!(null), "string_type"),
        ("base_sha", json!("a\u{0}"), "value_error"),
        ("base_branch", json!("x".repeat(1025)), "string_too_long"),
    ] {
        let right = std::mem::replace(&mut body[name], value);
        let reply = scene.post(&scene.path("/trigger"), &body).await;
        assert_eq!(problems(&reply), [problem(kind, json!(["body", name]))]);
        body[name] = right;
    }
    for (body, kind) in [
        (json!([]), "model_attributes_type"),
        (json!(null), "missing"),
    ] {
        let reply = scene.post(&scene.path("/trigger"), &body).await;
        assert_eq!(problems(&reply), [problem(kind, json!(["body"]))]);
    }
    assert!(scene.runs("").await.is_empty());
}

#[tokio::test]
async fn who_may_not_run_pipelines_starts_nothing() {
    let scene = Scene::new().await;
    let reporter = scene.server.member(scene.project, "rita", 20).await;
    let stranger = scene.server.user("stranger").await;
    let body = scene.changes("feature").as_request(6);
    let by = async |token: &str| {
        let request = signed(scene.server.post(&scene.path("/trigger")), token);
        request.json(&body).send().await
    };
    let text = "you may not do that in the project acme/web";
    assert_refused(&by(&reporter.token).await, 403, text);
    assert_refused(&by(&stranger.token).await, 404, "CI config not found");
    assert!(scene.runs("").await.is_empty());
}

#[tokio::test]
async fn a_full_queue_is_told_with_the_time_to_wait() {
    let server = TestServer::start_with(|config| config.queue_limit = 0).await;
    let scene = Scene::on(server).await;
    let body = scene.changes("feature").as_request(6);
    let reply = scene.post(&scene.path("/trigger"), &body).await;
    assert_eq!(reply.status, 429, "{}", reply.text());
    assert_eq!(reply.header("retry-after"), "30");
    assert!(reply.json()["detail"].is_string());
}

#[tokio::test]
async fn a_repository_that_is_gone_is_told_with_the_time_to_wait() {
    let scene = Scene::new().await;
    let body = scene.changes("feature").as_request(6);
    let repositories = scene.server.scratch().join("repositories");
    std::fs::rename(repositories.join("acme-web"), repositories.join("away")).unwrap();
    let reply = scene.post(&scene.path("/trigger"), &body).await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(!reply.header("retry-after").is_empty());
    assert!(reply.json()["detail"].is_string());
}

#[tokio::test]
async fn a_run_that_was_acknowledged_outlives_the_server() {
    let mut scene = Scene::new().await;
    let run = scene.start(&scene.changes("feature")).await;
    scene.server.crash().await;
    assert_eq!(scene.status(run).await, "queued");
    runner::take(&scene.server).await.end("success").await;
    assert_eq!(scene.status(run).await, "done");
}
