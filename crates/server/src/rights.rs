//! What a person may do in a project: every decision about rights, for the API
//! and for the pages alike.

use tappet_store::{Project, User};

/// What a member of a project is, the weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// Starts, retries and cancels pipelines.
    Developer,
    /// Manages triggers and reads variables.
    Maintainer,
    /// Does everything.
    Owner,
}

impl Role {
    /// GitLab's access level number.
    pub fn level(self) -> u32 {
        match self {
            Role::Developer => 30,
            Role::Maintainer => 40,
            Role::Owner => 50,
        }
    }
}

/// The role of a user in a project; an administrator counts as owner.
pub fn role_of(user: &User, project: &Project) -> Option<Role> {
    (user.is_admin || user.id == project.creator_id).then_some(Role::Owner)
}

/// Whether a project shows itself to a user, or to nobody in particular.
pub fn can_read_project(user: Option<&User>, project: &Project) -> bool {
    match project.visibility.as_str() {
        "public" => true,
        "internal" => user.is_some(),
        _ => user.is_some_and(|user| role_of(user, project).is_some()),
    }
}

/// Whether a user's runs of this project may be started.
pub fn can_run(user: &User, project: &Project) -> bool {
    !user.is_blocked && role_of(user, project) >= Some(Role::Developer)
}

/// Whether a user may create projects. Members come with their own rules.
pub fn can_create_project(user: &User) -> bool {
    user.is_admin
}
