//! The audit log: who did what to which thing, kept apart from the things.

use tappet_model::{AuditEntryId, ProjectId, Timestamp, UserId};

use crate::{Listing, PageRequest, Verb};

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEntry {
    /// Id, rising.
    pub id: AuditEntryId,
    /// What happened.
    pub entry: NewAuditEntry,
}

/// An entry to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAuditEntry {
    /// `trigger_created`, `run_started` …
    pub action: String,
    /// Who; nobody for the server itself and for strangers.
    pub actor_id: Option<UserId>,
    /// The credential in use, e.g. `token:7`; empty when there is none.
    pub credential: String,
    /// Where; `None` concerns the whole instance.
    pub project_id: Option<ProjectId>,
    /// JSON object about the thing; never a secret.
    pub details: String,
    /// When.
    pub created_at: Timestamp,
}

/// Which entries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditFilter {
    /// Of one project.
    pub project_id: Option<ProjectId>,
    /// By one person.
    pub actor_id: Option<UserId>,
    /// Of one kind.
    pub action: Option<String>,
    /// From then on.
    pub created_after: Option<Timestamp>,
    /// Up to then.
    pub created_before: Option<Timestamp>,
}

/// Verbs about the audit log.
pub trait Audit {
    /// Adds an entry.
    fn add_audit_entry(&self, new: NewAuditEntry) -> Verb<'_, ()>;
    /// Entries, newest first.
    fn audit_entries(
        &self,
        filter: AuditFilter,
        page: PageRequest,
    ) -> Verb<'_, Listing<AuditEntry>>;
    /// One entry.
    fn audit_entry(&self, id: AuditEntryId) -> Verb<'_, Option<AuditEntry>>;
}
