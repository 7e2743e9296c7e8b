//! Who belongs to a project, and as what.

use tappet_model::{ProjectId, Timestamp, UserId};

use crate::{Listing, PageRequest, User, Verb};

/// Access level of an owner; a project keeps at least one.
pub const OWNER_LEVEL: u32 = 50;

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

/// Which members are wanted, in order of user id.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MemberFilter {
    /// A part of login name or name, or the whole address.
    pub search: Option<String>,
    /// One of these people.
    pub user_ids: Option<Vec<UserId>>,
}

/// What became of a change to a membership.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MemberChange {
    /// As it is now, or as it was before it ended.
    Done(Member),
    /// There is no such member.
    Missing,
    /// The project would be left without an owner.
    LastOwner,
}

/// Verbs about members. Expired memberships count as none.
pub trait Members {
    /// The membership of a person, unless it has expired.
    fn membership(
        &self,
        project: ProjectId,
        user: UserId,
        now: Timestamp,
    ) -> Verb<'_, Option<Member>>;
    /// Members of a project.
    fn members(
        &self,
        project: ProjectId,
        filter: MemberFilter,
        now: Timestamp,
        page: PageRequest,
    ) -> Verb<'_, Listing<(Member, User)>>;
    /// Adds a member, in place of an expired membership. Fails with
    /// [`crate::StoreError::Taken`] when the person belongs to the project.
    fn add_member(&self, member: Member) -> Verb<'_, ()>;
    /// Sets level and, when given, end (`Some(None)`: no end).
    fn update_member(
        &self,
        project: ProjectId,
        user: UserId,
        level: u32,
        expires_at: Option<Option<Timestamp>>,
        now: Timestamp,
    ) -> Verb<'_, MemberChange>;
    /// Ends a membership.
    fn remove_member(
        &self,
        project: ProjectId,
        user: UserId,
        now: Timestamp,
    ) -> Verb<'_, MemberChange>;
}
