//! Takes away what people want gone: runs, and logs and artifacts of jobs.
//!
//! Rows go before files: a file without a row is only lost space, while a row
//! without its file would promise something.

use tappet_engine::{JobEvent, RunEvent};
use tappet_model::{AttemptId, RunId, Status};
use tappet_store::{Action, Artifact, StoreError, StoreResult, Target};

use crate::app::App;
use crate::clock;

impl App {
    /// Deletes a run with its jobs, logs, artifacts and events. What still runs
    /// is canceled first, without waiting for its runner.
    pub async fn delete_run(&self, id: RunId) -> StoreResult<()> {
        self.stop_at_once(id).await?;
        let removed = self.store.delete_run(id).await?;
        for attempt in removed.attempts {
            self.dispatch.dequeued(attempt);
            self.held.release(attempt, Status::Canceled);
            self.delete_log(attempt).await;
        }
        self.delete_files(removed.artifacts).await;
        self.changes.publish(id);
        Ok(())
    }

    async fn stop_at_once(&self, id: RunId) -> StoreResult<()> {
        let cancel = Action::Run(RunEvent::Cancel);
        unless_refused(self.act(Target::Run(id), cancel).await)?;
        for attempt in self.store.run_attempts(id).await? {
            if attempt.status.is_executing() {
                let cancel = Action::Job(JobEvent::ForceCancel);
                unless_refused(self.act(Target::Attempt(attempt.id), cancel).await)?;
            }
        }
        Ok(())
    }

    /// Removes log and artifacts of an ended attempt, which shows when.
    pub async fn erase_attempt(&self, id: AttemptId) -> StoreResult<()> {
        let files = self.store.erase_attempt(id, clock::now()).await?;
        self.delete_log(id).await;
        self.delete_files(files).await;
        Ok(())
    }

    /// Removes the artifacts of an attempt.
    pub async fn delete_artifacts(&self, id: AttemptId) -> StoreResult<()> {
        let files = self.store.delete_artifacts(id).await?;
        self.delete_files(files).await;
        Ok(())
    }

    async fn delete_log(&self, id: AttemptId) {
        if let Err(error) = self.logs.delete(id).await {
            tracing::warn!(attempt = %id, %error, "cannot remove a log");
        }
    }

    async fn delete_files(&self, files: Vec<Artifact>) {
        for file in files {
            if let Err(error) = self.artifact_files.delete(&file).await {
                tracing::warn!(artifact = %file.id, %error, "cannot remove an artifact");
            }
        }
    }
}

fn unless_refused<T>(acted: StoreResult<T>) -> StoreResult<()> {
    match acted {
        Ok(_) | Err(StoreError::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
