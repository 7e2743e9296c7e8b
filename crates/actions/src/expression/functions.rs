//! The functions that mean the same everywhere. Arguments that a result does
//! not need are not evaluated, as in the runner.
//!
//! GitHub runner: `ExpressionConstants.cs` and `Sdk/Functions`.

use std::sync::Arc;

use super::evaluate::Evaluation;
use super::node::NodeId;
use super::{ExpressionError, budget, format, loose};
use crate::json;
use crate::value::{Value, folded};

/// A function that means the same everywhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Function {
    Case,
    Contains,
    EndsWith,
    Format,
    FromJson,
    Join,
    StartsWith,
    ToJson,
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        let functions = [
            ("case", Self::Case),
            ("contains", Self::Contains),
            ("endsWith", Self::EndsWith),
            ("format", Self::Format),
            ("fromJSON", Self::FromJson),
            ("join", Self::Join),
            ("startsWith", Self::StartsWith),
            ("toJSON", Self::ToJson),
        ];
        let found = functions
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, function)| function)
    }

    /// How many arguments it takes, at least and at most.
    pub(super) fn arguments(self) -> (usize, usize) {
        match self {
            Self::Case => (3, 255),
            Self::Contains | Self::EndsWith | Self::StartsWith => (2, 2),
            Self::Format => (1, 255),
            Self::FromJson | Self::ToJson => (1, 1),
            Self::Join => (1, 2),
        }
    }
}

/// Calls a function; `arguments` are as many as it takes.
pub(super) fn call(
    evaluation: &mut Evaluation<'_>,
    function: Function,
    arguments: &[NodeId],
) -> Result<Value, ExpressionError> {
    match function {
        Function::Case => case(evaluation, arguments),
        Function::Contains => contains(evaluation, arguments),
        Function::StartsWith => {
            compare_texts(evaluation, arguments, |text, part| text.starts_with(part))
        }
        Function::EndsWith => {
            compare_texts(evaluation, arguments, |text, part| text.ends_with(part))
        }
        Function::Format => format::format(evaluation, arguments),
        Function::FromJson => from_json(evaluation, arguments[0]),
        Function::Join => join(evaluation, arguments),
        Function::ToJson => to_json(evaluation, arguments[0]),
    }
}

/// `case(predicate, value, …, default)`
fn case(evaluation: &mut Evaluation<'_>, arguments: &[NodeId]) -> Result<Value, ExpressionError> {
    let (pairs, default) = arguments.as_chunks::<2>();
    for [predicate, value] in pairs {
        match evaluation.value(*predicate)? {
            Value::Bool(true) => return evaluation.value(*value),
            Value::Bool(false) => {}
            _ => {
                return Err(ExpressionError::evaluation(
                    "case predicate must evaluate to a boolean value",
                ));
            }
        }
    }
    evaluation.value(default[0])
}

/// `contains(text, part)` without regard to case, `contains(array, item)` by
/// loose equality.
fn contains(
    evaluation: &mut Evaluation<'_>,
    arguments: &[NodeId],
) -> Result<Value, ExpressionError> {
    let search = evaluation.value(arguments[0])?;
    let found = match &search {
        Value::Object(_) => false,
        Value::Array(array) if array.items.is_empty() => false,
        Value::Array(array) => {
            let item = evaluation.value(arguments[1])?;
            array.items.iter().any(|one| loose::equal(&item, one))
        }
        _ => {
            let part = evaluation.value(arguments[1])?;
            part.is_primitive() && folded(&search.to_text()).contains(&*folded(&part.to_text()))
        }
    };
    Ok(Value::Bool(found))
}

/// `startsWith` and `endsWith`: as texts, without regard to case; false for
/// arrays and objects.
fn compare_texts(
    evaluation: &mut Evaluation<'_>,
    arguments: &[NodeId],
    holds: fn(&str, &str) -> bool,
) -> Result<Value, ExpressionError> {
    let text = evaluation.value(arguments[0])?;
    if !text.is_primitive() {
        return Ok(Value::Bool(false));
    }
    let part = evaluation.value(arguments[1])?;
    let holds = part.is_primitive() && holds(&folded(&text.to_text()), &folded(&part.to_text()));
    Ok(Value::Bool(holds))
}

/// `fromJSON(text)`
fn from_json(evaluation: &mut Evaluation<'_>, text: NodeId) -> Result<Value, ExpressionError> {
    let text = evaluation.value(text)?.to_text();
    evaluation.budget.spend(text.len())?;
    json::read(&text, json::MAX_DEPTH)
        .map_err(|error| ExpressionError::evaluation(format!("Error parsing fromJson: {error}")))
}

/// `toJSON(value)`
fn to_json(evaluation: &mut Evaluation<'_>, value: NodeId) -> Result<Value, ExpressionError> {
    let value = evaluation.value(value)?;
    let text = json::print(&value, evaluation.budget.left()).ok_or_else(budget::exceeded)?;
    evaluation.budget.spend(text.len())?;
    Ok(text.into())
}

/// `join(array, separator)`; the separator is `,` when it is left out or no
/// primitive.
fn join(evaluation: &mut Evaluation<'_>, arguments: &[NodeId]) -> Result<Value, ExpressionError> {
    let items = evaluation.value(arguments[0])?;
    let array = match &items {
        Value::Array(array) => array,
        Value::Object(_) => return Ok("".into()),
        _ => return Ok(items.to_text().into()),
    };
    let separator = match arguments.get(1) {
        Some(separator) if array.items.len() > 1 => Some(evaluation.value(*separator)?),
        _ => None,
    };
    let separator = separator
        .filter(Value::is_primitive)
        .map_or_else(|| Arc::from(","), |separator| separator.to_text());
    let mut text = String::new();
    for (place, item) in array.items.iter().enumerate() {
        let item = item.to_text();
        evaluation.budget.spend(item.len() + separator.len())?;
        if place > 0 {
            text.push_str(&separator);
        }
        text.push_str(&item);
    }
    Ok(text.into())
}
