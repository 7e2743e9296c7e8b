//! A variable kept in settings.

use serde::Serialize;
use tappet_model::VariableKind;
use tappet_store::{SettingsVariable as Stored, VariableLevel};
use utoipa::ToSchema;

/// GitLab: `API::Entities::Ci::Variable`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SettingsVariable<'a> {
    #[schema(value_type = String)]
    variable_type: VariableKind,
    key: &'a str,
    /// `null` when the variable is hidden.
    value: Option<String>,
    /// Not of the instance's variables, which cannot be hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<bool>,
    protected: bool,
    masked: bool,
    raw: bool,
    /// Not of the instance's variables, which are for every environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_scope: Option<&'a str>,
    description: Option<&'a str>,
}

impl<'a> SettingsVariable<'a> {
    /// Shows a variable. `value` is what it is now; the value of a hidden one
    /// stays here.
    pub fn of(stored: &'a Stored, value: String) -> Self {
        let traits = &stored.traits;
        let is_instance = stored.level == VariableLevel::Instance;
        Self {
            variable_type: traits.kind,
            key: &stored.key,
            value: (!stored.is_hidden).then_some(value),
            hidden: (!is_instance).then_some(stored.is_hidden),
            protected: traits.is_protected,
            masked: traits.is_masked,
            raw: traits.is_raw,
            environment_scope: (!is_instance).then_some(traits.environment_scope.as_str()),
            description: traits.description.as_deref(),
        }
    }
}
