//! Runs that wait before any of their jobs may start: for somebody's approval, or for
//! pairs of tables, which have to come in time.
//!
//! Due times are in the store. A single task sleeps until the next one and is woken
//! when a run begins to wait.

use tappet_model::{RunId, Timestamp};
use tappet_store::{Advance, StoreError, StoreResult};

use crate::app::{App, SharedApp};
use crate::due_task::{self, Tick};

/// Runs as long as the server; wakes only when a wait is over or begins.
pub async fn watch(app: SharedApp) {
    let tick: Tick = |app| Box::pin(tick(app));
    due_task::watch(app, |app| &app.holds, tick, "runs that waited for too long").await;
}

/// Fails every run that has waited for too long and says when to look again.
///
/// # Errors
/// The store cannot serve. Runs that could not fail stay due.
pub async fn tick(app: &App) -> StoreResult<Option<Timestamp>> {
    while let Some((run, until)) = app.store.next_overdue_hold().await? {
        let now = app.config.clock.now();
        if until > now {
            return Ok(Some(until));
        }
        match app.store.fail_overdue_hold(run, now).await {
            Ok(Some(advance)) => app.announce(&advance).await,
            // Somebody has just let it go, canceled or removed it.
            Ok(None) | Err(StoreError::Refused(_) | StoreError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

impl App {
    /// Lets a run go that waits for approval.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it does not wait for that.
    pub async fn approve_run(&self, run: RunId) -> StoreResult<Advance> {
        let now = self.config.clock.now();
        let advance = self.store.approve_run(run, now).await?;
        self.announce(&advance).await;
        // It may wait for pairs of tables from now on.
        self.holds.changed();
        Ok(advance)
    }
}
