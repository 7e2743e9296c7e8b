//! A part of a file whose expressions are evaluated later: a matrix, a name,
//! labels. Every piece knows its place, so that a late error names it too.

use serde::{Deserialize, Serialize};
use tappet_model::{Diagnostic, Position};
use tappet_yaml::{self as yaml, Node};

use crate::expression::{Environment, Use, scope};
use crate::source::report::Report;
use crate::{Object, Scope, Template, Value};

/// A value with its place.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Tree {
    pub(crate) position: Position,
    pub(crate) content: Content,
}

/// What a [`Tree`] holds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Content {
    Null,
    Bool(bool),
    Number(f64),
    /// Before evaluation it may hold `${{ }}`.
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(Label, Tree)>),
}

/// A key with its place.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) text: String,
    pub(crate) position: Position,
}

impl Tree {
    /// Copies a node, and reports expressions that `scope` does not allow.
    pub(crate) fn read(node: &Node, scope: &dyn Scope, report: &mut Report) -> Self {
        let content = match &node.value {
            yaml::Value::Null => Content::Null,
            yaml::Value::Bool(value) => Content::Bool(*value),
            yaml::Value::Int(value) => Content::Number(*value as f64),
            // JSON has no such numbers, and on their way they become text anyway.
            yaml::Value::Float(value) if !value.is_finite() => Content::Text(scalar_text(node)),
            yaml::Value::Float(value) => Content::Number(*value),
            yaml::Value::String(text) => {
                check_template(text, node.position, scope, report);
                Content::Text(text.clone())
            }
            yaml::Value::Sequence(items) => Content::List(
                items
                    .iter()
                    .map(|item| Self::read(item, scope, report))
                    .collect(),
            ),
            yaml::Value::Mapping(mapping) => Content::Map(
                mapping
                    .iter()
                    .map(|(key, value)| {
                        let label = Label {
                            text: key.text.clone(),
                            position: key.position,
                        };
                        refuse_template(&key.text, key.position, report);
                        (label, Self::read(value, scope, report))
                    })
                    .collect(),
            ),
        };
        Self {
            position: node.position,
            content,
        }
    }

    /// A value that stands at a place.
    pub(crate) fn of_value(value: &Value, position: Position) -> Self {
        let content = match value {
            Value::Null => Content::Null,
            Value::Bool(value) => Content::Bool(*value),
            Value::Number(value) => Content::Number(*value),
            Value::String(text) => Content::Text(text.to_string()),
            Value::Array(array) => Content::List(
                array
                    .items
                    .iter()
                    .map(|item| Self::of_value(item, position))
                    .collect(),
            ),
            Value::Object(object) => Content::Map(
                object
                    .iter()
                    .map(|(key, value)| {
                        let label = Label {
                            text: key.to_owned(),
                            position,
                        };
                        (label, Self::of_value(value, position))
                    })
                    .collect(),
            ),
        };
        Self { position, content }
    }

    /// The value, with texts as they are.
    pub(crate) fn to_value(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Number(value) => Value::Number(*value),
            Content::Text(text) => Value::from(text.as_str()),
            Content::List(items) => Value::array(items.iter().map(Self::to_value).collect()),
            Content::Map(entries) => {
                let mut object = Object::new();
                for (label, value) in entries {
                    object.insert(label.text.as_str(), value.to_value());
                }
                Value::from(object)
            }
        }
    }

    /// The same with every expression replaced by its value. What comes out of
    /// an expression is not looked at again, whatever it reads like.
    ///
    /// # Errors
    ///
    /// An expression without a value, at the place of its text.
    pub(crate) fn evaluate(
        &self,
        scope: &dyn Scope,
        environment: &dyn Environment,
    ) -> Result<Self, Diagnostic> {
        let content = match &self.content {
            Content::Text(text) if text.contains("${{") => {
                let value = Template::parse(text, scope)
                    .and_then(|template| template.evaluate(environment))
                    .map_err(|error| Diagnostic::at(self.position, error.to_string()))?;
                return Ok(Self::of_value(&value, self.position));
            }
            Content::List(items) => Content::List(
                items
                    .iter()
                    .map(|item| item.evaluate(scope, environment))
                    .collect::<Result<_, _>>()?,
            ),
            Content::Map(entries) => Content::Map(
                entries
                    .iter()
                    .map(|(label, value)| Ok((label.clone(), value.evaluate(scope, environment)?)))
                    .collect::<Result<_, Diagnostic>>()?,
            ),
            scalar => scalar.clone(),
        };
        Ok(Self {
            position: self.position,
            content,
        })
    }

    /// Whether an expression in it uses something that `is_meant`.
    pub(crate) fn uses(&self, scope: &dyn Scope, is_meant: &dyn Fn(&Use<'_>) -> bool) -> bool {
        match &self.content {
            Content::Text(text) if text.contains("${{") => Template::parse(text, scope)
                .is_ok_and(|template| template.uses().any(|used| is_meant(&used))),
            Content::List(items) => items.iter().any(|item| item.uses(scope, is_meant)),
            Content::Map(entries) => entries.iter().any(|(_, value)| value.uses(scope, is_meant)),
            _ => false,
        }
    }

    /// Whether it is a text with an expression in it.
    pub(crate) fn is_expression(&self) -> bool {
        matches!(&self.content, Content::Text(text) if text.contains("${{"))
    }

    /// Whether there is an expression anywhere in it.
    pub(crate) fn has_expressions(&self) -> bool {
        match &self.content {
            Content::List(items) => items.iter().any(Self::has_expressions),
            Content::Map(entries) => entries.iter().any(|(_, value)| value.has_expressions()),
            _ => self.is_expression(),
        }
    }

    /// An evaluated truth value.
    ///
    /// # Errors
    ///
    /// Everything else, also the text `true`, as at GitHub.
    pub(crate) fn as_bool(&self) -> Result<bool, Diagnostic> {
        match self.content {
            Content::Bool(value) => Ok(value),
            _ => Err(self.unexpected()),
        }
    }

    /// An evaluated number.
    ///
    /// # Errors
    ///
    /// Everything else, also the text `1`, as at GitHub.
    pub(crate) fn as_number(&self) -> Result<f64, Diagnostic> {
        match self.content {
            Content::Number(value) => Ok(value),
            _ => Err(self.unexpected()),
        }
    }

    /// An evaluated scalar as text.
    ///
    /// # Errors
    ///
    /// Lists and mappings.
    pub(crate) fn as_text(&self) -> Result<String, Diagnostic> {
        match self.content {
            Content::List(_) | Content::Map(_) => Err(self.unexpected()),
            _ => Ok(self.to_value().to_text().to_string()),
        }
    }

    /// That another kind of value is wanted here.
    pub(crate) fn unexpected(&self) -> Diagnostic {
        let message = match &self.content {
            Content::List(_) => "A sequence was not expected".to_owned(),
            Content::Map(_) => "A mapping was not expected".to_owned(),
            _ => format!("Unexpected value '{}'", self.to_value().to_text()),
        };
        Diagnostic::at(self.position, message)
    }
}

/// A scalar as GitHub turns it into text: `1.10` → `1.1`, null → empty.
pub(crate) fn scalar_text(node: &Node) -> String {
    match &node.value {
        yaml::Value::Int(value) => value.to_string(),
        yaml::Value::Float(value) => Value::Number(*value).to_text().to_string(),
        _ => node.to_text().unwrap_or_default(),
    }
}

/// Reports expressions in a text that `scope` does not allow.
pub(crate) fn check_template(
    text: &str,
    position: Position,
    scope: &dyn Scope,
    report: &mut Report,
) {
    if text.contains("${{")
        && let Err(error) = Template::parse(text, scope)
    {
        report.error(position, error.to_string());
    }
}

/// Reports any expression in a text that may hold none, and whether there is
/// one. Names are not known there, and are what GitHub speaks of first.
pub(crate) fn refuse_template(text: &str, position: Position, report: &mut Report) -> bool {
    if !text.contains("${{") {
        return false;
    }
    let message = match Template::parse(text, &scope::NOWHERE) {
        Ok(_) => "A template expression is not allowed in this context".to_owned(),
        Err(error) => error.to_string(),
    };
    report.error(position, message);
    true
}
