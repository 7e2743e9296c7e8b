//! An attempt between its claim and its arrival at the runner.
//!
//! A claim is final once it is committed, but whoever asked may be gone by then.
//! So the claim does not depend on the request: it runs as a task of its own,
//! and an attempt that nobody receives stays ready for the same runner process.

use std::time::Duration;

use tappet_store::{Assignment, Claim, StoreError};

use super::payload::timeout_s;
use crate::app::SharedApp;

/// An attempt that is the runner's and must be told to it. Dropped before
/// [`Handover::delivered`], it goes to the runner process's next request.
pub struct Handover {
    app: SharedApp,
    /// What to tell.
    pub assignment: Assignment,
    is_delivered: bool,
}

impl Handover {
    fn new(app: SharedApp, assignment: Assignment) -> Self {
        Self {
            app,
            assignment,
            is_delivered: false,
        }
    }

    /// The answer is made, or none is needed any more.
    pub fn delivered(&mut self) {
        self.is_delivered = true;
    }
}

impl Drop for Handover {
    fn drop(&mut self) {
        if !self.is_delivered {
            let id = self.assignment.attempt.id;
            if let Some((runner, system_id)) = self.app.held.not_delivered(id) {
                self.app.dispatch.wake_process(runner, &system_id);
            }
        }
    }
}

/// Claims an attempt for a runner and notes that the runner holds it, even if
/// the caller goes away meanwhile.
pub(super) async fn claim(app: &SharedApp, claim: Claim) -> Result<Option<Handover>, StoreError> {
    let task = tokio::spawn(claim_and_hold(app.clone(), claim));
    match task.await {
        Ok(claimed) => claimed,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(StoreError::Closed),
        },
    }
}

async fn claim_and_hold(app: SharedApp, claim: Claim) -> Result<Option<Handover>, StoreError> {
    loop {
        let turn = app.held.begin_claim();
        let Some(assignment) = app.store.claim(claim.clone()).await? else {
            return Ok(None);
        };
        app.dispatch.claimed(assignment.attempt.id);
        let is_held = app.held.hand_out(
            assignment.attempt.id,
            claim.runner_id,
            &claim.system_id,
            Duration::from_secs(timeout_s(&assignment)),
        );
        drop(turn);
        if is_held {
            app.announce_claim(&assignment);
            return Ok(Some(Handover::new(app.clone(), assignment)));
        }
    }
}

/// An attempt that is this runner process's already but never arrived there.
pub(super) async fn again(
    app: &SharedApp,
    claim: &Claim,
    holding: Option<&[tappet_model::AttemptId]>,
) -> Result<Option<Handover>, StoreError> {
    let held = &app.held;
    let Some(id) = held.undelivered(claim.runner_id, &claim.system_id, holding) else {
        return Ok(None);
    };
    match app.store.assignment(id).await {
        Ok(assignment) => Ok(assignment.map(|assignment| Handover::new(app.clone(), assignment))),
        Err(error) => {
            held.not_delivered(id);
            Err(error)
        }
    }
}
