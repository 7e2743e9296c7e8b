//! Jobs: list of a pipeline, get, cancel, retry, play.

use rstest::rstest;
use serde_json::{Value, json};

use super::{PIPELINE, Scene, assert_reply, runner};

#[tokio::test]
async fn a_job_shows_everything_that_clients_read() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let job = scene.job(run, "build").await;
    let url = scene.server.url();
    let id = &job["id"];
    assert_eq!(job["status"], "pending");
    assert_eq!(job["stage"], "build");
    assert_eq!(job["ref"], "main");
    assert_eq!(job["tag"], false);
    assert_eq!(job["coverage"], Value::Null);
    assert_eq!(job["allow_failure"], false);
    assert_eq!(job["duration"], Value::Null);
    assert!(job["queued_duration"].is_f64());
    assert_eq!(job["user"]["username"], "root");
    assert_eq!(job["commit"]["author_name"], "Test");
    assert_eq!(job["commit"]["title"], "Initial commit");
    assert_eq!(job["commit"]["short_id"].as_str().unwrap().len(), 8);
    assert_eq!(job["pipeline"]["id"], run);
    assert_eq!(job["web_url"], format!("{url}/acme/web/-/jobs/{id}"));
    assert_eq!(
        job["project"],
        json!({ "ci_job_token_scope_enabled": false })
    );
    assert_eq!(job["artifacts"], json!([]));
    assert_eq!(job["runner"], Value::Null);
    assert_eq!(job["tag_list"], json!([]));
    let keys = job.as_object().unwrap();
    assert!(!keys.contains_key("failure_reason") && !keys.contains_key("artifacts_file"));
    let got = scene.get(&format!("/jobs/{id}")).await.json();
    assert_eq!(got["id"], *id);
}

#[tokio::test]
async fn a_failed_job_says_why_and_who_ran_it() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    runner::take(&scene.server).await.end("failed").await;
    let job = scene.job(run, "build").await;
    assert_eq!(job["status"], "failed");
    assert_eq!(job["failure_reason"], "script_failure");
    assert!(job["duration"].is_f64());
    assert_eq!(job["runner"]["runner_type"], "instance_type");
    assert_eq!(scene.job(run, "test").await["status"], "skipped");
}

#[rstest]
#[case("", &["test", "build"])]
#[case("?scope=pending", &["build"])]
#[case("?scope[]=created&scope[]=pending", &["test", "build"])]
#[case("?scope%5B%5D=failed", &[])]
#[case("?per_page=1", &["test"])]
#[case("?per_page=1&page=2", &["build"])]
#[tokio::test]
async fn jobs_come_newest_first_and_can_be_selected(
    #[case] query: &str,
    #[case] expected: &[&str],
) {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let reply = scene.get(&format!("/pipelines/{run}/jobs{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let jobs = reply.json();
    let names: Vec<&str> = jobs
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_bad_scope_is_refused() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let reply = scene
        .get(&format!("/pipelines/{run}/jobs?scope[]=done"))
        .await;
    assert_reply(
        &reply,
        400,
        &json!({ "error": "scope does not have a valid value" }),
    );
}

#[tokio::test]
async fn a_retry_makes_a_new_job_and_leaves_the_old_one() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let old = runner::take(&scene.server).await;
    old.end("failed").await;
    let reply = scene.post(&format!("/jobs/{}/retry", old.id)).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["status"], "pending");
    assert_eq!(reply.json()["name"], "build");
    assert_ne!(reply.json()["id"], old.id);

    let all = scene
        .get(&format!("/pipelines/{run}/jobs?include_retried=true"))
        .await
        .json();
    let builds = all
        .as_array()
        .unwrap()
        .iter()
        .filter(|job| job["name"] == "build");
    assert_eq!(builds.count(), 2);
    let reply = scene.post(&format!("/jobs/{}/retry", old.id)).await;
    let refused = json!({ "message": "403 Forbidden - Job is not retryable" });
    assert_reply(&reply, 403, &refused);
    let reply = scene
        .post(&format!("/jobs/{}/retry", scene.job_id(run, "build").await))
        .await;
    assert_reply(&reply, 403, &refused);
}

#[tokio::test]
async fn a_cancel_is_201_even_for_what_has_ended() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let id = scene.job_id(run, "build").await;
    for _ in 0..2 {
        let reply = scene.post(&format!("/jobs/{id}/cancel")).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        assert_eq!(reply.json()["status"], "canceled");
    }
}

#[tokio::test]
async fn a_running_job_is_canceled_through_canceling_and_force_ends_it() {
    let scene = Scene::new().await;
    scene.run().await;
    let job = runner::take(&scene.server).await;
    let reply = scene.post(&format!("/jobs/{}/cancel", job.id)).await;
    assert_eq!(reply.json()["status"], "canceling", "{}", reply.text());
    let reply = scene
        .post(&format!("/jobs/{}/cancel?force=true", job.id))
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["status"], "canceled");
}

#[tokio::test]
async fn only_manual_jobs_can_be_played() {
    let manual = (PIPELINE.0, "build:\n  script: make\n  when: manual\n");
    let scene = Scene::with_file(manual).await;
    let run = scene.run().await;
    let id = scene.job_id(run, "build").await;
    let path = scene.path(&format!("/jobs/{id}/play"));
    let body = json!({ "job_inputs": { "a": "1" } });
    let reply = scene.server.post(&path).root().json(&body).send().await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert!(reply.text().contains("job_inputs"));

    let body = json!({ "job_variables_attributes": [] });
    let reply = scene.server.post(&path).root().json(&body).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["status"], "pending");
    let reply = scene.server.post(&path).root().send().await;
    assert_reply(
        &reply,
        400,
        &json!({ "message": "400 Bad request - Unplayable Job" }),
    );
}

#[tokio::test]
async fn a_job_belongs_to_its_project() {
    let scene = Scene::new().await;
    let run = scene.run().await;
    let id = scene.job_id(run, "build").await;
    let other = scene.server.project("acme/other", &[PIPELINE]).await;
    let gone = json!({ "message": "404 Not found" });
    for rest in ["", "/trace", "/trace/events", "/artifacts", "/artifacts/x"] {
        let path = format!("/api/v4/projects/{other}/jobs/{id}{rest}");
        assert_reply(&scene.server.get(&path).root().send().await, 404, &gone);
    }
    for verb in ["cancel", "retry", "play"] {
        let path = format!("/api/v4/projects/{other}/jobs/{id}/{verb}");
        assert_reply(&scene.server.post(&path).root().send().await, 404, &gone);
    }
}
