//! Delayed jobs: they start once, when their time has come or when somebody says
//! so, whatever happens to server and clock.

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};
use tappet_model::Timestamp;
use tappet_server::clock::{self, Clock};
use tappet_server::delays;
use tappet_server::testing::TestServer;

use super::{Scene, hooks, runner};

const DELAYED: (&str, &str) = (
    ".gitlab-ci.yml",
    "deploy:\n  script: make deploy\n  when: delayed\n  start_in: 30 minutes\n",
);

/// A run whose only job is delayed, on a server with a clock set by hand.
struct Delayed {
    scene: Scene,
    clock: Clock,
    run: i64,
    job: i64,
    /// When the job starts.
    starts_at: Timestamp,
}

impl Delayed {
    async fn start() -> Self {
        let clock = Clock::set_to(clock::now());
        let server = TestServer::start_with(|config| config.clock = clock.clone()).await;
        let project = server.project("acme/web", &[DELAYED]).await;
        let scene = Scene { server, project };
        let run = scene.run().await;
        let job = scene.job_id(run, "deploy").await;
        let store = &scene.server.app().store;
        let starts_at = store.next_delay_end(Timestamp(0)).await.unwrap().unwrap();
        Self {
            scene,
            clock,
            run,
            job,
            starts_at,
        }
    }

    /// Puts the clock to so many seconds after the time of the job, and waits
    /// until everything due has been dealt with.
    async fn at(&self, seconds: i64) {
        self.set_clock(seconds);
        delays::tick(self.scene.server.app()).await.unwrap();
    }

    fn set_clock(&self, seconds: i64) {
        self.clock
            .set(Timestamp(self.starts_at.0 + seconds * 1_000_000));
    }

    async fn status(&self) -> String {
        let job = self.scene.get(&format!("/jobs/{}", self.job)).await;
        job.json()["status"].as_str().unwrap().to_owned()
    }

    async fn until_pending(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.status().await != "pending" {
            assert!(Instant::now() < deadline, "the job did not start");
            tokio::task::yield_now().await;
        }
    }

    async fn ids(&self, list: &str) -> Vec<i64> {
        let reply = self.scene.get(list).await.json();
        let items = reply.as_array().unwrap();
        items
            .iter()
            .map(|one| one["id"].as_i64().unwrap())
            .collect()
    }
}

#[tokio::test]
async fn a_delayed_job_starts_when_its_time_has_come() {
    let delayed = Delayed::start().await;
    delayed.at(-1).await;
    assert_eq!(delayed.status().await, "scheduled");
    delayed.at(0).await;
    assert_eq!(delayed.status().await, "pending");

    let (job, payload) = runner::take_with_payload(&delayed.scene.server).await;
    assert_eq!(job.id, delayed.job);
    let manual = payload["variables"].as_array().unwrap().iter();
    let manual: Vec<&Value> = manual
        .filter(|variable| variable["key"] == "CI_JOB_MANUAL")
        .map(|variable| &variable["value"])
        .collect();
    assert_eq!(manual, ["true"]);
    job.end("success").await;
    let path = format!("/pipelines/{}", delayed.run);
    let run = delayed.scene.get(&path).await.json();
    assert_eq!(run["status"], "success");
}

#[tokio::test]
async fn a_job_that_waits_for_its_time_is_scheduled_everywhere() {
    let delayed = Delayed::start().await;
    let Delayed {
        scene, run, job, ..
    } = &delayed;
    let pipeline = scene.get(&format!("/pipelines/{run}")).await.json();
    assert_eq!(pipeline["status"], "scheduled");
    let detailed = &pipeline["detailed_status"];
    assert_eq!(
        [&detailed["text"], &detailed["label"], &detailed["group"]],
        ["Delayed", "waiting for delayed job", "scheduled"]
    );
    for list in [
        "/jobs?scope=scheduled",
        &format!("/pipelines/{run}/jobs?scope[]=scheduled"),
    ] {
        assert_eq!(delayed.ids(list).await, [*job], "{list}");
    }
    assert_eq!(delayed.ids("/pipelines?status=scheduled").await, [*run]);
    assert!(delayed.ids("/jobs?scope=pending").await.is_empty());
    let shown = scene.get(&format!("/jobs/{job}")).await.json();
    let times = ["queued_duration", "started_at", "finished_at"];
    assert_eq!(times.map(|key| &shown[key]), [&Value::Null; 3]);
}

#[tokio::test]
async fn the_task_wakes_by_itself() {
    let delayed = Delayed::start().await;
    // The task went to sleep before there was a time to wait for.
    delayed.set_clock(0);
    delayed.until_pending().await;
}

#[tokio::test]
async fn a_time_that_came_while_the_server_was_dead_is_only_late() {
    let mut delayed = Delayed::start().await;
    delayed.scene.server.kill().await;
    delayed.set_clock(2 * 60 * 60);
    delayed.scene.server.restart().await;
    delayed.until_pending().await;
}

#[tokio::test]
async fn a_delay_goes_on_after_a_crash() {
    let mut delayed = Delayed::start().await;
    delayed.set_clock(-60);
    delayed.scene.server.crash().await;
    delayed.at(-1).await;
    assert_eq!(delayed.status().await, "scheduled");
    delayed.at(0).await;
    assert_eq!(delayed.status().await, "pending");
}

#[tokio::test]
async fn a_clock_that_is_put_back_starts_nothing_twice() {
    let mut delayed = Delayed::start().await;
    delayed.at(0).await;
    let job = runner::take(&delayed.scene.server).await;
    job.end("success").await;
    delayed.at(-600).await;
    delayed.scene.server.crash().await;
    delayed.at(1).await;
    assert_eq!(delayed.status().await, "success");
    let jobs = format!("/pipelines/{}/jobs?include_retried=true", delayed.run);
    assert_eq!(delayed.ids(&jobs).await, [delayed.job]);
}

#[tokio::test]
async fn a_played_job_starts_at_once_and_only_once() {
    let delayed = Delayed::start().await;
    let path = format!("/jobs/{}/play", delayed.job);
    let played = delayed.scene.post(&path).await;
    assert_eq!(
        (played.status, &played.json()["status"]),
        (200, &json!("pending"))
    );
    let again = delayed.scene.post(&path).await;
    let refused = json!({ "message": "400 Bad request - Unplayable Job" });
    assert_eq!((again.status, again.json()), (400, refused));
    let job = runner::take(&delayed.scene.server).await;
    delayed.at(0).await;
    assert_eq!(delayed.status().await, "running");
    job.end("success").await;
    delayed.at(1).await;
    assert_eq!(delayed.status().await, "success");
}

#[rstest]
#[case::job(|delayed: &Delayed| format!("/jobs/{}/cancel", delayed.job))]
#[case::run(|delayed: &Delayed| format!("/pipelines/{}/cancel", delayed.run))]
#[tokio::test]
async fn a_canceled_job_has_no_time_to_start(#[case] path: fn(&Delayed) -> String) {
    let delayed = Delayed::start().await;
    let reply = delayed.scene.post(&path(&delayed)).await;
    assert!(reply.status < 300, "{}", reply.text());
    assert_eq!(delayed.status().await, "canceled");
    delayed.at(0).await;
    assert_eq!(delayed.status().await, "canceled");
}

#[tokio::test]
async fn a_retried_job_does_not_wait_again() {
    let delayed = Delayed::start().await;
    delayed.at(0).await;
    let job = runner::take(&delayed.scene.server).await;
    job.end("failed").await;
    let retried = delayed.scene.post(&format!("/jobs/{}/retry", job.id)).await;
    assert_eq!(
        (retried.status, &retried.json()["status"]),
        (201, &json!("pending"))
    );
}

#[tokio::test]
async fn explain_tells_when_it_starts() {
    let delayed = Delayed::start().await;
    let path = format!("/api/v4/-/explain/r{}", delayed.run);
    let reply = delayed.scene.server.get(&path).root().send().await;
    let explained = reply.json();
    let at = delayed.starts_at.to_seconds_text();
    assert_eq!(
        explained["reason"],
        format!("It waits for the delay of `deploy`. `deploy` starts at {at}.")
    );
    let job = &explained["jobs"][0];
    assert_eq!(job["reason_code"], "delayed");
    let go = format!("`tappet play a{}` starts it now.", delayed.job);
    assert_eq!(job["reason"], format!("It starts at {at}. {go}"));
}

#[tokio::test]
async fn a_rule_may_delay_a_job() {
    let rules = "rules:\n    - if: $LATER\n      when: delayed\n      start_in: 1 hour\n    - when: on_success\n";
    let file = format!("deploy:\n  script: make\n  {rules}");
    let scene = Scene::with_file((".gitlab-ci.yml", &file)).await;
    let later = scene.run_with("ref=main&variables[LATER]=1").await;
    assert_eq!(scene.job(later, "deploy").await["status"], "scheduled");
    let now = scene.run().await;
    assert_eq!(scene.job(now, "deploy").await["status"], "pending");
}

#[tokio::test]
async fn webhooks_tell_that_a_job_waits_for_its_time() {
    let receiver = hooks::Receiver::start(&[]).await;
    let server = TestServer::start().await;
    let project = server.project("acme/web", &[DELAYED]).await;
    let scene = Scene { server, project };
    let hook = json!({
        "url": receiver.url, "pipeline_events": true, "job_events": true, "push_events": false,
    });
    let added = hooks::add(&scene, &hook).await;
    assert_eq!(added.status, 201, "{}", added.text());
    scene.run().await;
    let is = |kind: &str, body: &Value| hooks::told(body) == (kind.into(), "scheduled".into());
    let got = receiver
        .until(|got| {
            ["pipeline", "build"]
                .iter()
                .all(|kind| got.iter().any(|(_, body)| is(kind, body)))
        })
        .await;
    let (_, pipeline) = got.iter().find(|(_, body)| is("pipeline", body)).unwrap();
    let attributes = &pipeline["object_attributes"];
    assert_eq!(attributes["detailed_status"], "waiting for delayed job");
    let job = &pipeline["builds"][0];
    assert_eq!(
        (&job["status"], &job["when"], &job["manual"]),
        (&json!("scheduled"), &json!("delayed"), &json!(true))
    );
}
