//! Who sees and changes which variants: administrators all of them, maintainers
//! those of their own projects. What applies to every project is seen by everybody
//! who may see internal projects, as their jobs get it too.

use std::collections::{BTreeSet, HashMap};

use tappet_model::ProjectId;
use tappet_store::{Project, StoreResult, User, VariantAttributes};

use crate::app::App;
use crate::rights::Right;

/// A project that conditions name, and what somebody is in it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Full path.
    pub path: String,
    /// They may manage its variables.
    pub is_managed: bool,
    /// They may know that it exists.
    pub is_seen: bool,
}

/// The projects that some variants name, with one person's rights in them.
pub(super) struct Projects {
    is_admin: bool,
    is_external: bool,
    known: HashMap<ProjectId, Option<Known>>,
}

impl Projects {
    /// Looks up projects.
    pub async fn known_to(app: &App, user: &User, ids: BTreeSet<ProjectId>) -> StoreResult<Self> {
        let mut projects = Self {
            is_admin: user.is_admin,
            is_external: user.is_external,
            known: HashMap::new(),
        };
        for id in ids {
            let known = match app.store.project(id).await? {
                Some(project) => Some(known(app, user, &project).await?),
                None => None,
            };
            projects.known.insert(id, known);
        }
        Ok(projects)
    }

    /// How a project is called; one that was deleted only has its number.
    pub fn path(&self, id: ProjectId) -> String {
        match self.known(id) {
            Some(known) => known.path.clone(),
            None => format!("deleted-project-{id}"),
        }
    }

    pub fn may_see(&self, attributes: &VariantAttributes) -> bool {
        if self.is_admin {
            return true;
        }
        let mut named = attributes.repositories().peekable();
        match named.peek() {
            None => !self.is_external,
            Some(_) => named.any(|id| self.manages(id)),
        }
    }

    pub fn may_change(&self, attributes: &VariantAttributes) -> bool {
        let mut named = attributes.repositories().peekable();
        self.is_admin || (named.peek().is_some() && named.all(|id| self.manages(id)))
    }

    fn manages(&self, id: ProjectId) -> bool {
        self.known(id).is_some_and(|known| known.is_managed)
    }

    fn known(&self, id: ProjectId) -> Option<&Known> {
        self.known.get(&id).and_then(Option::as_ref)
    }
}

/// What somebody is in a project.
pub(super) async fn known(app: &App, user: &User, project: &Project) -> StoreResult<Known> {
    let standing = app.standing(Some(user), project).await?;
    Ok(Known {
        path: project.path.clone(),
        is_managed: standing.may(Right::ManageVariables, project),
        is_seen: standing.may(Right::ReadProject, project),
    })
}
