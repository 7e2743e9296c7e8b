//! What lets a git server say that something was pushed.

use tappet_model::{ProjectId, Timestamp, UserId};

use crate::Verb;

/// The secret with which pushes to one project are signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PushHook {
    /// Of which project; each has one at most.
    pub project_id: ProjectId,
    /// Whose rights its runs have.
    pub owner_id: UserId,
    /// The secret, encrypted by the server.
    pub sealed_secret: Vec<u8>,
    /// When the secret was made.
    pub created_at: Timestamp,
    /// When it last signed a push.
    pub last_used_at: Option<Timestamp>,
}

/// Verbs about push hooks.
pub trait PushHooks {
    /// The push hook of a project.
    fn push_hook(&self, project: ProjectId) -> Verb<'_, Option<PushHook>>;
    /// Sets it; an earlier secret is worth nothing from then on.
    fn set_push_hook(&self, hook: PushHook) -> Verb<'_, ()>;
    /// Removes it; `false` when there was none.
    fn delete_push_hook(&self, project: ProjectId) -> Verb<'_, bool>;
    /// Notes that its secret signed a push.
    fn touch_push_hook(&self, project: ProjectId, now: Timestamp) -> Verb<'_, ()>;
}
