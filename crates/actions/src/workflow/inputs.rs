//! The `inputs` of a run, from what its caller gave.

use crate::workflow::Workflow;
use crate::workflow::triggers::{Input, InputKind, typed};
use crate::{Object, Value};

/// Why a workflow cannot be dispatched with these inputs.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InputError {
    /// It has no `workflow_dispatch`.
    #[error("Workflow does not have 'workflow_dispatch' trigger")]
    NotDispatchable,
    /// It asks for no input of this name.
    #[error("Unexpected input '{name}'. {}", known_text(known))]
    Unknown {
        /// As given.
        name: String,
        /// What it asks for.
        known: Vec<String>,
    },
    /// A required input was not given.
    #[error("Required input '{0}' not provided")]
    Missing(String),
    /// A choice that is none of the options.
    #[error("Provided value '{value}' for input '{name}' not in the list of allowed values: {}", options.join(", "))]
    NotAnOption {
        /// Of the input.
        name: String,
        /// As given.
        value: String,
        /// What would do.
        options: Vec<String>,
    },
    /// A text that is no boolean or number.
    #[error("Provided value '{value}' for input '{name}' is not a {kind}")]
    WrongType {
        /// Of the input.
        name: String,
        /// As given.
        value: String,
        /// `boolean` or `number`.
        kind: &'static str,
    },
}

fn known_text(known: &[String]) -> String {
    if known.is_empty() {
        "The workflow has no inputs".to_owned()
    } else {
        format!("The workflow's inputs are: {}", known.join(", "))
    }
}

/// The `inputs` context of a dispatched run. Case does not matter in names.
///
/// # Errors
///
/// What does not fit the inputs that `workflow_dispatch` declares.
pub fn dispatch_inputs<'a>(
    workflow: &Workflow,
    given: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Value, InputError> {
    let declared = workflow
        .triggers
        .dispatch
        .as_ref()
        .ok_or(InputError::NotDispatchable)?;
    let mut texts: Vec<Option<&str>> = vec![None; declared.len()];
    for (name, value) in given {
        let place = declared
            .iter()
            .position(|input| input.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| InputError::Unknown {
                name: name.to_owned(),
                known: declared.iter().map(|input| input.name.clone()).collect(),
            })?;
        texts[place] = Some(value);
    }
    let mut inputs = Object::new();
    for (input, text) in declared.iter().zip(texts) {
        let value = match text {
            Some(text) => given_value(input, text)?,
            None if input.required && input.default.is_none() => {
                return Err(InputError::Missing(input.name.clone()));
            }
            None => absent_value(input),
        };
        inputs.insert(input.name.as_str(), value);
    }
    Ok(inputs.into())
}

/// The `inputs` context of a run that nobody gave inputs to: the defaults of
/// `workflow_dispatch`, required or not.
pub fn default_inputs(workflow: &Workflow) -> Value {
    let mut inputs = Object::new();
    for input in workflow.triggers.dispatch.iter().flatten() {
        inputs.insert(input.name.as_str(), absent_value(input));
    }
    inputs.into()
}

fn given_value(input: &Input, text: &str) -> Result<Value, InputError> {
    if input.kind == InputKind::Choice && !input.options.iter().any(|option| option == text) {
        return Err(InputError::NotAnOption {
            name: input.name.clone(),
            value: text.to_owned(),
            options: input.options.clone(),
        });
    }
    if input.required && text.is_empty() {
        return Err(InputError::Missing(input.name.clone()));
    }
    typed(input.kind, text).ok_or_else(|| InputError::WrongType {
        name: input.name.clone(),
        value: text.to_owned(),
        kind: input.kind.as_str(),
    })
}

/// GitHub's values for what has neither value nor default.
fn absent_value(input: &Input) -> Value {
    if let Some(default) = &input.default {
        return default.clone();
    }
    match input.kind {
        InputKind::Boolean => Value::Bool(false),
        InputKind::Number => Value::Null,
        InputKind::Choice => input
            .options
            .first()
            .map_or(Value::Null, |option| Value::from(option.as_str())),
        InputKind::String | InputKind::Environment => Value::from(""),
    }
}
