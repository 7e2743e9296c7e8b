//! A message about a place in a pipeline file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in a text: both numbers start at 1, columns count characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// An error or a warning about a pipeline file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Diagnostic {
    /// GitLab's text where GitLab has one.
    pub message: String,
    /// Where, when a place can be named.
    pub position: Option<Position>,
}

impl Diagnostic {
    /// A message at a place.
    pub fn at(position: Position, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            position: Some(position),
        }
    }

    /// A message about the file as a whole.
    pub fn whole_file(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            position: None,
        }
    }
}

/// `<message> at line 3 column 5`, the way libyaml names places.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(position) = self.position {
            write!(f, " at line {} column {}", position.line, position.column)?;
        }
        Ok(())
    }
}
