//! A variable that a run was started with.

use serde::Serialize;
use tappet_model::{Variable as RunVariable, VariableKind};
use utoipa::ToSchema;

/// GitLab: `API::Entities::Ci::Variable`, as far as it goes for runs.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Variable<'a> {
    #[schema(value_type = String)]
    variable_type: VariableKind,
    key: &'a str,
    value: &'a str,
    raw: bool,
}

impl<'a> Variable<'a> {
    /// Shows a variable with its value.
    pub fn of(variable: &'a RunVariable) -> Self {
        Self {
            variable_type: variable.kind,
            key: &variable.key,
            value: &variable.value,
            raw: variable.raw,
        }
    }
}
