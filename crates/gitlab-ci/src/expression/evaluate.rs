//! What a term is worth.

use std::borrow::Cow;

use regex::Regex;

use super::{Operator, Term, pattern};

/// The result of a term; borrows what the condition itself holds.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Text(Cow<'a, str>),
    Regex(&'a Regex),
}

impl Value<'_> {
    /// Rails' `present?`: what the outcome of a whole condition is tested with.
    pub(super) fn is_present(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Text(text) => !text.chars().all(char::is_whitespace),
            Self::Regex(_) => true,
        }
    }

    /// Ruby's truth: what `&&` and `||` test. An empty text is true.
    fn is_truthy(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    /// The text for the left side of a match; null is the empty text.
    fn text(&self) -> Option<&str> {
        match self {
            Self::Null => Some(""),
            Self::Bool(value) => Some(bool_text(*value)),
            Self::Text(text) => Some(text),
            Self::Regex(_) => None,
        }
    }

    fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::Bool(value), Self::Text(text)) | (Self::Text(text), Self::Bool(value)) => {
                text == bool_text(*value)
            }
            (Self::Regex(left), Self::Regex(right)) => left.as_str() == right.as_str(),
            _ => false,
        }
    }

    /// Whether this matches `pattern`: a regular expression, a text that is
    /// written like one, or a text that must contain this.
    fn matches(&self, pattern: &Self) -> bool {
        let Some(text) = self.text() else {
            return false;
        };
        match pattern {
            Self::Regex(regex) => regex.is_match(text),
            Self::Text(pattern) => match from_text(pattern) {
                Some(regex) => regex.is_match(text),
                None => pattern.contains(text),
            },
            Self::Null | Self::Bool(_) => false,
        }
    }
}

fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// The regular expression in a variable's value or a string.
fn from_text(text: &str) -> Option<Regex> {
    if !text.starts_with('/') {
        return None;
    }
    let text = text.replace("\\/", "/");
    let (body, flags) = pattern::delimited(&text)?;
    pattern::compile(body, flags)
}

pub(super) fn evaluate<'a>(
    term: &'a Term,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Value<'a> {
    let (operator, operands) = match term {
        Term::Variable(name) => {
            return variables(name).map_or(Value::Null, |text| Value::Text(Cow::Owned(text)));
        }
        Term::Text(text) => return Value::Text(Cow::Borrowed(text)),
        Term::Regex(regex) => return Value::Regex(regex),
        Term::Bool(value) => return Value::Bool(*value),
        Term::Null => return Value::Null,
        Term::Operation(operator, operands) => (*operator, operands),
    };
    let left = evaluate(&operands.0, variables);
    let right = || evaluate(&operands.1, variables);
    match operator {
        Operator::And if left.is_truthy() => right(),
        Operator::Or if !left.is_truthy() => right(),
        Operator::And | Operator::Or => left,
        Operator::Equals => Value::Bool(left.equals(&right())),
        Operator::NotEquals => Value::Bool(!left.equals(&right())),
        Operator::Matches => Value::Bool(left.matches(&right())),
        Operator::NotMatches => {
            let right = right();
            Value::Bool(!right.is_truthy() || !left.matches(&right))
        }
    }
}
