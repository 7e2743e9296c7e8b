//! The event log of a run.

use tappet_engine::JobEvent;
use tappet_store::*;

use crate::world::*;

fn told(events: &[EventRecord]) -> Vec<String> {
    events
        .iter()
        .map(|event| {
            let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
            let name = body["name"].as_str().unwrap_or("run").to_owned();
            format!("{} {name} {}", event.kind, body["status"].as_str().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn every_change_is_told_in_order() {
    let world = World::new().await;
    let run = world.create(&[job("a")]).await.run.id;
    world.create(&[job("of another run")]).await;
    let a = world.take().await.attempt.id;
    let advance = world.job_event(a, JobEvent::Success).await.unwrap();

    let events = world.store.events(run, 0, 100).await.unwrap();
    assert_eq!(
        told(&events),
        [
            "run run created",
            "job a pending",
            "run run pending",
            "job a running",
            "run run running",
            "job a success",
            "run run success",
        ]
    );
    assert!(events.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!(events.last().unwrap().id, advance.last_event);
}

#[tokio::test]
async fn a_reader_goes_on_where_it_stopped() {
    let world = World::new().await;
    let run = world.create(&[job("a")]).await.run.id;
    let a = world.take().await.attempt.id;
    world.job_event(a, JobEvent::Success).await.unwrap();
    let all = world.store.events(run, 0, 100).await.unwrap();
    for step in 1..=all.len() {
        let mut read: Vec<EventRecord> = Vec::new();
        loop {
            let after = read.last().map_or(0, |event| event.id);
            let limit = u32::try_from(step).unwrap();
            let next = world.store.events(run, after, limit).await.unwrap();
            assert!(next.len() <= step);
            if next.is_empty() {
                break;
            }
            read.extend(next);
        }
        assert_eq!(read, all, "in steps of {step}");
    }
}

#[tokio::test]
async fn ids_go_on_rising_after_a_restart() {
    let world = World::new().await;
    let before = world.create(&[job("a")]).await.last_event;
    let world = world.reopen();
    let run = world.create(&[job("a")]).await.run.id;
    let events = world.store.events(run, 0, 100).await.unwrap();
    assert!(events[0].id > before);
}
