//! Settings of CI/CD that creation and change take alike.

use std::str::FromStr;

use tappet_store::{BuildsAccess, ProjectSettings, VariablesRole};

use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::params::Checks;

/// GitLab: 10 minutes to one month.
const TIMEOUTS_S: std::ops::RangeInclusive<i64> = 600..=2_678_400;

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

    use super::*;
    use crate::api::gitlab::params::Params;

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
