//! Forges: what they tell of pushes and pull requests, and what they are told of the
//! runs that come of it.
//!
//! In: [`receive`] takes a signed webhook, [`gates`] decides which CI configs start a
//! run, and `intake` starts it. Out: the store notes with every change of a run of a
//! bound project that its forge has something to learn; [`report`] compares what is
//! to be said ([`statuses`], [`comment`]) with what was, and says the difference.
//! Nothing that a forge does or fails to do holds up a run.

pub mod binding;
mod client;
pub mod comment;
mod comments;
mod findings;
pub mod gates;
pub mod receive;
mod report;
pub mod statuses;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use crate::intake::InFlight;
use crate::secrets::Secrets;

pub use report::watch;

/// What forges keep in memory; all of it can be lost.
#[derive(Default)]
pub struct Forge {
    /// Some project has a forge, so changes are worth a look.
    in_use: AtomicBool,
    changed: Notify,
    client: OnceLock<reqwest::Client>,
    /// Deliveries that are being handled.
    in_flight: InFlight,
    /// Stands in for the secret of a project that has no forge, so that the answer
    /// takes as long.
    decoy: OnceLock<Vec<u8>>,
}

impl Forge {
    /// A project was bound to its forge.
    pub fn bound(&self) {
        self.in_use.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// Something happened that a forge may have to be told.
    pub fn wake(&self) {
        if self.in_use.load(Ordering::Relaxed) {
            self.changed.notify_one();
        }
    }

    async fn changed(&self) {
        self.changed.notified().await;
    }

    fn decoy(&self, secrets: &Secrets) -> Vec<u8> {
        let new = || binding::seal_webhook_secret(secrets, &binding::new_webhook_secret());
        self.decoy.get_or_init(new).clone()
    }
}
