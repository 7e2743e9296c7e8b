//! Takes away what deleted projects leave behind: their runs with logs and
//! artifacts, one after the other, so that nobody else has to wait, then their
//! secrets and settings. What a stop of the server interrupts goes on with the next
//! start.

use tappet_store::{RunFilter, StoreResult};

use crate::app::{App, SharedApp};

/// Runs looked up at a time.
const BATCH: u32 = 50;

/// Removes until nothing is left.
pub async fn purge(app: SharedApp) {
    if let Err(error) = app.purge_projects().await {
        tracing::warn!(%error, "cannot remove all of a deleted project; the next start goes on");
    }
}

impl App {
    async fn purge_projects(&self) -> StoreResult<()> {
        for project in self.store.deleted_projects().await? {
            loop {
                let all = RunFilter::default();
                let runs = self.store.newest_runs(project, all, BATCH).await?;
                if runs.is_empty() {
                    break;
                }
                for run in runs {
                    if self.shutdown.is_cancelled() {
                        return Ok(());
                    }
                    self.delete_run(run.id).await?;
                }
            }
            self.delete_dbt_uploads_of_project(project).await?;
            self.store.empty_project(project).await?;
        }
        Ok(())
    }
}
