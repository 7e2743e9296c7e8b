//! What a project may be called and set to, for creation and change alike.

use std::str::FromStr;

use tappet_model::RefName;

use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::params::as_text;
use crate::api::operation::{Operation, boolean, integer, one_of, text};

/// Settings of GitLab that would change what runs, or who may, and that this
/// server does not have.
const UNSUPPORTED: [&str; 21] = [
    "namespace_id",
    "initialize_with_readme",
    "template_name",
    "use_custom_template",
    "mirror",
    "merge_pipelines_enabled",
    "auto_devops_enabled",
    "build_git_strategy",
    "ci_allow_fork_pipelines_to_run_in_parent_project",
    "ci_default_git_depth",
    "ci_delete_pipelines_in_seconds",
    "ci_forward_deployment_enabled",
    "ci_forward_deployment_rollback_allowed",
    "ci_id_token_sub_claim_components",
    "ci_push_repository_for_job_token_allowed",
    "ci_separated_caches",
    "group_runners_enabled",
    "resource_group_default_process_mode",
    "runner_token_expiration_interval",
    "shared_runners_enabled",
    "external_authorization_classification_label",
];

/// Settings that can only stand as they do here.
const FIXED: [(&str, &str); 2] = [
    ("auto_cancel_pending_pipelines", "disabled"),
    ("ci_job_token_scope_enabled", "false"),
];

/// The settings that both calls take, added to a description.
pub fn with_settings(operation: Operation) -> Operation {
    operation
        .body(one_of("visibility", &["private", "internal", "public"]))
        .body(boolean("jobs_enabled"))
        .body(one_of(
            "builds_access_level",
            &["disabled", "private", "enabled"],
        ))
        .body(boolean("public_jobs"))
        .body(boolean("public_builds"))
        .body(text("ci_config_path"))
        .body(integer("build_timeout").about("Seconds."))
        .body(one_of(
            "ci_pipeline_variables_minimum_override_role",
            &["developer", "maintainer", "owner", "no_one_allowed"],
        ))
        .body(boolean("restrict_user_defined_variables"))
        .body(boolean("keep_latest_artifact"))
}

const MAX_DESCRIPTION_BYTES: usize = 10_000;
/// Who sees a project.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visibility {
    /// Members.
    Private,
    /// Whoever is signed in.
    Internal,
    /// Everybody.
    Public,
}

impl Visibility {
    /// GitLab's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Visibility::Private => "private",
            Visibility::Internal => "internal",
            Visibility::Public => "public",
        }
    }
}

impl FromStr for Visibility {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [
            Visibility::Private,
            Visibility::Internal,
            Visibility::Public,
        ]
        .into_iter()
        .find(|visibility| visibility.as_str() == text)
        .ok_or(())
    }
}

/// 400 that names a setting which this server cannot keep.
pub fn refuse_unsupported(call: &Call) -> ApiResult<()> {
    if let Some(name) = UNSUPPORTED
        .iter()
        .find(|name| call.params.contains_key(**name))
    {
        return Err(ApiError::bad_request(format!(
            "{name} cannot be set on this server; leave it out"
        )));
    }
    for (name, value) in FIXED {
        let given = call.params.get(name).and_then(as_text);
        if given.is_some_and(|given| given != value) {
            return Err(ApiError::bad_request(format!(
                "{name} can only be {value} on this server"
            )));
        }
    }
    Ok(())
}

/// A shown name.
pub fn checked_name(name: &str) -> ApiResult<String> {
    if name.trim().is_empty() {
        return Err(ApiError::invalid("name", "can't be blank"));
    }
    if name.len() > 255 {
        return Err(ApiError::invalid(
            "name",
            "is too long (maximum is 255 characters)",
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(ApiError::invalid("name", "cannot hold control characters"));
    }
    Ok(name.to_owned())
}

/// Free text.
pub fn checked_description(description: &str) -> ApiResult<String> {
    if description.len() > MAX_DESCRIPTION_BYTES {
        return Err(ApiError::invalid(
            "description",
            "is too long (maximum is 10000 bytes)",
        ));
    }
    Ok(description.to_owned())
}

/// The short name of a branch.
pub fn checked_branch(branch: &str) -> ApiResult<String> {
    match RefName::new(branch) {
        Ok(name) => Ok(name.split().1.to_owned()),
        Err(error) => Err(ApiError::invalid("default_branch", error.to_string())),
    }
}
