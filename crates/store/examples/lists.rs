//! Measures lists of runs and jobs among many: fills a database with finished
//! runs of a few refs, sources and people, then times each filter.
//!
//! `cargo run -p tappet-store --example lists [-- RUNS]`

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tappet_model::{ProjectId, Source, Status, Timestamp};
use tappet_store::{
    Jobs, PageRequest, ProjectAttempts, RunFilter, RunOrder, RunScope, SqliteOptions, SqliteStore,
    Store,
};

type Failure = Box<dyn Error + Send + Sync>;

const ROUNDS: usize = 31;

const PROJECT: ProjectId = ProjectId(1);

/// One run a second from here on, in microseconds.
const START: i64 = 1_700_000_000_000_000;
const SECOND: i64 = 1_000_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let runs: i64 = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 10_000,
    };
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("tappet.db");
    drop(SqliteStore::open(&path, SqliteOptions::default())?);
    let start = Instant::now();
    fill(&path, runs)?;
    println!("filled {runs} runs in {:.1?}", start.elapsed());

    let store = SqliteStore::open(&path, SqliteOptions::default())?;
    for (name, filter) in filters(runs) {
        let mut times = Vec::new();
        let mut shown = (0, None);
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let list = store
                .runs(PROJECT, filter.clone(), PageRequest::default())
                .await?;
            times.push(start.elapsed());
            shown = (list.items.len(), list.total);
        }
        report(name, times, &format!("{} of {:?}", shown.0, shown.1));
    }
    for (name, wanted) in jobs() {
        let mut times = Vec::new();
        let mut shown = 0;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            shown = store.project_attempts(PROJECT, wanted.clone()).await?.len();
            times.push(start.elapsed());
        }
        report(name, times, &format!("{shown}"));
    }
    Ok(())
}

fn report(name: &str, mut times: Vec<Duration>, shown: &str) {
    times.sort_unstable();
    println!(
        "{name:<34} p50 {:>9.2?}  p95 {:>9.2?}  {shown}",
        times[times.len() / 2],
        times[times.len() * 95 / 100]
    );
}

/// Most runs succeed on `main` after a trigger; one in a thousand is rare in
/// each way.
fn fill(path: &Path, runs: i64) -> Result<(), Failure> {
    let conn = Connection::open(path)?;
    conn.execute_batch(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; PRAGMA foreign_keys = OFF; BEGIN;
         INSERT INTO users (id, username, name, email, is_admin, is_blocked, created_at)
         VALUES (1, 'ann', '', '', 0, 0, 0), (2, 'bob', '', '', 0, 0, 0);
         INSERT INTO projects (id, path, name, description, source_kind, source_address,
         visibility, creator_id, ci_config_path, timeout_s, created_at)
         VALUES (1, 'acme/web', 'web', '', 'local', '/', 'private', 1, '.gitlab-ci.yml', 60, 0);",
    )?;
    let body = r#"{"path":".gitlab-ci.yml","stages":["build","test","deploy"],
        "graph":GRAPH,"jobs":[{"name":"build","tags":[],"needs":null,"spec":""},
        {"name":"test","tags":[],"needs":null,"spec":""},
        {"name":"deploy","tags":[],"needs":null,"spec":""}],
        "notes":{"left_out":[],"warnings":[]}}"#;
    let graph = serde_json::to_string(&graph())?;
    conn.execute(
        "INSERT INTO plans (id, digest, body) VALUES (1, x'00', ?1)",
        [body.replace("GRAPH", &graph)],
    )?;
    conn.execute(
        "INSERT INTO runs (id, project_id, iid, source, ref_name, ref_kind, sha, commit_title,
         status, has_warnings, user_id, yaml_errors, created_at, updated_at, started_at,
         finished_at, busy_micros)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
         SELECT i, 1, i,
           CASE WHEN i % 1000 = 3 THEN 'web' WHEN i % 5 = 0 THEN 'schedule' ELSE 'trigger' END,
           CASE WHEN i % 1000 = 7 THEN 'rare' WHEN i % 7 = 0 THEN 'topic-' || (i % 700) ELSE 'main' END,
           'branch', unhex(printf('%040x', i / 20)), 'Change', 
           CASE WHEN i % 1000 = 9 THEN 'canceled' WHEN i % 10 = 1 THEN 'failed' ELSE 'success' END,
           0, CASE WHEN i % 1000 = 11 THEN 2 ELSE 1 END,
           CASE WHEN i % 1000 = 13 THEN 'wrong' END,
           ?2 + i * ?3, ?2 + i * ?3 + 30 * ?3, ?2 + i * ?3, ?2 + i * ?3 + 30 * ?3, 1
         FROM n",
        (runs, START, SECOND),
    )?;
    conn.execute_batch(
        "INSERT INTO workflows (id, run_id, plan_id) SELECT id, id, 1 FROM runs;
         INSERT INTO attempts (id, project_id, run_id, position, number, automatic_retries,
         cancels_gracefully, status, created_at)
         SELECT 3 * r.id + p.p, 1, r.id, p.p, 1, 0, 0,
           CASE WHEN p.p = 0 THEN r.status WHEN r.status = 'success' THEN 'success'
           ELSE 'skipped' END, r.created_at
         FROM runs r CROSS JOIN (SELECT 0 AS p UNION ALL SELECT 1 UNION ALL SELECT 2) p;
         INSERT INTO newest_runs SELECT project_id, ref_kind, ref_name, max(id) FROM runs
         GROUP BY project_id, ref_kind, ref_name;
         COMMIT;
         PRAGMA wal_checkpoint(TRUNCATE);",
    )?;
    Ok(())
}

fn graph() -> tappet_engine::Graph {
    use std::sync::Arc;

    use tappet_model::plan::{JobSpec, Plan, PlannedJob};

    let job = |stage, name: &str| PlannedJob {
        name: name.into(),
        stage,
        when: Default::default(),
        allow_failure: Default::default(),
        needs: None,
        retry: Default::default(),
        tags: Vec::new(),
        spec: Arc::new(JobSpec::default()),
    };
    tappet_engine::Graph::of(&Plan {
        jobs: vec![job(0, "build"), job(1, "test"), job(2, "deploy")],
        ..Plan::default()
    })
}

fn filters(runs: i64) -> Vec<(&'static str, RunFilter)> {
    let all = RunFilter::default;
    let status = |status| RunFilter {
        status: Some(status),
        ..all()
    };
    let scope = |scope| RunFilter {
        scope: Some(scope),
        ..all()
    };
    let on = |name: &str, filter| RunFilter {
        ref_name: Some(name.to_owned()),
        ..filter
    };
    let by = |source, filter| RunFilter {
        source: Some(source),
        ..filter
    };
    let user = |name: &str| RunFilter {
        username: Some(name.to_owned()),
        ..all()
    };
    let order = |order_by| RunFilter { order_by, ..all() };
    let at = |part: i64| Some(Timestamp(START + runs * part / 10 * SECOND));
    vec![
        ("nothing", all()),
        ("status success", status(Status::Success)),
        ("status canceled (rare)", status(Status::Canceled)),
        ("status running (none)", status(Status::Running)),
        ("scope finished", scope(RunScope::Finished)),
        ("scope branches", scope(RunScope::Branches)),
        ("ref main", on("main", all())),
        ("ref rare", on("rare", all())),
        ("ref unknown", on("none", all())),
        ("source trigger", by(Source::Trigger, all())),
        ("source web (rare)", by(Source::Web, all())),
        ("username ann", user("ann")),
        ("username bob (rare)", user("bob")),
        (
            "sha",
            RunFilter {
                sha: Some(format!("{:040x}", runs / 40)),
                ..all()
            },
        ),
        (
            "yaml_errors",
            RunFilter {
                yaml_errors: Some(true),
                ..all()
            },
        ),
        (
            "no yaml_errors",
            RunFilter {
                yaml_errors: Some(false),
                ..all()
            },
        ),
        (
            "ref main, status failed",
            on("main", status(Status::Failed)),
        ),
        (
            "ref main, status canceled",
            on("main", status(Status::Canceled)),
        ),
        (
            "ref main, scope finished",
            on("main", scope(RunScope::Finished)),
        ),
        (
            "ref main, source schedule",
            on("main", by(Source::Schedule, all())),
        ),
        ("ref main, source web", on("main", by(Source::Web, all()))),
        (
            "status failed, source trigger",
            by(Source::Trigger, status(Status::Failed)),
        ),
        (
            "status canceled, source web",
            by(Source::Web, status(Status::Canceled)),
        ),
        (
            "created in the middle",
            RunFilter {
                created_after: at(4),
                created_before: at(6),
                ..all()
            },
        ),
        (
            "created before the middle",
            RunFilter {
                created_before: at(5),
                ..all()
            },
        ),
        (
            "updated in the middle",
            RunFilter {
                updated_after: at(4),
                updated_before: at(6),
                ..all()
            },
        ),
        (
            "updated before, by update",
            RunFilter {
                updated_before: at(5),
                order_by: RunOrder::UpdatedAt,
                ..all()
            },
        ),
        (
            "created, status failed",
            RunFilter {
                created_before: at(5),
                ..status(Status::Failed)
            },
        ),
        (
            "created, ref main, status failed",
            RunFilter {
                created_before: at(5),
                ..on("main", status(Status::Failed))
            },
        ),
        ("order by updated_at", order(RunOrder::UpdatedAt)),
        ("order by status", order(RunOrder::Status)),
        ("order by ref", order(RunOrder::Ref)),
        ("order by user_id", order(RunOrder::UserId)),
        ("ref main, username bob", on("main", user("bob"))),
        ("ref main, username ann", on("main", user("ann"))),
    ]
}

fn jobs() -> Vec<(&'static str, ProjectAttempts)> {
    let all = || ProjectAttempts {
        limit: 21,
        ..ProjectAttempts::default()
    };
    let with = |statuses: &[Status]| ProjectAttempts {
        statuses: statuses.to_vec(),
        ..all()
    };
    let of = |name: &str| ProjectAttempts {
        ref_name: Some(name.to_owned()),
        ..all()
    };
    vec![
        ("jobs", all()),
        ("jobs, failed", with(&[Status::Failed])),
        ("jobs, canceled (rare)", with(&[Status::Canceled])),
        (
            "jobs, running and pending",
            with(&[Status::Running, Status::Pending]),
        ),
        (
            "jobs, failed and canceled",
            with(&[Status::Failed, Status::Canceled]),
        ),
        ("jobs, ref main", of("main")),
        ("jobs, ref rare", of("rare")),
    ]
}
