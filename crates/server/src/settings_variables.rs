//! What the settings of a project, of its groups and of the instance give to runs
//! and jobs. Values are kept encrypted; here they are opened and picked.

use tappet_model::Variable;
use tappet_store::{Project, SettingsVariable, StoreError, VariableLevel, VariableTraits};

use crate::app::App;
use crate::rights::matches_pattern;
use crate::secrets::{Secrets, UnsealError};

/// What a sealed value is bound to.
pub const SEAL_CONTEXT: &str = "settings-variable";

/// Why there are no variables to give.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A value that cannot be read.
    #[error(
        "cannot decrypt the variable {key} of the settings: was secret.key replaced? restore it from a backup"
    )]
    Sealed {
        /// Its name.
        key: String,
    },
}

/// Variables from settings, by level; inside a list later ones win.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SettingsLayers {
    /// For every project.
    pub instance: Vec<Variable>,
    /// Of the project's groups, the outermost first.
    pub groups: Vec<Variable>,
    /// Of the project.
    pub project: Vec<Variable>,
}

impl SettingsLayers {
    /// Values that must not be shown.
    pub fn masked_values(&self) -> Vec<String> {
        let all = [&self.instance, &self.groups, &self.project];
        all.into_iter()
            .flatten()
            .filter(|variable| variable.masked)
            .map(|variable| variable.value.clone())
            .collect()
    }
}

/// Encrypts a value for the store.
pub fn seal(secrets: &Secrets, value: &str) -> Vec<u8> {
    secrets.seal(value.as_bytes(), SEAL_CONTEXT)
}

/// The value of a variable.
///
/// # Errors
/// It was sealed with a key that is not here, or damaged.
pub fn unseal(secrets: &Secrets, stored: &SettingsVariable) -> Result<String, UnsealError> {
    let plain = secrets.unseal(&stored.sealed_value, SEAL_CONTEXT)?;
    String::from_utf8(plain).map_err(|_| UnsealError::Format)
}

impl App {
    /// What the settings give to runs of a project on a ref that is protected or
    /// not, and there to jobs of an environment.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub async fn settings_variables(
        &self,
        project: &Project,
        is_protected: bool,
        environment: Option<&str>,
    ) -> Result<SettingsLayers, SettingsError> {
        let stored = self.store.settings_variables_for(project).await?;
        let mut layers = SettingsLayers::default();
        for one in pick(&stored, is_protected, environment) {
            let value = unseal(&self.secrets, one).map_err(|_| SettingsError::Sealed {
                key: one.key.clone(),
            })?;
            let layer = match one.level {
                VariableLevel::Instance => &mut layers.instance,
                VariableLevel::Group(_) => &mut layers.groups,
                VariableLevel::Project(_) => &mut layers.project,
            };
            layer.push(Variable {
                key: one.key.clone(),
                value,
                kind: one.traits.kind,
                raw: one.traits.is_raw,
                masked: one.traits.is_masked,
            });
        }
        Ok(layers)
    }
}

/// Those that a job gets, so that later ones win: inside a level the scope that
/// names the environment most exactly.
fn pick<'a>(
    stored: &'a [SettingsVariable],
    is_protected: bool,
    environment: Option<&str>,
) -> Vec<&'a SettingsVariable> {
    let mut picked: Vec<_> = stored
        .iter()
        .filter(|one| !one.traits.is_protected || is_protected)
        .filter_map(|one| Some((exactness(&one.traits, environment)?, one)))
        .collect();
    // Levels come in their order; the sort is stable, so it only moves rows inside one.
    for level in picked.chunk_by_mut(|(_, one), (_, other)| one.level == other.level) {
        level.sort_by_key(|(exactness, _)| *exactness);
    }
    picked.into_iter().map(|(_, one)| one).collect()
}

/// How exactly a scope names an environment; `None` when it does not. A job
/// without an environment gets what is for all (GitLab: `HasEnvironmentScope`).
fn exactness(traits: &VariableTraits, environment: Option<&str>) -> Option<usize> {
    let scope = traits.environment_scope.as_str();
    match environment {
        _ if scope == "*" => Some(0),
        Some(name) if scope == name => Some(usize::MAX),
        Some(name) if matches_pattern(scope, name) => {
            Some(scope.bytes().filter(|byte| *byte != b'*').count() + 1)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::{ProjectId, Timestamp, VariableId, VariableKind};

    use super::*;

    fn variable(level: VariableLevel, scope: &str, is_protected: bool) -> SettingsVariable {
        SettingsVariable {
            id: VariableId(1),
            level,
            key: "A".into(),
            sealed_value: Vec::new(),
            is_hidden: false,
            traits: VariableTraits {
                kind: VariableKind::EnvVar,
                is_protected,
                is_masked: false,
                is_raw: false,
                environment_scope: scope.into(),
                description: None,
            },
            revision: 1,
            updated_at: Timestamp(0),
        }
    }

    fn scopes(of: &[&str], environment: Option<&str>) -> Vec<String> {
        let level = || VariableLevel::Project(ProjectId(1));
        let stored: Vec<_> = of
            .iter()
            .map(|scope| variable(level(), scope, false))
            .collect();
        pick(&stored, false, environment)
            .into_iter()
            .map(|one| one.traits.environment_scope.clone())
            .collect()
    }

    #[rstest]
    #[case::no_environment(None, &["*"])]
    #[case::none_of_them(Some("staging"), &["*"])]
    #[case::by_star(Some("review/y"), &["*", "review*", "review/*"])]
    #[case::exactly(Some("review/x"), &["*", "review*", "review/*", "review/x"])]
    #[case::the_case_counts(Some("Review/x"), &["*"])]
    fn the_most_exact_scope_comes_last(
        #[case] environment: Option<&str>,
        #[case] expected: &[&str],
    ) {
        let all = ["review/x", "review/*", "*", "production", "review*"];
        assert_eq!(scopes(&all, environment), expected);
    }

    #[test]
    fn a_closer_level_wins_over_a_more_exact_scope() {
        let stored = [
            variable(VariableLevel::Instance, "*", false),
            variable(VariableLevel::Group("acme".into()), "production", false),
            variable(VariableLevel::Group("acme/tools".into()), "*", false),
            variable(VariableLevel::Project(ProjectId(1)), "*", false),
        ];
        let picked: Vec<_> = pick(&stored, false, Some("production"))
            .into_iter()
            .map(|one| one.level.clone())
            .collect();
        let given: Vec<_> = stored.iter().map(|one| one.level.clone()).collect();
        assert_eq!(picked, given);
    }

    #[test]
    fn protected_ones_are_for_protected_refs() {
        let stored = [
            variable(VariableLevel::Instance, "*", true),
            variable(VariableLevel::Project(ProjectId(1)), "*", false),
        ];
        assert_eq!(pick(&stored, true, None).len(), 2);
        let unprotected = pick(&stored, false, None);
        assert_eq!(unprotected.len(), 1);
        assert!(!unprotected[0].traits.is_protected);
    }
}
