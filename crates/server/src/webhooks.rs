//! Webhooks out: addresses that are told what became of runs and jobs.
//!
//! The store writes a delivery in the same transaction as the change that it
//! tells of; [`deliver`] sends what waits, in order for each webhook, until the
//! receiver has it. A delivery may arrive twice, never with another
//! `Idempotency-Key`.

pub mod chain;
mod deliver;
mod payload;
pub mod policy;
mod send;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use tappet_store::Hook;
use tokio::sync::Notify;

use crate::secrets::Secrets;

pub use deliver::{TestError, send_test, watch};
pub use payload::Subject;

/// What sealed secrets are bound to.
pub const SEAL_CONTEXT: &str = "webhook";

/// What webhooks keep in memory; all of it can be lost.
#[derive(Default)]
pub struct Webhooks {
    /// There is a webhook somewhere, so changes are worth a look.
    in_use: AtomicBool,
    changed: Notify,
    clients: OnceLock<send::Clients>,
}

impl Webhooks {
    /// A webhook was added or set up anew.
    pub fn added(&self) {
        self.in_use.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// Something happened that a webhook may have to tell.
    pub fn wake(&self) {
        if self.in_use.load(Ordering::Relaxed) {
            self.changed.notify_one();
        }
    }
}

/// What only the receiver should know.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HookSecrets {
    /// Sent as `X-Gitlab-Token`.
    pub token: Option<String>,
    /// Values of additional headers, parallel to
    /// [`HookSettings::header_names`](tappet_store::HookSettings).
    pub header_values: Vec<String>,
}

impl HookSecrets {
    /// For the store.
    pub fn seal(&self, secrets: &Secrets) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("secrets are plain data");
        secrets.seal(&json, SEAL_CONTEXT)
    }

    /// From the store; `None` when `secret.key` was replaced.
    pub fn unseal(secrets: &Secrets, hook: &Hook) -> Option<Self> {
        let json = secrets.unseal(&hook.sealed_secrets, SEAL_CONTEXT).ok()?;
        serde_json::from_slice(&json).ok()
    }
}

/// A name in the form of a UUID that follows from `what` and the server's key.
pub fn uuid_of(secrets: &Secrets, what: &str) -> String {
    let hash = secrets.keyed_hash(what).0;
    let hex: String = hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "{}-{}-4{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    )
}
