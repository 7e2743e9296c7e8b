//! Runs that the examples copy to measure long histories are what the verbs make.

use tappet_model::{AttemptId, JobId, RunId, Timestamp, WorkflowId};
use tappet_store::*;

use crate::history;
use crate::sample::SPACING;
use crate::world::*;

const RUNS: i64 = 120;
const SAMPLE: i64 = 50;

/// A world with so many ended runs.
pub async fn filled(runs: i64) -> World {
    let world = World::new().await;
    world.store.close().await.unwrap();
    let database = world.database();
    history::fill(&database, runs, SAMPLE).await.unwrap();
    world.reopen()
}

struct Stored {
    run: Run,
    attempts: Vec<Attempt>,
    /// Id, kind and body.
    events: Vec<(i64, String, String)>,
    pull_request: Option<PullRequestRun>,
    started: serde_json::Value,
}

async fn read(world: &World, id: i64, started: &[AuditEntry]) -> Stored {
    let run = RunId(id);
    let all = AttemptFilter {
        include_retried: true,
        ..AttemptFilter::default()
    };
    let attempts = world.store.attempts(run, all, page(1, 100)).await.unwrap();
    let events = world.store.events(run, 0, 100).await.unwrap();
    let started = started.iter().find_map(|entry| {
        let details: serde_json::Value = serde_json::from_str(&entry.entry.details).unwrap();
        (details["run_id"] == id).then_some(details)
    });
    Stored {
        run: world.store.run(run).await.unwrap().unwrap(),
        attempts: attempts.items,
        events: events
            .into_iter()
            .map(|event| (event.id, event.kind, event.body))
            .collect(),
        pull_request: world.store.pull_request_run(run).await.unwrap(),
        started: started.unwrap(),
    }
}

fn later(time: &mut Timestamp, copies: i64) {
    time.0 += copies * SAMPLE * SPACING;
}

/// What the copy of a run has to be.
fn expected(mut of: Stored, copies: i64, spans: (i64, i64)) -> Stored {
    let run = &mut of.run;
    let (old, new) = (run.id.0, run.id.0 + copies * SAMPLE);
    run.id = RunId(new);
    run.iid = new;
    run.workflow_id = WorkflowId(new);
    run.sha = format!("{:040x}", new / 2).parse().unwrap();
    for unique in ["v", "topic/"] {
        if run.ref_name == format!("{unique}{old}") {
            run.ref_name = format!("{unique}{new}");
        }
    }
    later(&mut run.created_at, copies);
    later(&mut run.updated_at, copies);
    let times = [&mut run.started_at, &mut run.finished_at];
    times
        .into_iter()
        .flatten()
        .for_each(|time| later(time, copies));
    if let Some(of) = &mut of.pull_request {
        of.run_id = run.id;
        of.pull_request.head_sha = run.sha.to_string();
    }
    of.started["run_id"] = new.into();
    of.started["ref"] = run.ref_name.clone().into();
    let (attempts, events) = spans;
    for attempt in &mut of.attempts {
        attempt.id = AttemptId(attempt.id.0 + copies * attempts);
        attempt.job_id = JobId(attempt.job_id.0 + copies * attempts);
        attempt.run_id = RunId(new);
        attempt.workflow_id = WorkflowId(new);
        later(&mut attempt.created_at, copies);
        let times = [
            &mut attempt.queued_at,
            &mut attempt.started_at,
            &mut attempt.finished_at,
        ];
        times
            .into_iter()
            .flatten()
            .for_each(|time| later(time, copies));
    }
    for (id, kind, body) in &mut of.events {
        *id += copies * events;
        let mut shown: serde_json::Value = serde_json::from_str(body).unwrap();
        let span = if kind == "run" { SAMPLE } else { attempts };
        shown["id"] = (shown["id"].as_i64().unwrap() + copies * span).into();
        *body = shown.to_string();
    }
    of
}

#[tokio::test]
async fn a_copied_run_reads_like_the_one_that_was_made() {
    let world = filled(RUNS).await;
    let mut entries = Vec::new();
    for number in 1..=2 {
        let filter = AuditFilter {
            action: Some("run_started".into()),
            ..AuditFilter::default()
        };
        let listed = world.store.audit_entries(filter, page(number, 100)).await;
        entries.extend(listed.unwrap().items);
    }
    assert_eq!(entries.len(), 120);
    let mut made = Vec::new();
    for id in 1..=SAMPLE {
        made.push(read(&world, id, &entries).await);
    }
    let attempts = made.iter().flat_map(|run| &run.attempts);
    let events = made.iter().flat_map(|run| &run.events);
    let spans = (
        attempts.map(|attempt| attempt.id.0).max().unwrap(),
        events.map(|event| event.0).max().unwrap(),
    );
    for id in SAMPLE + 1..=RUNS {
        let (copies, place) = ((id - 1) / SAMPLE, (id - 1) % SAMPLE + 1);
        let expected = expected(read(&world, place, &entries).await, copies, spans);
        let copy = read(&world, id, &entries).await;
        assert_eq!(copy.run, expected.run);
        assert_eq!(copy.attempts, expected.attempts, "{id}");
        assert_eq!(copy.events, expected.events, "{id}");
        assert_eq!(copy.pull_request, expected.pull_request, "{id}");
        assert_eq!(copy.started, expected.started);
    }
}

#[tokio::test]
async fn a_filled_database_is_whole_and_goes_on() {
    let world = filled(RUNS).await;
    let newest = world.create(&[job("test")]).await.run;
    assert_eq!((newest.id, newest.iid), (RunId(RUNS + 1), RUNS + 1));
    world.take().await;
    let branches = RunFilter {
        scope: Some(RunScope::Branches),
        ..RunFilter::default()
    };
    let newest_of_refs = world.store.runs(world.project, branches, first_page());
    assert_eq!(newest_of_refs.await.unwrap().items[0].id, newest.id);
    let indexes_left = indexes(&world).await;
    assert_eq!(indexes_left, indexes(&World::new().await).await);

    let conn = rusqlite::Connection::open(world.database()).unwrap();
    let check: String = conn
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    let strays: i64 = conn
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(strays, 0);
}

/// The definitions of all indexes.
async fn indexes(world: &World) -> Vec<String> {
    world.store.close().await.unwrap();
    let conn = rusqlite::Connection::open(world.database()).unwrap();
    let mut find = conn
        .prepare(
            "SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY sql",
        )
        .unwrap();
    let rows = find.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}
