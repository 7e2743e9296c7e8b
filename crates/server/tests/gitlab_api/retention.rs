//! What goes when it is too old, and who may ask for it.

use std::time::Duration;

use serde_json::{Value, json};
use tappet_server::clock;
use tappet_server::retention::{Keep, Mode, sweep};
use tappet_server::testing::TestServer;

use super::{PIPELINE, Scene, assert_reply, runner};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A server that keeps runs, logs and audit entries for so long.
async fn scene(keep: Keep) -> Scene {
    let server = TestServer::start_with(|config| config.keep = keep).await;
    let project = server.project("acme/web", &[PIPELINE]).await;
    Scene { server, project }
}

/// A run whose first job has ended with a log; gives the job's id.
async fn logged(scene: &Scene) -> i64 {
    scene.run().await;
    let job = runner::take(&scene.server).await;
    job.log(0, b"hello\n").await;
    job.end("failed").await;
    job.id
}

#[tokio::test]
async fn without_settings_everything_stays() {
    let scene = scene(Keep::default()).await;
    let job = logged(&scene).await;
    let later = clock::now().plus(DAY * 10_000);
    let swept = sweep(scene.server.app(), later, Mode::Remove)
        .await
        .unwrap();
    assert_eq!(
        (swept.runs, swept.logs.count, swept.audit_entries),
        (0, 0, 0)
    );
    assert_eq!(
        scene.get(&format!("/jobs/{job}/trace")).await.text(),
        "hello\n"
    );
}

#[tokio::test]
async fn logs_go_by_the_end_of_their_job() {
    let scene = scene(Keep {
        logs: Some(DAY * 30),
        ..Keep::default()
    })
    .await;
    let job = logged(&scene).await;
    let app = scene.server.app();
    let early = clock::now().plus(DAY * 29);
    assert_eq!(sweep(app, early, Mode::Remove).await.unwrap().logs.count, 0);
    let late = clock::now().plus(DAY * 31);
    assert_eq!(sweep(app, late, Mode::Count).await.unwrap().logs.count, 1);
    assert_eq!(
        scene.get(&format!("/jobs/{job}/trace")).await.text(),
        "hello\n"
    );
    let swept = sweep(app, late, Mode::Remove).await.unwrap();
    assert_eq!((swept.logs.count, swept.logs.bytes), (1, 6));
    assert_eq!(scene.get(&format!("/jobs/{job}/trace")).await.text(), "");
    assert_eq!(sweep(app, late, Mode::Remove).await.unwrap().logs.count, 0);
}

#[tokio::test]
async fn runs_that_ended_go_with_everything_and_others_stay() {
    let scene = scene(Keep {
        runs: Some(DAY * 90),
        ..Keep::default()
    })
    .await;
    let job = logged(&scene).await;
    let waiting = scene.run().await;
    let app = scene.server.app();
    let late = clock::now().plus(DAY * 91);
    assert_eq!(sweep(app, late, Mode::Count).await.unwrap().runs, 1);
    assert_eq!(scene.runs().await, 2);
    assert_eq!(sweep(app, late, Mode::Remove).await.unwrap().runs, 1);
    let left = scene.get("/pipelines").await.json();
    let left: Vec<&Value> = left
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["id"])
        .collect();
    assert_eq!(left, [&json!(waiting)]);
    assert_eq!(scene.get(&format!("/jobs/{job}")).await.status, 404);
    let log = scene.server.data_dir().join(format!("logs/0/{job}.log"));
    assert!(!log.exists());
}

#[tokio::test]
async fn entries_of_the_audit_log_go_by_their_age() {
    let scene = scene(Keep {
        audit: Some(DAY * 365),
        ..Keep::default()
    })
    .await;
    scene.run().await;
    let app = scene.server.app();
    let late = clock::now().plus(DAY * 366);
    let counted = sweep(app, late, Mode::Count).await.unwrap().audit_entries;
    assert!(counted > 0);
    assert_eq!(
        sweep(app, late, Mode::Remove).await.unwrap().audit_entries,
        counted
    );
    assert_eq!(
        sweep(app, late, Mode::Count).await.unwrap().audit_entries,
        0
    );
}

#[tokio::test]
async fn events_go_after_their_run_and_its_followers_are_told_how_it_stands() {
    let scene = scene(Keep::default()).await;
    let run = scene.run().await;
    for _ in 0..2 {
        runner::take(&scene.server).await.end("success").await;
    }
    scene.run().await;
    let app = scene.server.app();
    let early = clock::now().plus(DAY / 2);
    assert_eq!(sweep(app, early, Mode::Remove).await.unwrap().events, 0);
    let late = clock::now().plus(DAY * 2);
    let counted = sweep(app, late, Mode::Count).await.unwrap().events;
    assert!(counted > 0);
    let removed = sweep(app, late, Mode::Remove).await.unwrap().events;
    assert_eq!(removed, counted);

    let path = scene.path(&format!("/pipelines/{run}/events?after=2"));
    let mut events = scene.server.get(&path).root().events().await;
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        let data: Value = serde_json::from_str(&event.data).unwrap();
        let status = data["status"].as_str().unwrap().to_owned();
        told.push((event.kind, event.id, status));
    }
    let expected = [("job", "2"), ("job", "2"), ("run", "2"), ("end", "")]
        .map(|(kind, id)| (kind.to_owned(), id.to_owned(), "success".to_owned()));
    assert_eq!(told, expected);
}

#[tokio::test]
async fn administrators_see_and_remove_what_is_too_old() {
    let scene = scene(Keep::default()).await;
    for method in ["GET", "POST"] {
        let nobody = scene
            .server
            .request(method, "/api/v4/admin/gc")
            .send()
            .await;
        assert_reply(&nobody, 401, &json!({ "message": "401 Unauthorized" }));
        let root = scene
            .server
            .request(method, "/api/v4/admin/gc")
            .root()
            .send()
            .await;
        let nothing = json!({ "count": 0, "bytes": 0 });
        assert_reply(
            &root,
            200,
            &json!({
                "artifacts": nothing, "runs": 0, "logs": nothing, "audit_entries": 0,
                "cache": nothing, "events": 0, "idempotency_keys": 0, "sessions": 0,
            }),
        );
    }
}
