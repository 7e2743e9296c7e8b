//! Projects: what they are, who sees them, and what becomes of them.

use serde::Deserialize;
use tappet_model::{CiConfigId, ProjectId, RunId, Timestamp, UserId};

use crate::{Listing, PageRequest, ProjectSettings, Verb};

/// Where a project's commits come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RepositorySource {
    /// A repository on this machine, read in place.
    Local(String),
    /// Any address that git can fetch, mirrored.
    Remote(String),
}

/// How a CI config is called.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct CiConfigName {
    /// By clients of Datafold's API.
    pub id: CiConfigId,
    /// By people.
    pub name: String,
}

/// A git repository with settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Project {
    /// Id.
    pub id: ProjectId,
    /// Full path, `acme/web`.
    pub path: String,
    /// Shown name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Where its commits come from.
    pub source: RepositorySource,
    /// As set; else read from the repository.
    pub default_branch: Option<String>,
    /// `private`, `internal` or `public`.
    pub visibility: String,
    /// Who made it.
    pub creator_id: UserId,
    /// Pipeline file.
    pub ci_config_path: String,
    /// Job time limit in seconds.
    pub timeout_s: u64,
    /// Its CI configs, the oldest first.
    pub ci_configs: Vec<CiConfigName>,
    /// Everything else that can be set.
    pub settings: ProjectSettings,
    /// When.
    pub created_at: Timestamp,
    /// Last change of anything above.
    pub updated_at: Timestamp,
}

impl Project {
    /// A private project for tests and examples: everything is as GitLab has it
    /// by default.
    pub fn example(path: &str) -> Self {
        Self {
            id: ProjectId(1),
            path: path.to_owned(),
            name: path.rsplit('/').next().unwrap_or_default().to_owned(),
            description: String::new(),
            source: RepositorySource::Local("/srv/example".to_owned()),
            default_branch: None,
            visibility: "private".to_owned(),
            creator_id: UserId(1),
            ci_config_path: ".gitlab-ci.yml".to_owned(),
            timeout_s: 3600,
            ci_configs: vec![CiConfigName {
                id: CiConfigId(1),
                name: "default".to_owned(),
            }],
            settings: ProjectSettings::default(),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }
}

/// A project to be.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// Full path, checked.
    pub path: String,
    /// Shown name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Where its commits come from.
    pub source: RepositorySource,
    /// As given.
    pub default_branch: Option<String>,
    /// `private`, `internal` or `public`.
    pub visibility: String,
    /// Who makes it.
    pub creator_id: UserId,
    /// Now.
    pub now: Timestamp,
}

/// For whom projects are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Viewer {
    /// Who sees public projects only.
    #[default]
    Anybody,
    /// Somebody signed in: also their own, and internal ones unless external.
    Person {
        /// Who.
        id: UserId,
        /// Sees no internal projects.
        is_external: bool,
    },
    /// An administrator.
    Everything,
}

/// Which projects are wanted; newest first unless told otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProjectFilter {
    /// For whom.
    pub viewer: Viewer,
    /// In which this person has at least this access level.
    pub member: Option<(UserId, u32)>,
    /// A part of path, name or description.
    pub search: Option<String>,
    /// `private`, `internal` or `public`.
    pub visibility: Option<String>,
    /// Archived, or not archived.
    pub is_archived: Option<bool>,
    /// With a greater id.
    pub id_after: Option<ProjectId>,
    /// With a smaller id.
    pub id_before: Option<ProjectId>,
    /// Which first.
    pub order_by: ProjectOrder,
    /// Smallest first.
    pub ascending: bool,
}

/// Order of a list of projects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ProjectOrder {
    /// By id, which is the order of creation.
    #[default]
    Id,
    /// By shown name.
    Name,
    /// By full path.
    Path,
    /// By last change of the settings.
    UpdatedAt,
}

/// What becomes of a project; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ProjectChange {
    /// Full path, checked. The old one leads here from now on.
    pub path: Option<String>,
    /// Shown name.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Where its commits come from.
    pub source: Option<RepositorySource>,
    /// As given; `Some(None)`: read from the repository again.
    pub default_branch: Option<Option<String>>,
    /// `private`, `internal` or `public`.
    pub visibility: Option<String>,
    /// Pipeline file.
    pub ci_config_path: Option<String>,
    /// Job time limit in seconds.
    pub timeout_s: Option<u64>,
    /// Everything else.
    pub settings: Option<ProjectSettings>,
}

/// Verbs about projects and who sees them.
pub trait Projects {
    /// Projects that a viewer sees. `now` decides which memberships count.
    fn visible_projects(
        &self,
        filter: ProjectFilter,
        now: Timestamp,
        page: PageRequest,
    ) -> Verb<'_, Listing<Project>>;
    /// By the full path that a project has, or had before it was renamed. Both are
    /// always looked up, so that the time tells nothing.
    fn project_by_any_path(&self, path: &str) -> Verb<'_, Option<Project>>;
    /// Fails with [`crate::StoreError::Taken`] when another project has the path.
    fn update_project(
        &self,
        id: ProjectId,
        change: ProjectChange,
        now: Timestamp,
    ) -> Verb<'_, Project>;
    /// Hides a project for good and frees its path; `false`: there is none. Its
    /// trigger tokens and members are gone at once.
    fn delete_project(&self, id: ProjectId, now: Timestamp) -> Verb<'_, bool>;
    /// Runs of a project, deleted or not, that have not ended.
    fn unfinished_runs_in(&self, id: ProjectId) -> Verb<'_, Vec<RunId>>;
    /// Takes secrets and settings out of a deleted project. What stays is its id, so
    /// that no other project gets it and the audit log keeps its meaning, and its
    /// revoked trigger tokens, so that none of them comes back.
    fn empty_project(&self, id: ProjectId) -> Verb<'_, ()>;
    /// Projects that are deleted but still have runs, secrets or settings.
    fn deleted_projects(&self) -> Verb<'_, Vec<ProjectId>>;
}
