//! Runner processes and server processes come and go; attempts stay whole.

use serde_json::json;

use crate::runner::Runner;
use crate::{ONE_JOB, Scene, assert_over, until};

#[tokio::test]
async fn what_a_dead_runner_process_held_fails_and_is_not_repeated() {
    let scene = Scene::new(ONE_JOB).await;
    let run = scene.run().await;
    let job = Runner::named("r_first").take(&scene.server).await;
    job.log(&scene.server, 0, "abc").await;
    let reply = scene
        .server
        .post("/api/v4/runners/verify")
        .json(&json!({ "token": scene.server.runner_token(), "system_id": "r_second" }))
        .send()
        .await;
    assert_eq!(reply.status, 200);
    let attempt = scene.attempt(job.id).await;
    assert_eq!(attempt["status"], "failed");
    assert_eq!(attempt["failure_reason"], "runner_system_failure");
    let log = scene.log(job.id).await;
    assert!(log.starts_with("abc\n"), "{log}");
    assert!(log.contains("the runner process died"), "{log}");
    assert_over(&job.log(&scene.server, 3, "def").await, "failed");
    assert_eq!(
        scene.job(run, "job").await["id"],
        job.id,
        "no other attempt"
    );
}

#[tokio::test]
async fn what_a_dead_runner_process_held_is_repeated_if_retry_says_so() {
    let scene =
        Scene::new("job: { script: x, retry: { max: 1, when: runner_system_failure } }\n").await;
    scene.run().await;
    let first = Runner::named("r_first").take(&scene.server).await;
    let second = Runner::named("r_second").take(&scene.server).await;
    assert_ne!(second.id, first.id);
    assert_eq!(second.payload["job_info"]["name"], "job");
    assert_eq!(scene.status(first.id).await, "failed");
}

#[tokio::test]
async fn a_job_outlives_its_server() {
    let mut scene = Scene::new(ONE_JOB).await;
    scene.run().await;
    let job = Runner::default().take(&scene.server).await;
    job.log(&scene.server, 0, "before ").await;
    scene.server.crash().await;
    let gap = job.log(&scene.server, 20, "x").await;
    assert_eq!((gap.status, gap.header("range")), (416, "0-7"));
    let on = job
        .log(&scene.server, 7, &format!("after {}\n", job.token))
        .await;
    assert_eq!((on.status, on.header("job-status")), (202, "running"));
    job.report(&scene.server, "success").await;
    assert_eq!(scene.log(job.id).await, "before after [MASKED]\n");
    assert_eq!(scene.status(job.id).await, "success");
}

#[tokio::test]
async fn a_cancel_is_known_after_a_crash() {
    let mut scene = Scene::new(ONE_JOB).await;
    scene.run().await;
    let job = Runner::default().take(&scene.server).await;
    scene.cancel(job.id).await;
    scene.server.crash().await;
    let reply = job.put(&scene.server, json!({ "state": "running" })).await;
    let answer = (reply.status, reply.header("job-status"));
    assert_eq!(answer, (200, "canceling"));
}

#[tokio::test]
async fn an_ended_job_stays_ended_after_a_crash() {
    let mut scene = Scene::new(ONE_JOB).await;
    scene.run().await;
    let job = Runner::default().take(&scene.server).await;
    job.report(&scene.server, "success").await;
    scene.server.crash().await;
    assert_over(&job.log(&scene.server, 0, "x").await, "success");
    job.report(&scene.server, "success").await;
}

#[tokio::test]
async fn queued_jobs_are_handed_out_after_a_crash() {
    let mut scene = Scene::new(ONE_JOB).await;
    let run = scene.run().await;
    scene.server.crash().await;
    assert_eq!(scene.server.app().dispatch.pending(), 1);
    let job = Runner::default().take(&scene.server).await;
    assert_eq!(job.payload["job_info"]["pipeline_id"], run);
    assert_eq!(scene.server.app().dispatch.pending(), 0);
}

#[tokio::test]
async fn a_job_that_never_arrived_is_offered_again_once() {
    let mut scene = Scene::new(ONE_JOB).await;
    scene.run().await;
    let lost = Runner::default().take(&scene.server).await;
    scene.server.crash().await;
    let runner = Runner::default().holding(&[]);
    let again = runner.take(&scene.server).await;
    assert_eq!((again.id, &again.token), (lost.id, &lost.token));
    assert_eq!(again.payload["steps"], lost.payload["steps"]);
    scene.run().await;
    assert_ne!(runner.take(&scene.server).await.id, lost.id, "once only");
}

#[tokio::test]
async fn a_job_that_the_runner_has_is_not_offered_again() {
    let mut scene = Scene::new(ONE_JOB).await;
    scene.run().await;
    let job = Runner::default().take(&scene.server).await;
    scene.server.crash().await;
    scene.run().await;
    let next = Runner::default()
        .holding(&[job.id])
        .take(&scene.server)
        .await;
    assert_ne!(next.id, job.id);
    job.report(&scene.server, "success").await;
}

/// gitlab-runner does not tell; running its job twice would be worse.
#[tokio::test]
async fn a_runner_that_does_not_say_what_it_holds_gets_nothing_twice() {
    let mut scene = Scene::new(ONE_JOB).await;
    scene.run().await;
    let job = Runner::default().take(&scene.server).await;
    scene.server.crash().await;
    scene.run().await;
    assert_ne!(Runner::default().take(&scene.server).await.id, job.id);
}

#[tokio::test]
async fn a_job_claimed_for_a_client_that_has_gone_goes_to_the_next_request() {
    let scene = Scene::new(ONE_JOB).await;
    let app = scene.server.app().clone();
    scene.run().await;
    // As the handler does, up to the moment when its connection breaks.
    let token = tappet_server::secrets::hash(&scene.server.runner_token());
    let runner = app.store.runner_by_token(token).await.unwrap().unwrap();
    let claim = tappet_store::Claim {
        runner_id: runner.id,
        system_id: "r_first".into(),
        tags: runner.tags,
        run_untagged: runner.run_untagged,
        runs_steps: false,
        cancels_gracefully: true,
        is_expected: false,
        now: tappet_server::clock::now(),
    };
    let patience = std::time::Duration::ZERO;
    let handover = app.dispatch.next(&app, claim, None, patience).await;
    let handover = handover.unwrap().unwrap();
    let waiting = tokio::spawn(Runner::named("r_first").request(&scene.server).send());
    until(|| app.dispatch.waiting() == 1).await;
    let id = handover.assignment.attempt.id;
    drop(handover);
    let taken = crate::runner::Taken::from(&waiting.await.unwrap());
    assert_eq!(taken.id, id.0);
    taken.report(&scene.server, "success").await;
}
