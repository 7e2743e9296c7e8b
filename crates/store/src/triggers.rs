//! Trigger tokens, and which jobs led to a run.

use tappet_model::{ProjectId, RefKind, RunId, Timestamp, TriggerId, UserId};

use crate::{Listing, PageRequest, TokenHash, Verb};

/// A token that may start runs of one project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trigger {
    /// Id.
    pub id: TriggerId,
    /// Of which project.
    pub project_id: ProjectId,
    /// Whose rights its runs have; legacy triggers have nobody's.
    pub owner_id: Option<UserId>,
    /// For people.
    pub description: String,
    /// The token, encrypted by the server.
    pub sealed_token: Vec<u8>,
    /// First four characters after the prefix.
    pub short_token: String,
    /// When.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// End of life.
    pub expires_at: Option<Timestamp>,
    /// Creation of its newest run.
    pub last_used_at: Option<Timestamp>,
    /// When somebody ended it.
    pub revoked_at: Option<Timestamp>,
}

impl Trigger {
    /// Neither revoked nor expired.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| end > now)
    }

    /// From before triggers had owners: it has no user's rights, only its project.
    pub fn is_legacy(&self) -> bool {
        self.owner_id.is_none()
    }
}

/// A trigger to be.
#[derive(Clone, Debug)]
pub struct NewTrigger {
    /// Of which project.
    pub project_id: ProjectId,
    /// Whose rights its runs have; legacy triggers have nobody's.
    pub owner_id: Option<UserId>,
    /// For people.
    pub description: String,
    /// Keyed hash for the lookup.
    pub token_hash: TokenHash,
    /// The token, encrypted by the server.
    pub sealed_token: Vec<u8>,
    /// First four characters after the prefix.
    pub short_token: String,
    /// End of life.
    pub expires_at: Option<Timestamp>,
    /// The most live triggers that the project may have with this one.
    pub project_limit: u64,
    /// Now.
    pub now: Timestamp,
}

/// What became of a trigger to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TriggerCreation {
    /// It exists.
    Created(Box<Trigger>),
    /// The project has as many as it may have.
    LimitReached,
}

/// A change of a trigger; `None` leaves a value as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TriggerChange {
    /// For people.
    pub description: Option<String>,
    /// Whose rights its runs have from now on.
    pub owner_id: Option<UserId>,
}

/// A run that another one came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ancestor {
    /// Which.
    pub run_id: RunId,
    /// Of which project.
    pub project_id: ProjectId,
    /// Branch, tag or commit.
    pub ref_kind: RefKind,
    /// Its short name.
    pub ref_name: String,
}

/// Verbs about triggers. A live trigger is neither revoked nor expired.
pub trait Triggers {
    /// Adds a trigger token. [`StoreError::Taken`](crate::StoreError::Taken) when
    /// any trigger has or had that token.
    fn create_trigger(&self, new: NewTrigger) -> Verb<'_, TriggerCreation>;
    /// One live trigger of a project.
    fn trigger(
        &self,
        project: ProjectId,
        id: TriggerId,
        now: Timestamp,
    ) -> Verb<'_, Option<Trigger>>;
    /// The trigger with this token, of whatever project, live or not.
    fn trigger_by_hash(&self, hash: TokenHash) -> Verb<'_, Option<Trigger>>;
    /// Live triggers of a project, oldest first.
    fn triggers(
        &self,
        project: ProjectId,
        now: Timestamp,
        page: PageRequest,
    ) -> Verb<'_, Listing<Trigger>>;
    /// Changes a live trigger; `None` when there is none.
    fn change_trigger(
        &self,
        project: ProjectId,
        id: TriggerId,
        change: TriggerChange,
        now: Timestamp,
    ) -> Verb<'_, Option<Trigger>>;
    /// Ends a trigger for good; `false` when there was none.
    fn revoke_trigger(&self, project: ProjectId, id: TriggerId, now: Timestamp) -> Verb<'_, bool>;
    /// The trigger of a run, revoked or not, for display.
    fn trigger_of_run(&self, run: RunId) -> Verb<'_, Option<Trigger>>;
    /// A run, then the run whose job started it, and so on, at most `limit` runs.
    fn ancestry(&self, run: RunId, limit: u32) -> Verb<'_, Vec<Ancestor>>;
}
