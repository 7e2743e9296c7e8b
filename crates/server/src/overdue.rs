//! Ends attempts whose runner fell silent or whose time limit passed.

use std::time::Instant;

use tappet_engine::JobEvent;
use tappet_model::{AttemptId, FailureReason, Status};
use tappet_store::{Action, Target};

use crate::app::{App, SharedApp};
use crate::held::Overdue;

/// Runs as long as the server; wakes only when something is due.
pub async fn watch(app: SharedApp) {
    loop {
        let (over, next) = app.held.overdue(Instant::now());
        for (id, overdue) in over {
            let (reason, text) = match overdue {
                Overdue::Lost => (
                    FailureReason::RunnerSystemFailure,
                    "the runner stopped reporting, so the job counts as lost",
                ),
                Overdue::TimedOut => (
                    FailureReason::JobExecutionServerTimeout,
                    "the job passed its time limit and its runner did not stop it",
                ),
                // The engine makes this one `canceled`.
                Overdue::NotStopped => (
                    FailureReason::JobCanceled,
                    "the job was canceled and its runner did not stop it",
                ),
            };
            app.fail_held(id, reason, text).await;
            // Whatever the store said, nothing is held for ever.
            app.held.release(id, Status::Failed);
        }
        let due = async {
            match next {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = app.held.changed() => {}
            () = app.shutdown.cancelled() => return,
        }
    }
}

impl App {
    /// Fails an attempt on the server's own account, with a line in its log.
    pub async fn fail_held(&self, id: AttemptId, reason: FailureReason, text: &str) {
        let note = format!("\n\x1b[31;1mERROR: Job failed: {text}\x1b[0;m\n");
        if let Err(error) = self.logs.note(id, &note).await {
            tracing::warn!(attempt = %id, %error, "cannot note a failure in a log");
        }
        let event = JobEvent::Drop {
            reason,
            exit_code: None,
        };
        if let Err(error) = self.act(Target::Attempt(id), Action::Job(event)).await {
            tracing::warn!(attempt = %id, %error, "cannot fail a lost attempt");
        }
    }
}
