//! Variables of runs and jobs.

use serde::{Deserialize, Serialize};

/// How a variable reaches the script.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariableKind {
    /// In the environment.
    #[default]
    EnvVar,
    /// In a file whose path is in the environment.
    File,
}

/// One variable. Later ones of the same key win.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Variable {
    /// Name: letters, digits and `_`.
    pub key: String,
    /// Value as text.
    pub value: String,
    /// Environment or file.
    #[serde(default)]
    pub kind: VariableKind,
    /// `$NAME` inside the value stays as it is.
    #[serde(default)]
    pub raw: bool,
    /// The value is replaced in logs.
    #[serde(default)]
    pub masked: bool,
}

impl Variable {
    /// A plain environment variable whose value may refer to others.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            kind: VariableKind::EnvVar,
            raw: false,
            masked: false,
        }
    }

    /// The same, hidden in logs and never expanded.
    pub fn secret(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            raw: true,
            masked: true,
            ..Self::new(key, value)
        }
    }

    /// A file variable, never expanded.
    pub fn file(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            kind: VariableKind::File,
            raw: true,
            ..Self::new(key, value)
        }
    }

    /// GitLab's rule for names (`Ci::HasVariable`): 1 to 255 of `[a-zA-Z0-9_]`.
    pub fn is_valid_key(key: &str) -> bool {
        (1..=255).contains(&key.len())
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters_digits_and_underscores() {
        for good in ["A", "a_1", "_X", "9"] {
            assert!(Variable::is_valid_key(good), "{good}");
        }
        for bad in ["", "A-B", "A=B", "Ä", "A B", &"x".repeat(256)] {
            assert!(!Variable::is_valid_key(bad), "{bad}");
        }
    }
}
