//! Statuses of commits: listed, set from outside, and counted into pipelines.

use rstest::rstest;
use serde_json::{Value, json};
use tappet_server::testing::{TestReply, commit, git};

use super::{PIPELINE, Scene, assert_reply};

fn sha(scene: &Scene) -> String {
    let repository = scene.server.scratch().join("repositories/acme-web");
    git(&repository, &["rev-parse", "HEAD"])
}

async fn set(scene: &Scene, sha: &str, body: &Value) -> TestReply {
    let path = scene.path(&format!("/statuses/{sha}"));
    scene.server.post(&path).root().json(body).send().await
}

async fn list(scene: &Scene, query: &str) -> Vec<Value> {
    let path = format!("/repository/commits/{}/statuses{query}", sha(scene));
    let reply = scene.get(&path).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json().as_array().unwrap().clone()
}

async fn status_of(scene: &Scene, run: &Value) -> String {
    let reply = scene.get(&format!("/pipelines/{run}")).await;
    reply.json()["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_status_of_a_commit_without_pipeline_brings_an_external_one_about() {
    let scene = Scene::new().await;
    let sha = sha(&scene);
    let body = json!({
        "state": "running", "name": "lab", "target_url": "https://lab.example.com/7",
        "description": "On the bench", "coverage": 81.5,
    });
    let reply = set(&scene, &sha, &body).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let mut status = reply.json();
    let run = status["pipeline_id"].take();
    let author = status["author"].take();
    for time in ["created_at", "started_at"] {
        assert!(status[time].take().is_string());
    }
    assert_eq!(
        status,
        json!({
            "id": 1, "sha": sha, "ref": "main", "status": "running", "name": "lab",
            "target_url": "https://lab.example.com/7", "description": "On the bench",
            "created_at": null, "started_at": null, "finished_at": null,
            "allow_failure": false, "coverage": 81.5, "pipeline_id": null, "author": null,
        })
    );
    assert_eq!(author["username"], "root");
    let shown = scene.get(&format!("/pipelines/{run}")).await.json();
    assert_eq!(
        [&shown["source"], &shown["ref"], &shown["status"]],
        [&json!("external"), &json!("main"), &json!("running")]
    );
    assert!(shown["started_at"].is_string());
    set(&scene, &sha, &json!({ "state": "success", "name": "lab" })).await;
    let shown = scene.get(&format!("/pipelines/{run}")).await.json();
    assert_eq!(shown["status"], "success");
    assert!(shown["finished_at"].is_string());
    let statuses = list(&scene, "").await;
    assert_eq!(statuses.len(), 1);
    assert_eq!(statuses[0]["description"], "On the bench");
}

#[tokio::test]
async fn the_worst_of_several_statuses_decides() {
    let scene = Scene::new().await;
    let sha = sha(&scene);
    let set = async |name: &str, state: &str| {
        let body = json!({ "state": state, "context": name });
        let reply = set(&scene, &sha, &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        status_of(&scene, &reply.json()["pipeline_id"]).await
    };
    assert_eq!(set("a", "pending").await, "pending");
    assert_eq!(set("b", "success").await, "running");
    assert_eq!(set("a", "failed").await, "failed");
    assert_eq!(set("a", "success").await, "success");
    assert_eq!(set("c", "skipped").await, "success");
    assert_eq!(set("c", "canceled").await, "canceled");
    assert_eq!(scene.runs().await, 1);
}

#[tokio::test]
async fn a_foreign_status_counts_beside_the_jobs_of_a_pipeline() {
    let scene = Scene::with_file((
        ".gitlab-ci.yml",
        "ask: {script: x, when: manual, allow_failure: true}\n",
    ))
    .await;
    let run = json!(scene.run().await);
    assert_eq!(status_of(&scene, &run).await, "skipped");
    let sha = sha(&scene);
    let reply = set(&scene, &sha, &json!({ "state": "failed" })).await;
    assert_eq!(reply.json()["pipeline_id"], run);
    assert_eq!(reply.json()["name"], "default");
    assert_eq!(status_of(&scene, &run).await, "failed");
    let names: Vec<_> = list(&scene, "").await;
    assert_eq!(names.len(), 2);
    for (query, expected) in [
        ("?name=default", 1),
        ("?stage=external", 1),
        ("?stage=test", 1),
        ("?ref=other", 0),
        ("?pipeline_id=999", 0),
    ] {
        assert_eq!(list(&scene, query).await.len(), expected, "{query}");
    }
}

#[tokio::test]
async fn a_run_that_was_canceled_takes_its_waiting_statuses_along() {
    let scene = Scene::new().await;
    let sha = sha(&scene);
    let run = set(&scene, &sha, &json!({ "state": "running" }))
        .await
        .json()["pipeline_id"]
        .clone();
    scene.post(&format!("/pipelines/{run}/cancel")).await;
    assert_eq!(status_of(&scene, &run).await, "canceled");
    assert_eq!(list(&scene, "").await[0]["status"], "canceled");
}

#[tokio::test]
async fn an_ended_status_is_replaced_by_a_new_one() {
    let scene = Scene::new().await;
    let sha = sha(&scene);
    for state in ["failed", "running"] {
        set(&scene, &sha, &json!({ "state": state })).await;
    }
    let counting = list(&scene, "").await;
    assert_eq!(counting.len(), 1);
    assert_eq!(counting[0]["status"], "running");
    let all = list(&scene, "?all=true&sort=desc").await;
    assert_eq!(all.len(), 2);
    assert_eq!(all[1]["status"], "failed");
}

#[rstest]
#[case("pending", "pending", "enqueue")]
#[case("running", "pending", "enqueue")]
#[case("running", "running", "run")]
#[case("running", "skipped", "skip")]
#[tokio::test]
async fn a_status_cannot_go_back(#[case] from: &str, #[case] to: &str, #[case] event: &str) {
    let scene = Scene::new().await;
    let sha = sha(&scene);
    set(&scene, &sha, &json!({ "state": from })).await;
    let reply = set(&scene, &sha, &json!({ "state": to })).await;
    let text = format!(
        "Cannot transition status via :{event} from :{from} (Reason(s): Status cannot \
         transition via \"{event}\")"
    );
    assert_reply(&reply, 400, &json!({ "message": text }));
}

#[rstest]
#[case("HEAD", json!({}), 400, json!({ "error": "state is missing" }))]
#[case("HEAD", json!({ "state": "great" }), 400, json!({ "error": "state does not have a valid value" }))]
#[case("HEAD", json!({ "state": "success", "coverage": "x" }), 400, json!({ "error": "coverage is invalid" }))]
#[case("HEAD", json!({ "state": "success", "pipeline_id": "x" }), 400, json!({ "error": "pipeline_id is invalid" }))]
#[case(
    "HEAD", json!({ "state": "success", "target_url": "javascript:alert(1)" }), 400,
    json!({ "message": { "target_url": ["is blocked: Only allowed schemes are http, https"] } })
)]
#[case("1111111111111111111111111111111111111111", json!({ "state": "success" }), 404, json!({ "message": "404 Commit Not Found" }))]
#[case(
    "HEAD", json!({ "state": "success", "pipeline_id": 999 }), 404,
    json!({ "message": "404 Pipeline for pipeline_id, sha and ref Not Found" })
)]
#[tokio::test]
async fn a_status_that_cannot_be_is_refused(
    #[case] sha: &str,
    #[case] body: Value,
    #[case] status: u16,
    #[case] expected: Value,
) {
    let scene = Scene::new().await;
    assert_reply(&set(&scene, sha, &body).await, status, &expected);
    assert_eq!(scene.runs().await, 0);
}

#[tokio::test]
async fn a_commit_on_no_branch_or_tag_needs_a_ref() {
    let scene = Scene::new().await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    let gone = commit(&repository, &[], "Lost");
    git(&repository, &["reset", "--quiet", "--hard", "HEAD~1"]);
    let reply = set(&scene, &gone, &json!({ "state": "success" })).await;
    let text = "404 References for commit Not Found";
    assert_reply(&reply, 404, &json!({ "message": text }));
    let reply = set(&scene, &gone, &json!({ "state": "success", "ref": "main" })).await;
    assert_eq!(reply.json()["ref"], "main", "{}", reply.text());
}

#[tokio::test]
async fn statuses_are_for_people_who_signed_in() {
    let scene = Scene::new().await;
    let body = json!({ "message": "401 Unauthorized" });
    let path = scene.path("/repository/commits/main/statuses");
    assert_reply(&scene.server.get(&path).send().await, 401, &body);
    let path = scene.path("/statuses/main");
    let reply = scene.server.post(&path).form("state=success").send().await;
    assert_reply(&reply, 401, &body);
    let unknown = scene.get("/repository/commits/none/statuses").await;
    assert_reply(&unknown, 404, &json!({ "message": "404 Commit Not Found" }));
    assert!(list(&scene, "").await.is_empty());
}

#[tokio::test]
async fn a_run_takes_only_so_many() {
    let server = tappet_server::testing::TestServer::start_with(|config| {
        config.limits.statuses_per_run = 1;
    })
    .await;
    let project = server.project("acme/web", &[PIPELINE]).await;
    let scene = Scene { server, project };
    let sha = sha(&scene);
    set(&scene, &sha, &json!({ "state": "success", "name": "a" })).await;
    let reply = set(&scene, &sha, &json!({ "state": "success", "name": "b" })).await;
    let text = "The number of jobs has exceeded the limit";
    assert_reply(&reply, 422, &json!({ "message": text }));
}
