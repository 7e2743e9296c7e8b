//! Starts delayed jobs when their time has come.
//!
//! Each scheduled attempt has its time in the store, which forgets it in the
//! transaction that lets the attempt leave `scheduled`. So a time that passed while
//! the server was down is only late, and none is used twice. A single task sleeps
//! until the earliest, or until another job begins to wait.

use futures_util::StreamExt;
use tappet_engine::JobEvent;
use tappet_model::{AttemptId, Timestamp};
use tappet_store::{Action, StoreError, StoreResult, Target};

use crate::app::{App, SharedApp};
use crate::due_task::{self, Tick};

/// Jobs that are started side by side, so that they share a sync of the database.
const AT_ONCE: usize = 16;

/// Runs as long as the server; wakes only when a delay is over or begins.
pub async fn watch(app: SharedApp) {
    let tick: Tick = |app| Box::pin(tick(app));
    due_task::watch(app, |app| &app.delays, tick, "jobs whose delay is over").await;
}

/// Starts every job whose time has come and says when to look again.
///
/// # Errors
/// The store cannot serve. Jobs that could not start stay due.
pub async fn tick(app: &App) -> StoreResult<Option<Timestamp>> {
    let now = app.config.clock.now();
    let due = app.store.due_attempts(now).await?;
    let started: Vec<StoreResult<()>> = futures_util::stream::iter(due)
        .map(|id| start(app, id))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    started.into_iter().collect::<StoreResult<()>>()?;
    app.store.next_delay_end(now).await
}

async fn start(app: &App, id: AttemptId) -> StoreResult<()> {
    let enqueue = Action::Job(JobEvent::Enqueue);
    match app.act(Target::Attempt(id), enqueue).await {
        // Somebody has just started, canceled or removed it.
        Ok(_) | Err(StoreError::Refused(_) | StoreError::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
