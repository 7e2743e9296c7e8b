//! Runs: one, its tree, and lists.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{commit, git};

use super::{Scene, code, text};

#[tokio::test]
async fn a_run_is_told_in_depots_words() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let reply = scene
        .ask("GetRun", json!({ "runId": format!("r{run}") }))
        .await;
    assert_eq!(reply["orgId"], "org_1");
    assert_eq!(reply["runId"], format!("r{run}"));
    assert_eq!(reply["repo"], "acme/web");
    assert_eq!(reply["ref"], "refs/heads/main");
    assert_eq!(reply["sha"], reply["headSha"]);
    assert_eq!(reply["sha"].as_str().unwrap().len(), 40);
    assert_eq!(reply["trigger"], "api");
    assert_eq!(reply["status"], "queued");
    assert!(reply["createdAt"].as_str().unwrap().ends_with('Z'));
    assert_eq!(reply.get("finishedAt"), None);
}

#[rstest]
#[case("r999")]
#[case("a1")]
#[case("w1")]
#[case("1")]
#[case("")]
#[tokio::test]
async fn other_ids_are_not_found(#[case] id: &str) {
    let scene = Scene::new().await;
    scene.start().await;
    for method in ["GetRun", "CancelRun", "ListArtifacts", "GetRunMetrics"] {
        let refused = scene.refused(method, json!({ "runId": id })).await;
        assert_eq!(refused, code(404, "not_found"), "{method}");
    }
}

#[tokio::test]
async fn the_tree_of_a_run_follows_its_jobs() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let tree = scene.tree(run).await;
    let jobs = &tree["workflows"][0]["jobs"];
    assert_eq!(jobs[0]["jobKey"], ".gitlab-ci.yml:build");
    assert_eq!(jobs[0]["jobDisplayName"], "build");
    assert_eq!(jobs[0]["status"], "queued");
    assert_eq!(jobs[1]["status"], "waiting");
    assert_eq!(jobs[0]["attempts"][0]["attempt"], 1);
    assert_eq!(jobs[0]["attempts"][0]["status"], "queued");

    let build = super::runner::take(&scene.server).await;
    let tree = scene.tree(run).await;
    assert_eq!(tree["status"], "running");
    assert_eq!(tree["workflows"][0]["jobs"][0]["status"], "running");
    build.end("failed").await;
    let tree = scene.tree(run).await;
    assert_eq!(tree["status"], "failed");
    let jobs = &tree["workflows"][0]["jobs"];
    assert_eq!(jobs[0]["status"], "failed");
    assert_eq!(jobs[1]["status"], "skipped");
    // Nobody ever tried it.
    assert_eq!(jobs[1].get("attempts"), None);
}

/// The CLI looks for a run first and for an attempt when there is none.
#[tokio::test]
async fn the_tree_is_found_by_a_job_but_not_by_an_attempt() {
    let scene = Scene::new().await;
    let run = scene.start().await;
    let job = scene.job(run, 1).await;
    let tree = scene.ask("GetRunStatus", json!({ "runId": job })).await;
    assert_eq!(tree["runId"], format!("r{run}"));
    let attempt = job.replace('j', "a");
    let refused = scene.refused("GetRunStatus", json!({ "runId": attempt }));
    assert_eq!(refused.await, code(404, "not_found"));
}

async fn listed(scene: &Scene, body: Value) -> Vec<String> {
    let reply = scene.ask("ListRuns", body).await;
    let runs = reply["runs"].as_array().cloned().unwrap_or_default();
    runs.iter().map(|run| text(&run["runId"])).collect()
}

#[tokio::test]
async fn a_list_shows_what_has_not_ended_unless_asked_for_more() {
    let scene = Scene::new().await;
    let failed = scene.start().await;
    scene.work("oh\n", "failed").await;
    let waiting = scene.start().await;
    let (failed, waiting) = (format!("r{failed}"), format!("r{waiting}"));
    assert_eq!(listed(&scene, json!({})).await, [waiting.as_str()]);
    let status = |words: &[&str]| json!({ "status": words });
    assert_eq!(listed(&scene, status(&["failed"])).await, [failed.as_str()]);
    let both = listed(&scene, status(&["failed", "queued"])).await;
    assert_eq!(both, [waiting.as_str(), failed.as_str()]);
    assert!(listed(&scene, status(&["finished"])).await.is_empty());
    let row = scene.ask("ListRuns", json!({})).await["runs"][0].clone();
    assert_eq!(row["repo"], "acme/web");
    assert_eq!(row["trigger"], "api");
    assert_eq!(row["ref"], "refs/heads/main");
}

#[tokio::test]
async fn a_list_is_narrowed_before_it_is_cut() {
    let scene = Scene::new().await;
    let first = scene.start().await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    let sha = git(&repository, &["rev-parse", "HEAD"]);
    commit(&repository, &[("new", "")], "Another commit");
    scene.start().await;
    let first = [format!("r{first}")];
    for body in [
        json!({ "sha": sha, "pageSize": 1 }),
        json!({ "sha": &sha[..7], "pageSize": 1 }),
        json!({ "sha": &sha[..7], "repo": "acme/web", "pageSize": 1 }),
    ] {
        assert_eq!(listed(&scene, body.clone()).await, first, "{body}");
    }
    assert_eq!(listed(&scene, json!({ "trigger": "api" })).await.len(), 2);
    assert!(
        listed(&scene, json!({ "trigger": "push" }))
            .await
            .is_empty()
    );
    assert!(
        listed(&scene, json!({ "trigger": "moonrise" }))
            .await
            .is_empty()
    );
    let of_request = json!({ "repo": "acme/web", "pr": "7" });
    assert!(listed(&scene, of_request).await.is_empty());
}

#[rstest]
#[case::status(json!({ "status": ["success"] }), 400, "invalid_argument")]
#[case::request_without_repository(json!({ "pr": "7" }), 400, "invalid_argument")]
#[case::no_request(json!({ "pr": "x", "repo": "acme/web" }), 400, "invalid_argument")]
#[case::no_commit(json!({ "sha": "main" }), 400, "invalid_argument")]
#[case::token(json!({ "pageToken": "x" }), 400, "invalid_argument")]
#[case::negative_page(json!({ "pageSize": -1 }), 400, "invalid_argument")]
#[case::repository(json!({ "repo": "acme/nothing" }), 404, "not_found")]
#[tokio::test]
async fn what_cannot_be_a_filter_is_refused(
    #[case] body: Value,
    #[case] status: u16,
    #[case] word: &str,
) {
    let scene = Scene::new().await;
    assert_eq!(scene.refused("ListRuns", body).await, code(status, word));
}

#[tokio::test]
async fn pages_of_a_list_hold_every_run_once() {
    let scene = Scene::new().await;
    let mut runs = Vec::new();
    for _ in 0..5 {
        runs.insert(0, format!("r{}", scene.start().await));
    }
    for body in [json!({}), json!({ "repo": "acme/web" })] {
        let mut found = Vec::new();
        let mut token = String::new();
        loop {
            let mut body = body.clone();
            body["pageSize"] = json!(2);
            body["pageToken"] = json!(token);
            let page = scene.ask("ListRuns", body).await;
            let rows = page["runs"].as_array().unwrap().clone();
            assert!(rows.len() <= 2);
            found.extend(rows.iter().map(|row| text(&row["runId"])));
            token = text(&page["nextPageToken"]);
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(found, runs, "{body}");
    }
}
