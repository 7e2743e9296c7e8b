//! Schedules fire: once per due time, whatever happens to server and clock.

use serde_json::{Value, json};
use tappet_model::Timestamp;
use tappet_server::clock::Clock;
use tappet_server::schedules::{self, MissedSlots};
use tappet_server::testing::{ROOT_TOKEN, TestServer, git};
use tappet_store::{NewUser, Profile, ScheduleChange};

use crate::PIPELINE;

/// A server whose schedules go by a clock set by hand, with one project.
struct Scene {
    server: TestServer,
    clock: Clock,
    project: i64,
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

impl Scene {
    async fn new(now: &str) -> Self {
        Self::with_missed(now, MissedSlots::RunOnce).await
    }

    async fn with_missed(now: &str, missed: MissedSlots) -> Self {
        let clock = Clock::set_to(at(now));
        let server = TestServer::start_with(|config| {
            config.clock = clock.clone();
            config.missed_schedules = missed;
        })
        .await;
        let project = server.project("acme/web", &[PIPELINE]).await;
        Self {
            server,
            clock,
            project,
        }
    }

    async fn call(&self, verb: &str, rest: &str, body: &Value) -> Value {
        let path = format!("/api/v4/projects/{}/pipeline_schedules{rest}", self.project);
        let reply = self
            .server
            .request(verb, &path)
            .root()
            .json(body)
            .send()
            .await;
        assert!(reply.status < 300, "{verb} {rest}: {}", reply.text());
        reply.json()
    }

    /// A schedule of `main`; gives its id.
    async fn schedule(&self, cron: &str, zone: &str) -> i64 {
        let body = json!({
            "description": "by the clock",
            "ref": "main",
            "cron": cron,
            "cron_timezone": zone,
        });
        self.call("POST", "", &body).await["id"].as_i64().unwrap()
    }

    async fn show(&self, id: i64) -> Value {
        let path = format!("/api/v4/projects/{}/pipeline_schedules/{id}", self.project);
        self.server.get(&path).root().send().await.json()
    }

    /// Puts the clock to a time and waits until everything due has been dealt with.
    async fn at(&self, time: &str) {
        self.clock.set(at(time));
        schedules::tick(self.server.app()).await.unwrap();
    }

    async fn runs(&self) -> Vec<Value> {
        let path = format!("/api/v4/projects/{}/pipelines", self.project);
        let list = self.server.get(&path).root().send().await.json();
        list.as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_due_schedule_starts_a_run_of_its_owner() {
    let scene = Scene::new("2026-03-02T12:00:00Z").await;
    let id = scene.schedule("0 13 * * *", "UTC").await;
    scene.at("2026-03-02T12:59:59Z").await;
    assert!(scene.runs().await.is_empty());
    scene.at("2026-03-02T13:00:00Z").await;
    let runs = scene.runs().await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["source"], "schedule");
    let shown = scene.show(id).await;
    assert_eq!(shown["last_pipeline"]["id"], runs[0]["id"]);
    assert_eq!(shown["next_run_at"], "2026-03-03T13:00:00.000Z");
}

#[tokio::test]
async fn the_task_wakes_by_itself() {
    let scene = Scene::new("2026-03-02T12:00:00Z").await;
    // Made while the task sleeps without a time to wake.
    scene.schedule("0 13 * * *", "UTC").await;
    scene.clock.set(at("2026-03-02T13:00:00Z"));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while scene.runs().await.is_empty() {
        assert!(std::time::Instant::now() < deadline, "nothing fired");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_slot_fires_once_whatever_is_restarted() {
    let mut scene = Scene::new("2026-03-02T12:00:00Z").await;
    scene.schedule("0 * * * *", "UTC").await;
    scene.at("2026-03-02T13:00:00Z").await;
    scene.server.crash().await;
    scene.at("2026-03-02T13:00:01Z").await;
    scene.server.restart().await;
    scene.at("2026-03-02T13:59:59Z").await;
    assert_eq!(scene.runs().await.len(), 1);
    scene.at("2026-03-02T14:00:00Z").await;
    assert_eq!(scene.runs().await.len(), 2);
}

#[tokio::test]
async fn a_slot_that_came_while_the_server_was_dead_is_not_lost() {
    let mut scene = Scene::new("2026-03-02T12:59:59Z").await;
    scene.schedule("0 * * * *", "UTC").await;
    scene.server.stop().await;
    scene.clock.set(at("2026-03-02T13:00:05Z"));
    scene.server.crash().await;
    scene.at("2026-03-02T13:00:06Z").await;
    assert_eq!(scene.runs().await.len(), 1);
}

#[tokio::test]
async fn missed_slots_become_one_late_run() {
    let mut scene = Scene::new("2026-03-02T12:00:00Z").await;
    let id = scene.schedule("0 * * * *", "UTC").await;
    scene.server.stop().await;
    scene.clock.set(at("2026-03-02T18:30:00Z"));
    scene.server.restart().await;
    scene.at("2026-03-02T18:30:01Z").await;
    assert_eq!(scene.runs().await.len(), 1);
    let next = &scene.show(id).await["next_run_at"];
    assert_eq!(next, "2026-03-02T19:00:00.000Z");
}

#[tokio::test]
async fn missed_slots_can_be_skipped() {
    let scene = Scene::with_missed("2026-03-02T12:00:00Z", MissedSlots::Skip).await;
    let id = scene.schedule("0 * * * *", "UTC").await;
    scene.at("2026-03-02T18:30:00Z").await;
    assert!(scene.runs().await.is_empty());
    let shown = scene.show(id).await;
    assert_eq!(shown["next_run_at"], "2026-03-02T19:00:00.000Z");
    assert_eq!(shown.get("failure"), None);
    scene.at("2026-03-02T19:00:30Z").await;
    assert_eq!(scene.runs().await.len(), 1);
}

#[tokio::test]
async fn a_clock_put_back_repeats_nothing() {
    let scene = Scene::new("2026-03-02T12:00:00Z").await;
    let id = scene.schedule("0 * * * *", "UTC").await;
    scene.at("2026-03-02T13:00:00Z").await;
    scene.at("2026-03-02T12:00:00Z").await;
    // Not even when the schedule is saved in between.
    scene
        .call("PUT", &format!("/{id}"), &json!({ "active": false }))
        .await;
    scene
        .call("PUT", &format!("/{id}"), &json!({ "active": true }))
        .await;
    scene.at("2026-03-02T13:30:00Z").await;
    assert_eq!(scene.runs().await.len(), 1);
    scene.at("2026-03-02T14:00:00Z").await;
    assert_eq!(scene.runs().await.len(), 2);
}

#[tokio::test]
async fn a_clock_put_forward_starts_one_late_run() {
    let scene = Scene::new("2026-03-02T12:00:00Z").await;
    scene.schedule("*/5 * * * *", "UTC").await;
    scene.at("2026-03-02T15:02:00Z").await;
    assert_eq!(scene.runs().await.len(), 1);
    scene.at("2026-03-02T15:05:00Z").await;
    assert_eq!(scene.runs().await.len(), 2);
}

#[tokio::test]
async fn a_skipped_hour_fires_when_the_clock_jumps_and_a_repeated_one_once() {
    let scene = Scene::new("2024-03-31T00:30:00Z").await;
    let id = scene.schedule("30 2 * * *", "Europe/Berlin").await;
    let next = &scene.show(id).await["next_run_at"];
    assert_eq!(next, "2024-03-31T01:00:00.000Z");
    scene.at("2024-03-31T01:00:00Z").await;
    assert_eq!(scene.runs().await.len(), 1);

    scene.at("2024-10-26T12:00:00Z").await;
    let before = scene.runs().await.len();
    scene.at("2024-10-27T00:30:00Z").await;
    scene.at("2024-10-27T01:30:00Z").await;
    assert_eq!(scene.runs().await.len(), before + 1);
}

#[tokio::test]
async fn an_inactive_schedule_does_not_fire() {
    let scene = Scene::new("2026-03-02T12:00:00Z").await;
    let id = scene.schedule("0 * * * *", "UTC").await;
    scene
        .call("PUT", &format!("/{id}"), &json!({ "active": false }))
        .await;
    scene.at("2026-03-02T15:00:00Z").await;
    assert!(scene.runs().await.is_empty());
    let shown = scene
        .call("PUT", &format!("/{id}"), &json!({ "active": true }))
        .await;
    assert_eq!(shown["next_run_at"], "2026-03-02T16:00:00.000Z");
}

#[tokio::test]
async fn a_ref_that_is_gone_is_noted_and_tried_again() {
    let scene = Scene::new("2026-03-02T12:00:00Z").await;
    let id = scene.schedule("0 * * * *", "UTC").await;
    let repository = scene.server.scratch().join("repositories/acme-web");
    git(&repository, &["branch", "--move", "main", "away"]);
    scene.at("2026-03-02T13:00:00Z").await;
    let shown = scene.show(id).await;
    assert_eq!(shown["failure"], "Reference not found");
    assert_eq!(shown["active"], true);
    assert_eq!(shown["next_run_at"], "2026-03-02T14:00:00.000Z");
    git(&repository, &["branch", "--move", "away", "main"]);
    scene.at("2026-03-02T14:00:00Z").await;
    assert_eq!(scene.runs().await.len(), 1);
    assert_eq!(scene.show(id).await.get("failure"), None);
}

#[tokio::test]
async fn variables_and_description_reach_the_jobs() {
    let scene = Scene::new("2026-03-02T12:00:00Z").await;
    let id = scene.schedule("0 * * * *", "UTC").await;
    let variable = json!({ "key": "FLAVOUR", "value": "salt" });
    scene
        .call("POST", &format!("/{id}/variables"), &variable)
        .await;
    scene.at("2026-03-02T13:00:00Z").await;
    let runner = json!({
        "token": scene.server.runner_token(),
        "system_id": "s_test",
        "info": { "features": {} },
    });
    let job = scene
        .server
        .post("/api/v4/jobs/request")
        .json(&runner)
        .send()
        .await;
    assert_eq!(job.status, 201, "{}", job.text());
    let job = job.json();
    let value = |key: &str| {
        let mut all = job["variables"].as_array().unwrap().iter();
        all.rfind(|one| one["key"] == key)
            .map(|one| one["value"].clone())
    };
    assert_eq!(value("FLAVOUR"), Some(json!("salt")));
    assert_eq!(value("CI_PIPELINE_SOURCE"), Some(json!("schedule")));
    let description = value("CI_PIPELINE_SCHEDULE_DESCRIPTION");
    assert_eq!(description, Some(json!("by the clock")));
}

#[tokio::test]
async fn rules_see_the_schedule() {
    let file = "job:\n  script: x\n  rules:\n    \
                - if: $CI_PIPELINE_SCHEDULE_DESCRIPTION == \"by the clock\"\n";
    let mut scene = Scene::new("2026-03-02T12:00:00Z").await;
    let files: &[(&str, &str)] = &[(".gitlab-ci.yml", file)];
    scene.project = scene.server.project("acme/rules", files).await;
    scene.schedule("0 * * * *", "UTC").await;
    scene.at("2026-03-02T13:00:00Z").await;
    assert_eq!(scene.runs().await.len(), 1);
}

#[tokio::test]
async fn an_owner_who_leaves_the_project_takes_the_schedule_with_them() {
    let scene = Scene::new("2026-03-02T12:00:00Z").await;
    let dan = scene.server.member(scene.project, "dan", 30).await;
    let body = json!({ "description": "dan's", "ref": "main", "cron": "0 * * * *" });
    let project = format!("/api/v4/projects/{}", scene.project);
    let made = scene
        .server
        .post(&format!("{project}/pipeline_schedules"))
        .user(&dan)
        .json(&body)
        .send()
        .await
        .json();
    scene.at("2026-03-02T13:00:00Z").await;
    assert_eq!(scene.runs().await[0]["source"], "schedule");

    let path = format!("{project}/members/{}", dan.id);
    let removed = scene.server.request("DELETE", &path).root().send().await;
    assert_eq!(removed.status, 204, "{}", removed.text());
    let shown = scene.show(made["id"].as_i64().unwrap()).await;
    assert_eq!(shown["active"], false);
    assert!(
        shown["failure"]
            .as_str()
            .unwrap()
            .contains("take ownership")
    );
    scene.at("2026-03-02T15:00:00Z").await;
    assert_eq!(scene.runs().await.len(), 1);
}

#[tokio::test]
async fn an_owner_who_may_nothing_any_more_ends_the_schedule() {
    let scene = Scene::new("2026-03-02T12:00:00Z").await;
    let id = scene.schedule("0 * * * *", "UTC").await;
    let app = scene.server.app();
    let now = at("2026-03-02T12:00:00Z");
    let leaver = NewUser {
        username: "leaver".into(),
        name: "Leaver".into(),
        email: "leaver@example.com".into(),
        is_admin: false,
        is_external: false,
        password: None,
        profile: Profile::default(),
        now,
    };
    let leaver = app.store.create_user(leaver).await.unwrap().user;
    let change = ScheduleChange {
        owner_id: Some(leaver.id),
        ..ScheduleChange::default()
    };
    let id = tappet_model::ScheduleId(id);
    app.store.change_schedule(id, change, now).await.unwrap();
    scene.at("2026-03-02T13:00:00Z").await;
    assert!(scene.runs().await.is_empty());
    let shown = scene.show(id.0).await;
    assert_eq!(shown["active"], false);
    let failure = shown["failure"].as_str().unwrap();
    assert!(failure.contains("take ownership"), "{failure}");
    let path = format!("/api/v4/projects/{}/audit_events", scene.project);
    let events = scene.server.get(&path).root().send().await.text();
    assert!(events.contains("schedule_deactivated"), "{events}");
    assert!(!events.contains(ROOT_TOKEN));
}
