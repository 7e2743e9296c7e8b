//! Who belongs to a project, and as what.

use tappet_model::{ProjectId, Timestamp, UserId};

use crate::Verb;

/// One person in one project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Where.
    pub project_id: ProjectId,
    /// Who.
    pub user_id: UserId,
    /// GitLab's access level: 10 guest to 50 owner.
    pub level: u32,
    /// From then on the membership counts as none.
    pub expires_at: Option<Timestamp>,
    /// Who added them.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
}

/// Verbs about members.
pub trait Members {
    /// The membership of a person, unless it has expired.
    fn membership(
        &self,
        project: ProjectId,
        user: UserId,
        now: Timestamp,
    ) -> Verb<'_, Option<Member>>;
}
