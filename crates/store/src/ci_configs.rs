//! CI configs: what a project does about pull requests. Every project has one from
//! the start and may have more.

use serde::{Deserialize, Serialize};
use tappet_model::{CiConfigId, ProjectId, Timestamp};

use crate::Verb;

/// What a project does about pull requests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CiConfig {
    /// Id, instance-wide; what clients of Datafold's API call it by.
    pub id: CiConfigId,
    /// Of which project.
    pub project_id: ProjectId,
    /// As set.
    pub settings: CiConfigSettings,
    /// When.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

/// What people set on a CI config.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct CiConfigSettings {
    /// Unique in the project.
    pub name: String,
    /// Which files make a run of it: one pipeline file, or workflows. Empty: the
    /// project's pipeline file, and where the commit has none, its workflows.
    pub pipeline_files: Vec<String>,
    /// Pull requests into this branch only, when a forge tells of them.
    pub base_branch: Option<String>,
    /// Patterns as in a `.gitignore`: a pull request that a forge tells of and that
    /// changes nothing else starts no run.
    pub ignored_files: Vec<String>,
    /// Pull requests that a forge tells of wait for this label.
    pub label: Option<String>,
    /// A newer commit cancels the runs of older ones of the same pull request.
    pub cancels_superseded: bool,
    /// Name of the status at the commit.
    pub status_name: String,
    /// Every job has a status at the commit, too.
    pub reports_jobs: bool,
    /// The outcome is told in a comment on the pull request.
    pub comments: bool,
    /// A run that failed marks the commit as failed; without it the status is a
    /// success that says what failed.
    pub fails_check_on_errors: bool,
    /// Runs wait for the pairs of tables that Datafold's clients submit.
    pub expects_diffs: bool,
}

impl Default for CiConfigSettings {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            pipeline_files: Vec::new(),
            base_branch: None,
            ignored_files: Vec::new(),
            label: None,
            cancels_superseded: true,
            status_name: "tappet/pr".to_owned(),
            reports_jobs: false,
            comments: true,
            fails_check_on_errors: true,
            expects_diffs: false,
        }
    }
}

/// Verbs about CI configs.
pub trait CiConfigs {
    /// One CI config of any project that is not deleted.
    fn ci_config(&self, id: CiConfigId) -> Verb<'_, Option<CiConfig>>;
    /// CI configs of a project, the oldest first; never none.
    fn ci_configs(&self, project: ProjectId) -> Verb<'_, Vec<CiConfig>>;
    /// Adds one. [`StoreError::Taken`](crate::StoreError::Taken) with `name` when the
    /// project has one of this name (case counts), with `limit` when it has as many as it may.
    fn add_ci_config(
        &self,
        project: ProjectId,
        settings: CiConfigSettings,
        limit: u64,
        now: Timestamp,
    ) -> Verb<'_, CiConfig>;
    /// Sets it anew; `None` when it is gone. Same refusals.
    fn update_ci_config(
        &self,
        id: CiConfigId,
        settings: CiConfigSettings,
        now: Timestamp,
    ) -> Verb<'_, Option<CiConfig>>;
    /// Removes it; its runs stay. `false` when there was none. The last of a project
    /// stays: [`StoreError::Taken`](crate::StoreError::Taken) with `last`.
    fn delete_ci_config(&self, id: CiConfigId, now: Timestamp) -> Verb<'_, bool>;
}
