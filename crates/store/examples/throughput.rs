//! Measures the SQLite store on this machine: opening a fresh database, creating
//! runs of three jobs from 64 callers at once, finishing them, and the bytes
//! that each takes on the disk.
//!
//! `cargo run -p tappet-store --example throughput [-- RUNS]`

#[path = "support/runs.rs"]
mod runs;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runs::{Failure, new_run, now};
use tappet_engine::JobEvent;
use tappet_model::{RunnerId, UserId};
use tappet_store::{
    Action, Claim, NewProject, PageRequest, RepositorySource, RunFilter, SqliteOptions,
    SqliteStore, Store, Target, TokenHash,
};

const CALLERS: usize = 64;
const JOBS: [&str; 3] = ["build", "test", "deploy"];

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let runs: usize = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 5000,
    };
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("tappet.db");

    let start = Instant::now();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, SqliteOptions::default())?);
    println!("fresh open                {:>9.2?}", start.elapsed());
    let user = store.ensure_root(TokenHash([1; 32]), now()).await?.id;
    println!("… until the first commit  {:>9.2?}", start.elapsed());
    let runner = store.ensure_embedded_runner(TokenHash([2; 32]), now());
    let runner = runner.await?.id;
    let project = store.create_project(project(user)).await?.id;
    let empty = size(&path)?;

    let start = Instant::now();
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let store = Arc::clone(&store);
        callers.push(tokio::spawn(async move {
            let share = runs / CALLERS + usize::from(caller < runs % CALLERS);
            for _ in 0..share {
                store.create_run(new_run(project, user, &JOBS)?).await?;
            }
            Ok::<(), Failure>(())
        }));
    }
    for caller in callers {
        caller.await??;
    }
    report("create_run, 64 callers", start.elapsed(), runs);

    let start = Instant::now();
    for _ in 0..100 {
        let list = store.runs(project, RunFilter::default(), PageRequest::default());
        list.await?;
    }
    report("first page of the list", start.elapsed(), 100);

    let start = Instant::now();
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let store = Arc::clone(&store);
        callers.push(tokio::spawn(async move { finish(&*store, runner).await }));
    }
    for caller in callers {
        caller.await??;
    }
    report("claim and finish of a job", start.elapsed(), runs * 3);

    store.close().await?;
    drop(store);
    let bytes = (size(&path)? - empty) / runs as u64;
    println!("bytes per finished run    {bytes:>9}");

    let start = Instant::now();
    SqliteStore::open(&path, SqliteOptions::default())?;
    println!("open and close again      {:>9.2?}", start.elapsed());
    Ok(())
}

async fn finish(store: &dyn Store, runner: RunnerId) -> Result<(), Failure> {
    loop {
        let claim = Claim {
            runner_id: runner,
            system_id: "s_1".into(),
            tags: Vec::new(),
            run_untagged: true,
            cancels_gracefully: true,
            runs_steps: false,
            is_expected: false,
            now: now(),
        };
        let Some(assignment) = store.claim(claim).await? else {
            return Ok(());
        };
        let target = Target::Attempt(assignment.attempt.id);
        store
            .act(target, Action::Job(JobEvent::Success), now())
            .await?;
    }
}

fn project(creator_id: UserId) -> NewProject {
    NewProject {
        path: "acme/web".into(),
        name: "web".into(),
        description: String::new(),
        source: RepositorySource::Local("/srv/git/web".into()),
        default_branch: None,
        visibility: "private".into(),
        creator_id,
        now: now(),
    }
}

/// Bytes of the database and its log.
fn size(path: &Path) -> Result<u64, Failure> {
    let mut bytes = std::fs::metadata(path)?.len();
    if let Ok(log) = std::fs::metadata(path.with_extension("db-wal")) {
        bytes += log.len();
    }
    Ok(bytes)
}

fn report(what: &str, time: Duration, count: usize) {
    let each = time / u32::try_from(count.max(1)).unwrap_or(u32::MAX);
    println!(
        "{what:<26}{each:>9.2?} each, {:>7.0}/s",
        count as f64 / time.as_secs_f64()
    );
}
