//! What is wrong with an expression, and where.

/// An expression that is not understood or that can never fire.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message} (column {column})")]
pub struct CronError {
    /// Place in the text, counted in characters from 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl CronError {
    pub(crate) fn new(column: usize, message: impl Into<String>) -> Self {
        Self {
            column,
            message: message.into(),
        }
    }
}
