//! What can be set on a project beside its name, repository and visibility.
//!
//! Kept as one JSON column, so that a new setting needs no change of the schema:
//! every field has a default.

use serde::{Deserialize, Serialize};

/// Settings of one project.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectSettings {
    /// Whose pipelines show.
    pub builds_access: BuildsAccess,
    /// Reading pipelines is limited to reporters (GitLab: `public_builds` off).
    pub hides_pipelines: bool,
    /// From which role on a person may give variables to a pipeline.
    pub variables_role: VariablesRole,
    /// Nothing starts and nothing changes any more.
    pub is_archived: bool,
    /// Artifacts of the newest run of a ref expire like all others (GitLab:
    /// `keep_latest_artifact` off).
    pub drops_latest_artifact: bool,
}

/// GitLab: `builds_access_level`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuildsAccess {
    /// CI/CD is off.
    Disabled,
    /// For members.
    Private,
    /// For everybody who sees the project.
    #[default]
    Enabled,
}

/// GitLab: `ci_pipeline_variables_minimum_override_role`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariablesRole {
    /// Who may start a pipeline may give it variables.
    Developer,
    /// The default of a GitLab of one's own.
    #[default]
    Maintainer,
    /// Owners only.
    Owner,
    /// Nobody.
    NoOneAllowed,
}
