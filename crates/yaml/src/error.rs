//! What a text that cannot be loaded, or loads with a doubt, says.

use std::fmt;

use tappet_model::{Diagnostic, Position};

/// Why a text could not be loaded.
///
/// The message is what Ruby's Psych, and so GitLab, says where it has words for
/// the case: `(<unknown>): mapping values are not allowed in this context`,
/// `Unknown alias: x`, `Tried to load unspecified class: Date`,
/// `The parsed YAML is too big`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct YamlError {
    /// The text, without the place.
    pub message: String,
    /// Where, when a place can be named.
    pub position: Option<Position>,
}

impl YamlError {
    pub(crate) fn at(position: Position, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            position: Some(position),
        }
    }

    pub(crate) fn whole_file(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            position: None,
        }
    }
}

/// `<message> at line 3 column 5`, like [`Diagnostic`].
impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(position) = self.position {
            write!(f, " at line {} column {}", position.line, position.column)?;
        }
        Ok(())
    }
}

impl From<YamlError> for Diagnostic {
    fn from(error: YamlError) -> Self {
        Self {
            message: error.message,
            position: error.position,
        }
    }
}

/// Something that loads, but probably not as its author meant it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct YamlWarning {
    /// The text; names every place it speaks of.
    pub message: String,
    /// The key that is given more than once.
    pub key: String,
    /// The place to look at first.
    pub position: Position,
}

impl From<YamlWarning> for Diagnostic {
    fn from(warning: YamlWarning) -> Self {
        Self::at(warning.position, warning.message)
    }
}
