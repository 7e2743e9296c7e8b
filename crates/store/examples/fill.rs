//! Fills the database of a stopped server with ended runs of its first project,
//! through the same verbs that the server uses: 200 branches, four sources, one
//! run in a thousand failed and one in a hundred canceled.
//!
//! `cargo run --release -p tappet-store --example fill -- DATABASE RUNS`

#[path = "support/runs.rs"]
mod runs;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use runs::{Failure, new_run, now};
use tappet_engine::{JobEvent, RunEvent};
use tappet_model::{FailureReason, ProjectId, RunnerId, Source, UserId};
use tappet_store::{Action, Claim, Creation, SqliteOptions, SqliteStore, Store, Target, TokenHash};

const CALLERS: usize = 128;
const SOURCES: [Source; 4] = [Source::Trigger, Source::Push, Source::Api, Source::Schedule];

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(count)) = (arguments.next(), arguments.next()) else {
        return Err("usage: fill DATABASE RUNS".into());
    };
    let count: usize = count.parse()?;
    let store = SqliteStore::open(&PathBuf::from(path), SqliteOptions::default())?;
    let store: Arc<dyn Store> = Arc::new(store);
    let runner = store.ensure_embedded_runner(TokenHash([9; 32]), now());
    let runner = runner.await?.id;
    let next = Arc::new(AtomicUsize::new(0));
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let (store, next) = (Arc::clone(&store), Arc::clone(&next));
        callers.push(tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok::<(), Failure>(());
                }
                one(&*store, runner, number).await?;
            }
        }));
    }
    for caller in callers {
        caller.await??;
    }
    store.close().await?;
    Ok(())
}

/// Creates one run and brings it, or the oldest that waits, to its end.
async fn one(store: &dyn Store, runner: RunnerId, number: usize) -> Result<(), Failure> {
    let mut new = new_run(ProjectId(1), UserId(1), &["build"])?;
    new.ref_name = format!("branch-{}", number % 200);
    new.source = SOURCES[number % SOURCES.len()];
    new.sha = format!("{number:040x}").parse()?;
    let Creation::Created(created) = store.create_run(new).await? else {
        return Err("a run without a key is never replayed".into());
    };
    if number % 100 == 1 {
        let cancel = Action::Run(RunEvent::Cancel);
        store
            .act(Target::Run(created.run.id), cancel, now())
            .await?;
        return Ok(());
    }
    let claim = Claim {
        runner_id: runner,
        system_id: "s_1".into(),
        tags: Vec::new(),
        run_untagged: true,
        cancels_gracefully: true,
        is_expected: false,
        now: now(),
    };
    let Some(assignment) = store.claim(claim).await? else {
        return Ok(());
    };
    let event = if number.is_multiple_of(1000) {
        JobEvent::Drop {
            reason: FailureReason::ScriptFailure,
            exit_code: Some(1),
        }
    } else {
        JobEvent::Success
    };
    let target = Target::Attempt(assignment.attempt.id);
    store.act(target, Action::Job(event), now()).await?;
    Ok(())
}
