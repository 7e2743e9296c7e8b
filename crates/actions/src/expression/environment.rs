//! What an expression asks its surroundings.

use super::ExpressionError;
use crate::value::Value;

/// A function whose answer depends on where the expression stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpecialFunction {
    /// `always()`
    Always,
    /// `cancelled()`
    Cancelled,
    /// `success()`, in the condition of a job also with names of jobs.
    Success,
    /// `failure()`, in the condition of a job also with names of jobs.
    Failure,
    /// `hashFiles(pattern, …)`
    HashFiles,
}

impl SpecialFunction {
    /// Whether its presence in a condition replaces the implied `success()`.
    pub fn is_status(self) -> bool {
        self != Self::HashFiles
    }

    /// The name as workflows write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Cancelled => "cancelled",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::HashFiles => "hashFiles",
        }
    }
}

/// Where an expression gets its contexts and the answers of special functions.
pub trait Environment {
    /// A context by its name in lower case; none counts as null. The same
    /// value has to be given each time: two equal objects are not the same.
    fn context(&self, name: &str) -> Option<Value>;

    /// The answer of a function that the expression's scope allows.
    ///
    /// # Errors
    ///
    /// When there is no answer, as [`ExpressionError::evaluation`] with the reason.
    fn call(
        &self,
        function: SpecialFunction,
        arguments: &[Value],
    ) -> Result<Value, ExpressionError>;
}
