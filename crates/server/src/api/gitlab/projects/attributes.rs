//! What a project may be called and set to, for creation and change alike.

use std::str::FromStr;

use tappet_model::RefName;
use tappet_store::{BuildsAccess, ProjectSettings, User, VariablesRole};

use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::params::Checks;
use crate::api::operation::{Operation, boolean, integer, one_of, text};

/// First segments that belong to the server itself.
const RESERVED: [&str; 3] = ["api", "ci", "-"];

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

const MAX_PATH_BYTES: usize = 255;
const MAX_DESCRIPTION_BYTES: usize = 10_000;
/// GitLab: 10 minutes to one month.
const TIMEOUTS_S: std::ops::RangeInclusive<i64> = 600..=2_678_400;

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

/// Settings of CI/CD out of a call; what it does not name is `None`.
#[derive(Clone, Debug, Default)]
pub struct CiSettings {
    /// Pipeline file; an empty name is GitLab's default again.
    pub config_path: Option<String>,
    /// Job time limit in seconds.
    pub timeout_s: Option<i64>,
    builds_access: Option<BuildsAccess>,
    public_jobs: Option<bool>,
    variables_role: Option<VariablesRole>,
    restricts_variables: Option<bool>,
    keep_latest_artifact: Option<bool>,
}

impl CiSettings {
    /// Reads the parameters; faults of kind end up in `checks`.
    pub fn read(checks: &mut Checks<'_>) -> Self {
        let enabled = checks.boolean("jobs_enabled").map(|enabled| {
            if enabled {
                BuildsAccess::Enabled
            } else {
                BuildsAccess::Disabled
            }
        });
        let level: Option<BuildsAccessWord> = checks.one_of("builds_access_level");
        let role: Option<VariablesRoleWord> =
            checks.one_of("ci_pipeline_variables_minimum_override_role");
        let public_jobs = checks.boolean("public_jobs");
        Self {
            config_path: checks.text("ci_config_path").map(|path| path.into_owned()),
            timeout_s: checks.integer("build_timeout"),
            builds_access: level.map(|word| word.0).or(enabled),
            public_jobs: checks.boolean("public_builds").or(public_jobs),
            variables_role: role.map(|word| word.0),
            restricts_variables: checks.boolean("restrict_user_defined_variables"),
            keep_latest_artifact: checks.boolean("keep_latest_artifact"),
        }
    }

    /// Refuses values that cannot be.
    pub fn validate(&self) -> ApiResult<()> {
        if let Some(path) = &self.config_path {
            checked_config_path(path)?;
        }
        if self
            .timeout_s
            .is_some_and(|seconds| !TIMEOUTS_S.contains(&seconds))
        {
            return Err(ApiError::invalid(
                "build_timeout",
                "needs to be between 10 minutes and 1 month",
            ));
        }
        Ok(())
    }

    /// The settings with what is named here.
    pub fn applied_to(&self, mut settings: ProjectSettings) -> ProjectSettings {
        if let Some(access) = self.builds_access {
            settings.builds_access = access;
        }
        if let Some(public) = self.public_jobs {
            settings.hides_pipelines = !public;
        }
        // The older switch says only whether there is a limit at all.
        match (self.restricts_variables, settings.variables_role) {
            (Some(false), _) => settings.variables_role = VariablesRole::Developer,
            (Some(true), VariablesRole::Developer) => {
                settings.variables_role = VariablesRole::Maintainer;
            }
            _ => {}
        }
        if let Some(role) = self.variables_role {
            settings.variables_role = role;
        }
        if let Some(keep) = self.keep_latest_artifact {
            settings.drops_latest_artifact = !keep;
        }
        settings
    }
}

struct BuildsAccessWord(BuildsAccess);

impl FromStr for BuildsAccessWord {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "disabled" => Ok(Self(BuildsAccess::Disabled)),
            "private" => Ok(Self(BuildsAccess::Private)),
            "enabled" => Ok(Self(BuildsAccess::Enabled)),
            _ => Err(()),
        }
    }
}

struct VariablesRoleWord(VariablesRole);

impl FromStr for VariablesRoleWord {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "developer" => Ok(Self(VariablesRole::Developer)),
            "maintainer" => Ok(Self(VariablesRole::Maintainer)),
            "owner" => Ok(Self(VariablesRole::Owner)),
            "no_one_allowed" => Ok(Self(VariablesRole::NoOneAllowed)),
            _ => Err(()),
        }
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
        let given = call
            .params
            .get(name)
            .and_then(crate::api::gitlab::params::as_text);
        if given.is_some_and(|given| given != value) {
            return Err(ApiError::bad_request(format!(
                "{name} can only be {value} on this server"
            )));
        }
    }
    Ok(())
}

/// Somebody else has the path.
pub fn taken() -> ApiError {
    ApiError::invalid("path", "has already been taken")
}

/// Puts a path of one segment under the user's name, and checks all segments.
pub fn full_path(path: String, user: &User) -> ApiResult<String> {
    let path = if path.contains('/') {
        path
    } else {
        format!("{}/{path}", user.username)
    };
    checked_path(path)
}

/// A full path whose segments are plain.
pub fn checked_path(path: String) -> ApiResult<String> {
    let refuse = |text: &str| Err(ApiError::invalid("path", text));
    if path.len() > MAX_PATH_BYTES {
        return refuse("is too long (maximum is 255 characters)");
    }
    let mut segments = path.split('/');
    if !segments.clone().all(is_segment) {
        return refuse(
            "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or '.', \
             end in '.git', '.atom' or '.', or hold an empty part.",
        );
    }
    let first = segments.next().unwrap_or_default().to_ascii_lowercase();
    if is_reserved(&first) {
        return refuse(&format!("{first} is a reserved name"));
    }
    Ok(path)
}

/// Whether a first segment, in lower case, belongs to the server itself.
pub fn is_reserved(first: &str) -> bool {
    RESERVED.contains(&first) || first.starts_with("depot.")
}

/// Whether a part of a path is plain.
pub fn is_segment(segment: &str) -> bool {
    let lower = segment.to_ascii_lowercase();
    !segment.is_empty()
        && segment
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        && !segment.starts_with(['-', '.'])
        && ![".git", ".atom", "."]
            .iter()
            .any(|end| lower.ends_with(end))
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

/// A file of the project's own repository.
fn checked_config_path(path: &str) -> ApiResult<()> {
    let refuse = |text: &str| Err(ApiError::invalid("ci_config_path", text));
    if path.len() > 255 {
        return refuse("is too long (maximum is 255 characters)");
    }
    if path.contains("://") || path.contains('@') {
        return refuse("must be a file of this project's repository");
    }
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return refuse("can't include leading slash or directory traversal");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;
    use tappet_model::{Timestamp, UserId};

    use super::*;
    use crate::api::gitlab::params::Params;

    fn root() -> User {
        User {
            id: UserId(1),
            username: "root".into(),
            name: "Administrator".into(),
            email: String::new(),
            is_admin: true,
            is_external: false,
            is_blocked: false,
            created_at: Timestamp(0),
        }
    }

    #[rstest]
    #[case("acme/web", Some("acme/web"))]
    #[case("a/b/c.d_e-f", Some("a/b/c.d_e-f"))]
    #[case("web", Some("root/web"))]
    #[case("apis/web", Some("apis/web"))]
    #[case("api/web", None)]
    #[case("CI/web", None)]
    #[case("depot.ci.v1/web", None)]
    #[case("-/web", None)]
    #[case("acme/", None)]
    #[case("/acme", None)]
    #[case("acme//web", None)]
    #[case("acme/../web", None)]
    #[case("acme/-web", None)]
    #[case("acme/web.git", None)]
    #[case("acme/we b", None)]
    #[case("acme/wéb", None)]
    fn paths_are_plain(#[case] asked: &str, #[case] expected: Option<&str>) {
        let full = full_path(asked.to_owned(), &root());
        assert_eq!(full.ok().as_deref(), expected);
    }

    fn read(params: serde_json::Value) -> CiSettings {
        let params: Params = params.as_object().unwrap().clone();
        let mut checks = Checks::new(&params);
        let settings = CiSettings::read(&mut checks);
        assert!(checks.finish().is_ok());
        settings
    }

    #[rstest]
    #[case(json!({}), VariablesRole::Owner, VariablesRole::Owner)]
    #[case(json!({"restrict_user_defined_variables": false}), VariablesRole::Owner, VariablesRole::Developer)]
    #[case(json!({"restrict_user_defined_variables": true}), VariablesRole::Owner, VariablesRole::Owner)]
    #[case(json!({"restrict_user_defined_variables": true}), VariablesRole::Developer, VariablesRole::Maintainer)]
    #[case(json!({"ci_pipeline_variables_minimum_override_role": "no_one_allowed"}), VariablesRole::Developer, VariablesRole::NoOneAllowed)]
    fn the_older_switch_of_variables_moves_the_newer_role(
        #[case] params: serde_json::Value,
        #[case] before: VariablesRole,
        #[case] after: VariablesRole,
    ) {
        let settings = ProjectSettings {
            variables_role: before,
            ..ProjectSettings::default()
        };
        assert_eq!(read(params).applied_to(settings).variables_role, after);
    }

    #[rstest]
    #[case(json!({"jobs_enabled": false}), BuildsAccess::Disabled)]
    #[case(json!({"jobs_enabled": true, "builds_access_level": "private"}), BuildsAccess::Private)]
    fn the_older_switch_of_builds_gives_way(
        #[case] params: serde_json::Value,
        #[case] expected: BuildsAccess,
    ) {
        let settings = read(params).applied_to(ProjectSettings::default());
        assert_eq!(settings.builds_access, expected);
    }

    #[rstest]
    #[case("ci/main.yml", true)]
    #[case("", true)]
    #[case("/etc/passwd", false)]
    #[case("../x.yml", false)]
    #[case("https://example.com/x.yml", false)]
    #[case("x.yml@other/project", false)]
    fn the_pipeline_file_is_in_the_repository(#[case] path: &str, #[case] is_good: bool) {
        assert_eq!(checked_config_path(path).is_ok(), is_good);
    }
}
