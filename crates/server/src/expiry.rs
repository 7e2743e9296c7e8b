//! Removes artifacts whose time is over.

use std::time::Duration;

use tappet_model::Timestamp;
use tappet_store::{Amount, StoreResult};
use tokio::sync::Notify;

use crate::app::{App, SharedApp};
use crate::clock;

/// Files looked at in one transaction.
const BATCH: u32 = 100;

/// A file that has to stay past its time is looked at again after this long.
const AGAIN_AFTER: Duration = Duration::from_secs(3600);

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
        let next = match remove_due(&app, clock::now()).await {
            Ok(_) => app.store.next_artifact_due().await,
            Err(error) => Err(error),
        };
        let next = next.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot look for expired artifacts");
            Some(clock::now().plus(AFTER_ERROR))
        });
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

/// Removes the files whose time is over, batch by batch, so that nobody who
/// writes meanwhile waits long; how many they were.
///
/// # Errors
/// The store cannot serve.
pub async fn remove_due(app: &App, now: Timestamp) -> StoreResult<Amount> {
    let mut amount = Amount::default();
    loop {
        let again_at = now.plus(AGAIN_AFTER);
        let expired = app.store.expire_artifacts_due(now, again_at, BATCH).await?;
        // The rows went first: a file without a row is only lost space.
        for artifact in expired.removed {
            amount.count += 1;
            amount.bytes += artifact.size_bytes;
            if let Err(error) = app.artifact_files.delete(&artifact).await {
                tracing::warn!(artifact = %artifact.id, %error, "cannot remove an expired file");
            }
        }
        if !expired.has_more {
            return Ok(amount);
        }
    }
}
