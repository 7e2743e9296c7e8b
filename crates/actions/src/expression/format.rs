//! `format('{0} of {1}', …)`: `{{` and `}}` are braces, all other braces hold
//! the number of an argument.
//!
//! GitHub runner: `Functions/Format.cs`. The text is checked to its end before
//! an argument is evaluated; each is evaluated once, and only when it is named.

use std::sync::Arc;

use super::ExpressionError;
use super::evaluate::Evaluation;
use super::node::NodeId;
use crate::value::Value;

enum Segment<'a> {
    Text(&'a str),
    /// Its number, and what stands after a `:`.
    Argument(usize, &'a str),
}

pub(super) fn format(
    evaluation: &mut Evaluation<'_>,
    arguments: &[NodeId],
) -> Result<Value, ExpressionError> {
    let pattern = evaluation.value(arguments[0])?.to_text();
    let arguments = &arguments[1..];
    let segments = segments(&pattern, arguments.len())?;
    let mut known: Vec<Option<Arc<str>>> = vec![None; arguments.len()];
    let mut result = String::new();
    for segment in segments {
        let text: &str = match segment {
            Segment::Text(text) => text,
            Segment::Argument(number, specifiers) => {
                let value = match known[number].take() {
                    Some(text) => Value::String(text),
                    None => evaluation.value(arguments[number])?,
                };
                if !specifiers.is_empty() {
                    return Err(ExpressionError::evaluation(format!(
                        "The format specifiers '{}' are not valid for objects of type '{}'",
                        specifiers.replace("}}", "}"),
                        value.kind()
                    )));
                }
                known[number].insert(value.to_text())
            }
        };
        evaluation.budget.spend(text.len())?;
        result.push_str(text);
    }
    Ok(result.into())
}

fn segments(pattern: &str, arguments: usize) -> Result<Vec<Segment<'_>>, ExpressionError> {
    let invalid = || {
        ExpressionError::evaluation(format!("The following format string is invalid: {pattern}"))
    };
    let mut segments = Vec::new();
    let mut rest = pattern;
    while let Some(brace) = rest.find(['{', '}']) {
        let (before, braced) = rest.split_at(brace);
        if braced.starts_with("{{") || braced.starts_with("}}") {
            segments.push(Segment::Text(&rest[..=brace]));
            rest = &braced[2..];
            continue;
        }
        let (number, specifiers, after) = placeholder(braced).ok_or_else(invalid)?;
        if number >= arguments {
            return Err(ExpressionError::evaluation(format!(
                "The following format string references more arguments than were supplied: {pattern}"
            )));
        }
        segments.push(Segment::Text(before));
        segments.push(Segment::Argument(number, specifiers));
        rest = after;
    }
    segments.push(Segment::Text(rest));
    Ok(segments)
}

/// `{number}` or `{number:specifiers}` at the start: its parts and what follows.
fn placeholder(text: &str) -> Option<(usize, &str, &str)> {
    let text = text.strip_prefix('{')?;
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, rest) = text.split_at(digits);
    let number = number.parse::<u8>().ok()?;
    if let Some(after) = rest.strip_prefix('}') {
        return Some((number.into(), "", after));
    }
    let specifiers = rest.strip_prefix(':')?;
    let mut end = 0;
    loop {
        end += specifiers[end..].find('}')?;
        if !specifiers[end + 1..].starts_with('}') {
            break;
        }
        end += 2;
    }
    Some((number.into(), &specifiers[..end], &specifiers[end + 1..]))
}
