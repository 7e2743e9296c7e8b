//! `POST /jobs/request`: who gets a job, and when.

use rstest::rstest;
use serde_json::json;
use tappet_server::testing::TestServer;

use crate::runner::{Runner, Taken};
use crate::{ONE_JOB, Scene, until};

#[tokio::test]
async fn an_unknown_runner_gets_nothing() {
    let scene = Scene::new(ONE_JOB).await;
    scene.run().await;
    let reply = scene
        .server
        .post("/api/v4/jobs/request")
        .json(&json!({ "token": "glrt-nobody" }))
        .send()
        .await;
    assert_eq!(reply.status, 403);
}

#[rstest]
#[case::no_json("application/json", "token")]
#[case::a_list("application/json", "[]")]
#[case::tags_as_text("application/json", r#"{"token":"x","tappet":{"holding":"1"}}"#)]
#[case::a_form("application/x-www-form-urlencoded", "token=x")]
#[tokio::test]
async fn a_body_that_is_no_request_is_refused(#[case] kind: &str, #[case] body: &str) {
    let server = TestServer::start().await;
    let request = server.post("/api/v4/jobs/request");
    let reply = request.body(kind, body.to_owned()).send().await;
    assert_eq!(reply.status, 400);
    assert!(reply.json()["message"].is_string());
}

#[tokio::test]
async fn the_token_in_the_header_alone_is_enough() {
    let scene = Scene::new(ONE_JOB).await;
    scene.run().await;
    let reply = scene
        .server
        .post("/api/v4/jobs/request")
        .header("runner-token", &scene.server.runner_token())
        .json(&json!({ "info": { "features": {} }, "session": null }))
        .send()
        .await;
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[tokio::test]
async fn a_request_that_waits_is_answered_when_a_run_starts() {
    let scene = Scene::new(ONE_JOB).await;
    let app = scene.server.app().clone();
    let waiting = tokio::spawn(Runner::default().request(&scene.server).send());
    until(|| app.dispatch.waiting() == 1).await;
    let run = scene.run().await;
    let taken = Taken::from(&waiting.await.unwrap());
    assert_eq!(taken.payload["job_info"]["pipeline_id"], run);
    assert_eq!(scene.status(taken.id).await, "running");
}

#[tokio::test]
async fn one_job_goes_to_one_of_two_that_wait() {
    let scene = Scene::new(ONE_JOB).await;
    let app = scene.server.app().clone();
    let runner = Runner::default();
    let mut first = tokio::spawn(runner.request(&scene.server).send());
    let mut second = tokio::spawn(runner.request(&scene.server).send());
    until(|| app.dispatch.waiting() == 2).await;
    scene.run().await;
    let (winner, other) = tokio::select! {
        reply = &mut first => (reply.unwrap(), second),
        reply = &mut second => (reply.unwrap(), first),
    };
    let taken = Taken::from(&winner);
    assert_eq!(app.held.len(), 1);
    // The other one still waits, and gets what comes next.
    scene.run().await;
    assert_ne!(Taken::from(&other.await.unwrap()).id, taken.id);
}

#[tokio::test]
async fn jobs_are_handed_out_in_the_order_in_which_they_came() {
    let scene = Scene::new("a: { script: x }\nb: { script: x }\n").await;
    scene.run().await;
    scene.run().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(Runner::default().take(&scene.server).await.id);
    }
    assert!(ids.is_sorted(), "{ids:?}");
}

#[tokio::test]
async fn a_client_that_goes_away_while_it_waits_takes_no_job_along() {
    let scene = Scene::new(ONE_JOB).await;
    let app = scene.server.app().clone();
    let gone = tokio::spawn(Runner::default().request(&scene.server).send());
    until(|| app.dispatch.waiting() == 1).await;
    gone.abort();
    let _ = gone.await;
    until(|| app.dispatch.waiting() == 0).await;
    scene.run().await;
    Runner::default().take(&scene.server).await;
}

#[tokio::test]
async fn a_job_whose_tags_no_runner_has_stays_pending() {
    let scene = Scene::new("tagged: { script: x, tags: [gpu] }\nplain: { script: x }\n").await;
    let run = scene.run().await;
    let taken = Runner::default().take(&scene.server).await;
    assert_eq!(taken.payload["job_info"]["name"], "plain");
    let app = scene.server.app().clone();
    let waiting = tokio::spawn(Runner::default().request(&scene.server).send());
    until(|| app.dispatch.waiting() == 1).await;
    assert_eq!(scene.job(run, "tagged").await["status"], "pending");
    waiting.abort();
}

#[tokio::test]
async fn a_stopping_server_hands_out_nothing_and_sends_those_who_wait_home() {
    let scene = Scene::new(ONE_JOB).await;
    let app = scene.server.app().clone();
    let waiting = tokio::spawn(Runner::default().request(&scene.server).send());
    until(|| app.dispatch.waiting() == 1).await;
    app.dispatch.drain();
    let sent_home = waiting.await.unwrap();
    scene.run().await;
    let later = Runner::default().request(&scene.server).send().await;
    for reply in [sent_home, later] {
        assert_eq!((reply.status, reply.header("retry-after")), (503, "5"));
    }
    assert!(app.held.is_empty());
}
