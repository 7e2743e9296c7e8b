//! Text with `${{ }}` in it.
//!
//! GitHub runner: `TemplateReader.ParseScalar`.

use std::sync::Arc;

use crate::expression::scope::Scope;
use crate::expression::{Environment, Expression, ExpressionError, Use};
use crate::value::Value;

/// A text, read. Without `${{` it is that text; one that is an expression as a
/// whole has that expression's value; else the values become part of the text.
#[derive(Clone, Debug)]
pub struct Template {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug)]
enum Segment {
    Text(Arc<str>),
    Expression(Expression),
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// When a `${{` has no `}}`, or what stands between is no expression that
    /// `scope` allows.
    pub fn parse(text: &str, scope: &dyn Scope) -> Result<Self, ExpressionError> {
        let mut segments = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("${{") {
            if start > 0 {
                segments.push(Segment::Text(rest[..start].into()));
            }
            let after = &rest[start + 3..];
            let end = closing(after).ok_or(ExpressionError::NotClosed)?;
            let expression = Expression::parse(after[..end].trim(), scope)?;
            segments.push(Segment::Expression(expression));
            rest = &after[end + 2..];
        }
        if !rest.is_empty() || segments.is_empty() {
            segments.push(Segment::Text(rest.into()));
        }
        Ok(Self { segments })
    }

    /// A template that is one expression.
    pub fn of_expression(expression: Expression) -> Self {
        Self {
            segments: vec![Segment::Expression(expression)],
        }
    }

    /// The text, when there is no expression in it.
    pub fn literal(&self) -> Option<&str> {
        match &*self.segments {
            [Segment::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// When an expression has none.
    pub fn evaluate(&self, environment: &dyn Environment) -> Result<Value, ExpressionError> {
        if let [Segment::Expression(expression)] = &*self.segments {
            return expression.evaluate(environment);
        }
        self.evaluate_text(environment).map(Value::String)
    }

    /// The value as text.
    ///
    /// # Errors
    ///
    /// When an expression has no value.
    pub fn evaluate_text(
        &self,
        environment: &dyn Environment,
    ) -> Result<Arc<str>, ExpressionError> {
        if let [segment] = &*self.segments {
            return segment.text(environment);
        }
        let mut text = String::new();
        for segment in &self.segments {
            text.push_str(&segment.text(environment)?);
        }
        Ok(text.into())
    }

    /// Contexts and special functions that occur, in the order of the text;
    /// their offsets count within each expression.
    pub fn uses(&self) -> impl Iterator<Item = Use<'_>> {
        self.segments.iter().flat_map(|segment| {
            match segment {
                Segment::Text(_) => None,
                Segment::Expression(expression) => Some(expression.uses()),
            }
            .into_iter()
            .flatten()
        })
    }
}

impl Segment {
    fn text(&self, environment: &dyn Environment) -> Result<Arc<str>, ExpressionError> {
        match self {
            Self::Text(text) => Ok(Arc::clone(text)),
            Self::Expression(expression) => Ok(expression.evaluate(environment)?.to_text()),
        }
    }
}

/// Where the `}}` stands that closes an expression; not one inside a string.
fn closing(text: &str) -> Option<usize> {
    let mut in_string = false;
    let bytes = text.as_bytes();
    bytes.iter().enumerate().position(|(at, byte)| {
        if *byte == b'\'' {
            in_string = !in_string;
        }
        !in_string && *byte == b'}' && bytes.get(at + 1) == Some(&b'}')
    })
}
