//! The log of an attempt as it grows, to the end of the attempt: also when the
//! attempt ends without ever having had a log.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use tappet_model::{AttemptId, Status};
use tappet_store::Attempt;
use tokio_util::task::AbortOnDropHandle;

use crate::app::{App, SharedApp};
use crate::logs::LogChunk;

/// Pieces of a log, as a stream that ends with the attempt.
pub struct AttemptLog {
    id: AttemptId,
    chunks: Pin<Box<dyn Stream<Item = io::Result<LogChunk>> + Send>>,
    /// The watching ends with the stream.
    _watch: AbortOnDropHandle<()>,
}

/// Follows the log of an attempt from a stored offset on.
pub fn follow(app: &SharedApp, attempt: &Attempt, from: u64) -> AttemptLog {
    // Followed before the status is read again, so that no end is missed.
    let chunks = app.logs.follow(attempt.id, from);
    let watch = tokio::spawn(end_with_attempt(app.clone(), attempt.clone()));
    AttemptLog {
        id: attempt.id,
        chunks: Box::pin(chunks),
        _watch: AbortOnDropHandle::new(watch),
    }
}

impl AttemptLog {
    /// Whose log it is.
    pub fn attempt(&self) -> AttemptId {
        self.id
    }
}

/// How an attempt ended whose log has come to its end; `None` when it is gone.
pub async fn final_status(app: &App, id: AttemptId) -> Option<Status> {
    // The log is complete a moment before the attempt's end is committed.
    if let Some(mut held) = app.held.watch(id) {
        let _ = held.wait_for(|status| status.is_completed()).await;
    }
    let attempt = app.store.attempt(id).await.ok().flatten();
    attempt.map(|attempt| attempt.status)
}

impl Stream for AttemptLog {
    type Item = io::Result<LogChunk>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.as_mut().poll_next(cx)
    }
}

async fn end_with_attempt(app: SharedApp, attempt: Attempt) {
    let mut changes = app.changes.subscribe(attempt.run_id);
    loop {
        match app.store.attempt(attempt.id).await {
            Ok(Some(now)) if !now.status.is_completed() => {}
            _ => {
                app.end_log(attempt.id).await;
                return;
            }
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = app.shutdown.cancelled() => return,
        }
    }
}
