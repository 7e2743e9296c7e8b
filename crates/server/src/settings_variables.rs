//! What the settings of a project, of its groups and of the instance give to runs
//! and jobs. Values are kept encrypted; here they are opened and picked.

use tappet_model::Variable;
use tappet_store::{Project, SettingsVariable, StoreError, VariableLevel};

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

/// What the settings give to the runs of a project on one ref, opened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// In the order of the levels.
    variables: Vec<Opened>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Opened {
    level: VariableLevel,
    environment_scope: String,
    variable: Variable,
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

impl Settings {
    /// What a job of this environment gets; without one, what is for all of them.
    pub fn layers(&self, environment: Option<&str>) -> SettingsLayers {
        let mut layers = SettingsLayers::default();
        for one in pick(&self.variables, environment) {
            let layer = match one.level {
                VariableLevel::Instance => &mut layers.instance,
                VariableLevel::Group(_) => &mut layers.groups,
                VariableLevel::Project(_) => &mut layers.project,
            };
            layer.push(one.variable.clone());
        }
        layers
    }

    /// Values that must not be shown, whatever environment they are for.
    pub fn masked_values(&self) -> Vec<String> {
        let all = self.variables.iter().map(|one| &one.variable);
        all.filter(|variable| variable.masked)
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
    /// not.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub async fn settings_variables(
        &self,
        project: &Project,
        is_protected: bool,
    ) -> Result<Settings, SettingsError> {
        let stored = self.store.settings_variables_for(project).await?;
        let variables = stored
            .into_iter()
            .filter(|one| is_for_ref(one, is_protected))
            .map(|one| self.open(one))
            .collect::<Result<_, _>>()?;
        Ok(Settings { variables })
    }

    fn open(&self, stored: SettingsVariable) -> Result<Opened, SettingsError> {
        let value = match unseal(&self.secrets, &stored) {
            Ok(value) => value,
            Err(_) => return Err(SettingsError::Sealed { key: stored.key }),
        };
        Ok(Opened {
            level: stored.level,
            environment_scope: stored.traits.environment_scope,
            variable: Variable {
                key: stored.key,
                value,
                kind: stored.traits.kind,
                raw: stored.traits.is_raw,
                masked: stored.traits.is_masked,
            },
        })
    }
}

/// A protected variable is for protected refs.
fn is_for_ref(stored: &SettingsVariable, is_protected: bool) -> bool {
    !stored.traits.is_protected || is_protected
}

/// Those that a job gets, so that later ones win: inside a level the scope that
/// names the environment most exactly.
fn pick<'a>(opened: &'a [Opened], environment: Option<&str>) -> Vec<&'a Opened> {
    let mut picked: Vec<_> = opened
        .iter()
        .filter_map(|one| Some((exactness(&one.environment_scope, environment)?, one)))
        .collect();
    // Levels come in their order; the sort is stable, so it only moves rows inside one.
    for level in picked.chunk_by_mut(|(_, one), (_, other)| one.level == other.level) {
        level.sort_by_key(|(exactness, _)| *exactness);
    }
    picked.into_iter().map(|(_, one)| one).collect()
}

/// How exactly a scope names an environment; `None` when it does not. A job
/// without an environment gets what is for all (GitLab: `HasEnvironmentScope`;
/// between two scopes with stars it leaves the order open).
fn exactness(scope: &str, environment: Option<&str>) -> Option<usize> {
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
    use tappet_store::VariableTraits;

    use super::*;

    fn opened(level: VariableLevel, scope: &str) -> Opened {
        Opened {
            level,
            environment_scope: scope.into(),
            variable: Variable::new("A", scope),
        }
    }

    fn scopes(of: &[&str], environment: Option<&str>) -> Vec<String> {
        let level = || VariableLevel::Project(ProjectId(1));
        let opened: Vec<_> = of.iter().map(|scope| opened(level(), scope)).collect();
        let picked = pick(&opened, environment).into_iter();
        picked.map(|one| one.environment_scope.clone()).collect()
    }

    #[rstest]
    #[case::no_environment(None, &["*"])]
    #[case::no_name(Some(""), &["*"])]
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
        let opened = [
            opened(VariableLevel::Instance, "*"),
            opened(VariableLevel::Group("acme".into()), "production"),
            opened(VariableLevel::Group("acme/tools".into()), "*"),
            opened(VariableLevel::Project(ProjectId(1)), "*"),
        ];
        let picked: Vec<_> = pick(&opened, Some("production"))
            .into_iter()
            .map(|one| one.level.clone())
            .collect();
        let given: Vec<_> = opened.iter().map(|one| one.level.clone()).collect();
        assert_eq!(picked, given);
    }

    #[rstest]
    #[case(true, true, true)]
    #[case(true, false, false)]
    #[case(false, true, true)]
    #[case(false, false, true)]
    fn protected_ones_are_for_protected_refs(
        #[case] variable: bool,
        #[case] ref_: bool,
        #[case] expected: bool,
    ) {
        let stored = SettingsVariable {
            id: VariableId(1),
            level: VariableLevel::Instance,
            key: "A".into(),
            sealed_value: Vec::new(),
            is_hidden: false,
            traits: VariableTraits {
                kind: VariableKind::EnvVar,
                is_protected: variable,
                is_masked: false,
                is_raw: false,
                environment_scope: "*".into(),
                description: None,
            },
            revision: 1,
            updated_at: Timestamp(0),
        };
        assert_eq!(is_for_ref(&stored, ref_), expected);
    }
}
