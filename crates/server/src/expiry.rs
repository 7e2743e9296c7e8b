//! Removes artifacts whose time is over.

use std::time::Duration;

use tappet_store::StoreResult;
use tokio::sync::Notify;

use crate::app::{App, SharedApp};
use crate::clock;

/// Files removed in one go.
const BATCH: u32 = 100;

/// After an error of the database the next look waits this long.
const AFTER_ERROR: Duration = Duration::from_secs(60);

/// Tells the remover that something may expire sooner than it thought.
#[derive(Default)]
pub struct Expiry(Notify);

impl Expiry {
    /// A file with an end of life was added.
    pub fn changed(&self) {
        self.0.notify_one();
    }
}

/// Runs as long as the server; wakes only when a file expires or was added.
pub async fn watch(app: SharedApp) {
    loop {
        let next = match remove_expired(&app).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "cannot look for expired artifacts");
                Some(clock::now().plus(AFTER_ERROR))
            }
        };
        let due = async {
            match next {
                Some(at) => tokio::time::sleep(at.since(clock::now())).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = app.expiry.0.notified() => {}
            () = app.shutdown.cancelled() => return,
        }
    }
}

async fn remove_expired(app: &App) -> StoreResult<Option<tappet_model::Timestamp>> {
    loop {
        let expired = app.store.expired_artifacts(clock::now(), BATCH).await?;
        if expired.is_empty() {
            return app.store.next_artifact_expiry().await;
        }
        for artifact in expired {
            // The row goes first: a file without a row is only lost space.
            app.store.delete_artifact(artifact.id).await?;
            if let Err(error) = app.artifact_files.delete(&artifact).await {
                tracing::warn!(artifact = %artifact.id, %error, "cannot remove an expired file");
            }
        }
    }
}
