//! Tokens where they do not belong, after their time, and where they lie.

use std::time::{Duration, Instant};

use serde_json::json;
use tappet_server::testing::{ROOT_TOKEN, TestReply, TestServer};

use super::{Scene, assert_reply, runner};

/// Every kind of token but a person's: none of them says who calls.
#[tokio::test]
async fn a_token_of_another_kind_is_nobodys_access_token() {
    let scene = Scene::new().await;
    scene.run().await;
    let trigger = scene.server.trigger(scene.project).await;
    let job = runner::take(&scene.server).await;
    let runner = scene.server.runner_token();
    for token in [
        &trigger, &runner, &job.token, "tpsi-x", "tpse-x", "root", "1",
    ] {
        for (name, value) in [
            ("private-token", token.to_owned()),
            ("authorization", format!("Bearer {token}")),
        ] {
            // A job's token is one of its own kind there.
            if name == "authorization" && token.starts_with("glcbt-") {
                continue;
            }
            for path in ["/api/v4/user".to_owned(), scene.path("/pipelines")] {
                let reply = scene.server.get(&path).header(name, &value).send().await;
                let body = json!({ "message": "401 Unauthorized" });
                assert_reply(&reply, 401, &body);
            }
        }
    }
}

#[tokio::test]
async fn only_a_runners_token_takes_jobs() {
    let scene = Scene::new().await;
    scene.run().await;
    let trigger = scene.server.trigger(scene.project).await;
    for token in [ROOT_TOKEN, &trigger, "", "glrt-unknown"] {
        let body = json!({ "token": token, "system_id": "s_test" });
        let reply = scene
            .server
            .post("/api/v4/jobs/request")
            .json(&body)
            .send()
            .await;
        assert_eq!(reply.status, 403, "{token}: {}", reply.text());
    }
}

#[tokio::test]
async fn a_job_reports_with_its_own_token_and_while_it_runs_only() {
    let scene = Scene::with_file((".gitlab-ci.yml", "a: {script: x}\nb: {script: y}\n")).await;
    scene.run().await;
    let first = runner::take(&scene.server).await;
    let second = runner::take(&scene.server).await;
    let report = async |job: i64, token: &str| {
        let path = format!("/api/v4/jobs/{job}");
        let body = json!({ "token": token, "state": "success" });
        let request = scene.server.request("PUT", &path);
        request
            .header("job-token", token)
            .json(&body)
            .send()
            .await
            .status
    };
    let trigger = scene.server.trigger(scene.project).await;
    for token in [
        &first.token,
        ROOT_TOKEN,
        &trigger,
        &scene.server.runner_token(),
    ] {
        assert_eq!(report(second.id, token).await, 403, "{token}");
    }
    assert_eq!(scene.job(1, "b").await["status"], "running");
    first.end("failed").await;
    assert_eq!(report(first.id, &first.token).await, 403);
    let patch = scene
        .server
        .request("PATCH", &format!("/api/v4/jobs/{}/trace", first.id));
    let late = patch
        .header("job-token", &first.token)
        .header("content-range", "0-4")
        .body("text/plain", "late");
    assert_eq!(late.send().await.status, 403);
    assert_eq!(scene.job(1, "a").await["status"], "failed");
}

/// Starts a run with a token that must not.
async fn fire(scene: &Scene, token: &str) -> TestReply {
    let form = format!("token={token}&ref=main");
    let request = scene.server.post(&scene.path("/trigger/pipeline"));
    request.form(&form).send().await
}

#[tokio::test]
async fn a_trigger_of_a_blocked_owner_starts_nothing() {
    let scene = Scene::new().await;
    let owner = scene.server.member(scene.project, "ann", 40).await;
    let request = scene.server.post(&scene.path("/triggers")).user(&owner);
    let trigger = request
        .json(&json!({ "description": "ann's" }))
        .send()
        .await;
    let token = trigger.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(fire(&scene, &token).await.status, 201);

    let path = format!("/api/v4/users/{}/block", owner.id);
    assert_eq!(scene.server.post(&path).root().send().await.status, 201);
    let refused = fire(&scene, &token).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert_eq!(scene.runs().await, 1);
}

/// Entries of the audit log about refused triggers, once there are some.
async fn refusals(scene: &Scene) -> Vec<serde_json::Value> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let reply = scene.get("/audit_events?event_name=trigger_refused").await;
        let entries = reply.json().as_array().unwrap().clone();
        if !entries.is_empty() {
            return entries;
        }
        assert!(Instant::now() < deadline, "nothing is in the audit log");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn the_use_of_a_token_after_its_end_is_in_the_audit_log_once_a_minute() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let path = scene.path("/triggers/1");
    let revoke = scene.server.request("DELETE", &path).root();
    assert_eq!(revoke.send().await.status, 204);
    let body = json!({ "message": "404 Not Found" });
    for _ in 0..3 {
        assert_reply(&fire(&scene, &token).await, 404, &body);
    }
    assert_reply(&fire(&scene, "glptt-unknown").await, 404, &body);
    let entries = refusals(&scene).await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["details"]["credential"], "trigger:1");
    assert!(!entries[0].to_string().contains(&token));
    assert_eq!(scene.runs().await, 0);
}

/// Files of the database, as somebody who stole them reads them.
fn database(server: &TestServer) -> Vec<u8> {
    let entries = std::fs::read_dir(server.data_dir()).unwrap().flatten();
    let files =
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("tappet.db"));
    let bytes: Vec<u8> = files
        .flat_map(|entry| std::fs::read(entry.path()).unwrap())
        .collect();
    assert!(bytes.len() > 10_000, "the database was read");
    bytes
}

/// Tokens are looked up by their hash, so that no comparison takes longer the more
/// of a guess is right, and so that a stolen database opens nothing.
#[tokio::test]
async fn no_secret_lies_in_the_database_as_text() {
    let scene = Scene::new().await;
    let person = scene.server.user("ann").await;
    let trigger = scene.server.trigger(scene.project).await;
    let create = async |rest: &str, body: serde_json::Value| {
        let request = scene.server.post(&scene.path(rest)).root();
        let reply = request.json(&body).send().await;
        assert_eq!(reply.status, 201, "{rest}: {}", reply.text());
    };
    let value = "variable-5ecret-value";
    create("/variables", json!({ "key": "A", "value": value })).await;
    let hook = json!({
        "url": "https://example.com/", "token": "hook-5ecret-token",
        "custom_headers": [{ "key": "X-A", "value": "header-5ecret-value" }],
    });
    create("/hooks", hook).await;
    scene
        .run_with("ref=main&variables[B]=run-5ecret-value")
        .await;
    let job = runner::take(&scene.server).await;
    let password = json!({
        "username": "bob", "name": "Bob", "email": "bob@example.com",
        "password": "password-5ecret",
    });
    let request = scene.server.post("/api/v4/users").root();
    assert_eq!(request.json(&password).send().await.status, 201);

    let database = database(&scene.server);
    let text = "acme/web".as_bytes();
    assert!(database.windows(text.len()).any(|window| window == text));
    for secret in [
        ROOT_TOKEN,
        &person.token,
        &trigger,
        &job.token,
        &scene.server.runner_token(),
        value,
        "hook-5ecret-token",
        "header-5ecret-value",
        "run-5ecret-value",
        "password-5ecret",
    ] {
        let found = database
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} lies in the database");
    }
}

#[tokio::test]
async fn a_token_that_differs_in_its_last_character_is_as_unknown_as_any() {
    let scene = Scene::new().await;
    let token = scene.server.trigger(scene.project).await;
    let mut close = token.clone();
    let last = close.pop().unwrap();
    close.push(if last == 'a' { 'b' } else { 'a' });
    let body = json!({ "message": "404 Not Found" });
    for token in [
        close.as_str(),
        &token[..token.len() - 1],
        &token.to_uppercase(),
    ] {
        assert_reply(&fire(&scene, token).await, 404, &body);
    }
    assert_eq!(fire(&scene, &token).await.status, 201);
}
