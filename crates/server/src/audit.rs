//! The audit log: who did what, for administrators and maintainers to read.
//!
//! Entries hold names and ids, never values of secrets. Uses of triggers, tokens
//! and schedules that start a run are written with the run itself.

use serde_json::Value;
use tappet_model::{ProjectId, UserId};
use tappet_store::NewAuditEntry;

use crate::app::App;
use crate::clock;

/// Something that somebody did.
#[derive(Clone, Debug)]
pub struct Entry(NewAuditEntry);

impl Entry {
    /// `action` is a word such as `trigger_created`; `actor` is who did it, or
    /// nobody when the server acted by itself.
    pub fn new(action: &str, actor: Option<UserId>) -> Self {
        Self(NewAuditEntry {
            action: action.to_owned(),
            actor_id: actor,
            credential: String::new(),
            project_id: None,
            details: "{}".to_owned(),
            created_at: clock::now(),
        })
    }

    /// With which credential, e.g. `token:7`.
    #[must_use]
    pub fn credential(mut self, credential: impl Into<String>) -> Self {
        self.0.credential = credential.into();
        self
    }

    /// In which project.
    #[must_use]
    pub fn project(mut self, project: ProjectId) -> Self {
        self.0.project_id = Some(project);
        self
    }

    /// About what: an object of names, ids and what changed; never a secret.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.0.details = details.to_string();
        self
    }

    /// As the store takes it.
    pub fn into_new(self) -> NewAuditEntry {
        self.0
    }
}

impl App {
    /// Writes an entry. What it tells of has happened already, so a database that
    /// refuses is reported in the server's log only.
    pub async fn audit(&self, entry: Entry) {
        let new = entry.into_new();
        let action = new.action.clone();
        if let Err(error) = self.store.add_audit_entry(new).await {
            tracing::error!(%error, action, "cannot write the audit log");
        }
    }
}
