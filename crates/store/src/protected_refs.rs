//! Branches and tags that not every developer may change or run on.

use tappet_model::{ProjectId, ProtectedRefId, RefKind, Timestamp};

use crate::Verb;

/// A protected branch or tag, or a pattern such as `release/*`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProtectedRef {
    /// Id.
    pub id: ProtectedRefId,
    /// Where.
    pub project_id: ProjectId,
    /// Branch or tag.
    pub kind: RefKind,
    /// A short name; `*` stands for any characters.
    pub name: String,
    /// Access level for pushing a branch or creating a tag; 0 means nobody.
    pub push_level: u32,
    /// Access level for merging into a branch; 0 means nobody.
    pub merge_level: u32,
    /// Force pushes are allowed.
    pub allow_force_push: bool,
    /// When.
    pub created_at: Timestamp,
}

/// A protected ref to be.
#[derive(Clone, Debug)]
pub struct NewProtectedRef {
    /// Where.
    pub project_id: ProjectId,
    /// Branch or tag.
    pub kind: RefKind,
    /// A short name; `*` stands for any characters.
    pub name: String,
    /// Access level for pushing a branch or creating a tag; 0 means nobody.
    pub push_level: u32,
    /// Access level for merging into a branch; 0 means nobody.
    pub merge_level: u32,
    /// Force pushes are allowed.
    pub allow_force_push: bool,
    /// Now.
    pub now: Timestamp,
}

/// What becomes of a protected ref; `None` stays as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProtectedRefChange {
    /// For pushing a branch or creating a tag.
    pub push_level: Option<u32>,
    /// For merging into a branch.
    pub merge_level: Option<u32>,
    /// Force pushes are allowed.
    pub allow_force_push: Option<bool>,
}

/// Verbs about protected refs.
pub trait ProtectedRefs {
    /// All of a project and kind, oldest first.
    fn protected_refs(&self, project: ProjectId, kind: RefKind) -> Verb<'_, Vec<ProtectedRef>>;
    /// Fails with [`crate::StoreError::Taken`] when the name is protected already.
    fn protect_ref(&self, new: NewProtectedRef) -> Verb<'_, ProtectedRef>;
    /// Fails when there is none with this id.
    fn update_protected_ref(
        &self,
        id: ProtectedRefId,
        change: ProtectedRefChange,
    ) -> Verb<'_, ProtectedRef>;
    /// `false`: there was none.
    fn unprotect_ref(&self, id: ProtectedRefId) -> Verb<'_, bool>;
}
