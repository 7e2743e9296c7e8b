//! Every status change passes here: the store writes it, then those who wait
//! for it are told.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tappet_engine::JobEvent;
use tappet_model::{AttemptId, RunId, Status};
use tappet_store::{Action, Advance, Assignment, StoreError, Target};
use tokio::sync::watch;

use crate::app::App;
use crate::clock;
use crate::dispatch::Wish;

/// Followers of runs. What changed is in the store; here they are only woken.
#[derive(Default)]
pub struct Changes {
    runs: Mutex<HashMap<RunId, watch::Sender<u64>>>,
}

/// Why a reported end could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    /// The store refused or broke.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log could not be brought to the disk.
    #[error("cannot bring the log to the disk: {0}")]
    Log(#[from] std::io::Error),
}

impl Changes {
    /// Wakes whenever the run has new event rows; the value only counts changes.
    pub fn subscribe(&self, run: RunId) -> watch::Receiver<u64> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.entry(run)
            .or_insert_with(|| watch::Sender::new(0))
            .subscribe()
    }

    /// The run has new event rows, or is gone.
    pub fn publish(&self, run: RunId) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = runs.get(&run) {
            if sender.receiver_count() == 0 {
                runs.remove(&run);
            } else {
                sender.send_modify(|changes| *changes += 1);
            }
        }
    }
}

impl App {
    /// Lets the engine react to an action and tells everybody concerned.
    pub async fn act(&self, target: Target, action: Action) -> Result<Advance, StoreError> {
        let advance = self.store.act(target, action, clock::now()).await?;
        self.announce(&advance).await;
        Ok(advance)
    }

    /// [`App::act`] for an attempt whose runner reports its end: the log and the
    /// database reach the disk side by side.
    pub async fn end_attempt(&self, id: AttemptId, event: JobEvent) -> Result<Advance, EndError> {
        // Whoever sees the end can read all of the log, and what it says.
        self.logs.flush(id).await?;
        self.note_coverage(id).await;
        let target = Target::Attempt(id);
        let acted = self.store.act(target, Action::Job(event), clock::now());
        let (finished, acted) = tokio::join!(self.logs.finish(id), acted);
        let advance = acted?;
        self.tell(&advance, Some(id)).await;
        finished?;
        Ok(advance)
    }

    /// Tells runners, log readers and followers what a committed change means
    /// for them.
    pub async fn announce(&self, advance: &Advance) {
        self.tell(advance, None).await;
    }

    /// The log of `ended` needs no end any more.
    async fn tell(&self, advance: &Advance, ended: Option<AttemptId>) {
        self.metrics.changed(advance);
        for attempt in &advance.changed {
            match attempt.status {
                Status::Pending => self.dispatch.enqueued(
                    attempt.id,
                    Wish {
                        tags: &attempt.tags,
                        has_steps: attempt.has_steps,
                    },
                ),
                Status::Canceling => {
                    self.held.canceling(attempt.id);
                }
                Status::Scheduled => self.delays.changed(),
                Status::WaitingForCallback => self.decisions.wanted(),
                status => {
                    self.dispatch.dequeued(attempt.id);
                    let was_held = status.is_completed() && self.held.release(attempt.id, status);
                    if was_held && ended != Some(attempt.id) {
                        self.end_log(attempt.id).await;
                        self.note_coverage(attempt.id).await;
                    }
                }
            }
        }
        self.changes.publish(advance.run.id);
        self.webhooks.wake();
        self.forge.wake();
    }

    /// Tells the followers of a run that a claim changed it.
    pub fn announce_claim(&self, assignment: &Assignment) {
        self.changes.publish(assignment.run.id);
        self.webhooks.wake();
        self.forge.wake();
    }

    /// Makes a log final: on disk, and known as complete to its readers.
    pub async fn end_log(&self, id: AttemptId) {
        if let Err(error) = self.logs.finish(id).await {
            tracing::error!(attempt = %id, %error, "cannot finish a log");
        }
    }
}
