//! What a client says about a variable, and whether it can be so (GitLab:
//! `app/models/concerns/ci/{has,hidable}_variable.rb`, `ci/maskable.rb`,
//! `has_environment_scope.rb`).

use tappet_model::VariableKind;
use tappet_store::{SettingsVariable, VariableLevel, VariableTraits};

use crate::api::gitlab::field_errors::FieldErrors;
use crate::api::gitlab::params::Checks;
use crate::api::gitlab::variable_key;

const SCOPE_TEXT: &str =
    "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', '*' and spaces";
const VISIBILITY_TEXT: &str =
    "The visibility setting cannot be changed for masked and hidden variables.";

/// Characters of the value of an instance variable.
const INSTANCE_VALUE_LIMIT: usize = 10_000;
/// A masked value has at least so many characters: shorter ones would black out
/// ordinary words.
const SHORTEST_MASKED: usize = 8;

/// A variable as it shall be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Name without blanks around it.
    pub key: String,
    /// In clear.
    pub value: String,
    /// Never shown again.
    pub is_hidden: bool,
    /// All else.
    pub traits: VariableTraits,
}

/// What a call gives; absent parameters are `None`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Given {
    value: Option<String>,
    kind: Option<VariableKind>,
    is_protected: Option<bool>,
    is_masked: Option<bool>,
    is_hidden: Option<bool>,
    is_raw: Option<bool>,
    environment_scope: Option<String>,
    description: Option<String>,
}

impl Given {
    /// Reads what may be changed.
    pub fn read(checks: &mut Checks<'_>, level: &VariableLevel) -> Self {
        let mut given = Self {
            value: checks.text("value").map(|text| text.into_owned()),
            kind: checks
                .one_of::<KindWord>("variable_type")
                .map(|word| word.0),
            is_protected: checks.boolean("protected"),
            is_masked: checks.boolean("masked"),
            is_raw: checks.boolean("raw"),
            description: checks.text("description").map(|text| text.into_owned()),
            ..Self::default()
        };
        if *level != VariableLevel::Instance {
            let scope = checks.text("environment_scope");
            given.environment_scope = scope.map(|text| text.trim().to_owned());
        }
        given
    }

    /// Reads what only a new variable can be.
    pub fn read_new(checks: &mut Checks<'_>, level: &VariableLevel) -> (String, Self) {
        let key = checks.required_text("key").trim().to_owned();
        checks.require("value");
        let mut given = Self::read(checks, level);
        if *level != VariableLevel::Instance {
            given.is_hidden = checks.boolean("masked_and_hidden");
        }
        (key, given)
    }

    /// The new variable.
    pub fn create(self, key: String) -> Wanted {
        let is_hidden = self.is_hidden.unwrap_or(false);
        Wanted {
            key,
            value: self.value.unwrap_or_default(),
            is_hidden,
            traits: VariableTraits {
                kind: self.kind.unwrap_or_default(),
                is_protected: self.is_protected.unwrap_or(false),
                is_masked: is_hidden || self.is_masked.unwrap_or(false),
                is_raw: self.is_raw.unwrap_or(false),
                environment_scope: self.environment_scope.unwrap_or_else(|| "*".to_owned()),
                description: self.description,
            },
        }
    }

    /// Whether the value changes.
    pub fn has_value(&self) -> bool {
        self.value.is_some()
    }

    /// The changed variable; what is absent stays.
    pub fn change(self, old: &SettingsVariable, value: String) -> Wanted {
        let traits = old.traits.clone();
        Wanted {
            key: old.key.clone(),
            value: self.value.unwrap_or(value),
            is_hidden: old.is_hidden,
            traits: VariableTraits {
                kind: self.kind.unwrap_or(traits.kind),
                is_protected: self.is_protected.unwrap_or(traits.is_protected),
                is_masked: self.is_masked.unwrap_or(traits.is_masked),
                is_raw: self.is_raw.unwrap_or(traits.is_raw),
                environment_scope: self.environment_scope.unwrap_or(traits.environment_scope),
                description: self.description.or(traits.description),
            },
        }
    }
}

/// `env_var` or `file`.
struct KindWord(VariableKind);

impl std::str::FromStr for KindWord {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "env_var" => Ok(Self(VariableKind::EnvVar)),
            "file" => Ok(Self(VariableKind::File)),
            _ => Err(()),
        }
    }
}

/// All that is wrong with a variable. `old` is what it was, if it was.
pub fn check(
    wanted: &Wanted,
    level: &VariableLevel,
    old: Option<&SettingsVariable>,
) -> FieldErrors {
    let mut errors = FieldErrors::default();
    variable_key::check(&wanted.key, &mut errors);
    let traits = &wanted.traits;
    if traits.is_masked && !is_maskable(&wanted.value, traits.is_raw) {
        errors.add("value", "is invalid");
    }
    if *level == VariableLevel::Instance && wanted.value.chars().count() > INSTANCE_VALUE_LIMIT {
        let text = format!(
            "The value of the provided variable exceeds the {INSTANCE_VALUE_LIMIT} character limit"
        );
        errors.add("value", text);
    }
    if old.is_some_and(|old| old.is_hidden && !traits.is_masked) {
        errors.add("base", VISIBILITY_TEXT);
    }
    check_scope(&traits.environment_scope, &mut errors);
    if let Some(description) = &traits.description {
        errors.limit_length("description", description);
    }
    errors
}

fn check_scope(scope: &str, errors: &mut FieldErrors) {
    if scope.is_empty() {
        errors.add("environment_scope", "can't be blank");
    }
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_/${}.* ".contains(c);
    if scope.is_empty() || !scope.chars().all(is_allowed) {
        errors.add("environment_scope", SCOPE_TEXT);
    }
    errors.limit_length("environment_scope", scope);
}

/// Whether logs can be searched for the value: one line of at least eight
/// characters without blanks; one that is expanded later also holds nothing that
/// a shell or the expansion takes for something else.
fn is_maskable(value: &str, is_raw: bool) -> bool {
    let is_allowed = |c: char| match is_raw {
        true => !matches!(c, ' ' | '\t' | '\r' | '\n' | '\x0b' | '\x0c'),
        false => c.is_ascii_alphanumeric() || "_+=/@:.~-".contains(c),
    };
    value.chars().count() >= SHORTEST_MASKED && value.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    #[rstest]
    #[case("hunter22", true, true)]
    #[case("hunter2", false, false)]
    #[case("Hello+World_123/@:-~.=", true, true)]
    #[case("with space", false, false)]
    #[case("hello$VARIABLE", false, true)]
    #[case("hello\\rworld", false, true)]
    #[case("hello!!!!", false, true)]
    #[case("müllabfuhr", false, true)]
    #[case("two\nlines-of-it", false, false)]
    #[case("tab\tinside-it", false, false)]
    #[case("", false, false)]
    fn what_can_be_masked(#[case] value: &str, #[case] expanded: bool, #[case] raw: bool) {
        assert_eq!(
            (is_maskable(value, false), is_maskable(value, true)),
            (expanded, raw)
        );
    }

    fn complaints(wanted: &Wanted, level: &VariableLevel) -> Value {
        json!(check(wanted, level, None))
    }

    fn wanted(key: &str, value: &str) -> Wanted {
        let given = Given {
            value: Some(value.into()),
            ..Given::default()
        };
        given.create(key.into())
    }

    #[test]
    fn all_complaints_come_at_once_in_the_order_of_the_model() {
        let mut all = wanted("A-B", "short");
        all.traits.is_masked = true;
        all.traits.environment_scope = "?".into();
        all.traits.description = Some("x".repeat(256));
        let complaints = complaints(&all, &VariableLevel::Group("acme".into()));
        assert_eq!(
            complaints.to_string(),
            json!({
                "key": [variable_key::CHARACTERS_TEXT],
                "value": ["is invalid"],
                "environment_scope": [SCOPE_TEXT],
                "description": ["is too long (maximum is 255 characters)"],
            })
            .to_string()
        );
    }

    #[test]
    fn only_the_instance_limits_values() {
        let long = wanted("A", &"é".repeat(10_001));
        let told = "The value of the provided variable exceeds the 10000 character limit";
        assert_eq!(
            complaints(&long, &VariableLevel::Instance),
            json!({ "value": [told] })
        );
        let group = VariableLevel::Group("acme".into());
        assert_eq!(complaints(&long, &group), json!({}));
        let limit = wanted("A", &"é".repeat(10_000));
        assert_eq!(complaints(&limit, &VariableLevel::Instance), json!({}));
    }
}
