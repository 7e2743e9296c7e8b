//! Why an expression cannot be read or has no value.
//!
//! The texts are those of GitHub's runner (`ParseException`), which people
//! search for and suites compare.

use std::fmt;

/// Why an expression cannot be read or has no value.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ExpressionError {
    /// Something at one place of the text.
    #[error(transparent)]
    Syntax(Box<SyntaxError>),
    /// More than [`MAX_DEPTH`](super::MAX_DEPTH) levels.
    #[error("Exceeded max expression depth 50")]
    TooDeep,
    /// More than [`MAX_LENGTH`](super::MAX_LENGTH) UTF-16 units.
    #[error("Exceeded max expression length 21000")]
    TooLong,
    /// No token at all.
    #[error("An expression was expected")]
    Empty,
    /// `${{` without its `}}`. Only in a [`Template`](crate::Template).
    #[error(
        "The expression is not closed. An unescaped ${{{{ sequence was found, but the closing }}}} sequence was not found."
    )]
    NotClosed,
    /// Read, but evaluating it failed.
    #[error("{0}")]
    Evaluation(Box<str>),
}

impl ExpressionError {
    /// A failure of evaluation, with its reason.
    pub fn evaluation(reason: impl Into<Box<str>>) -> Self {
        Self::Evaluation(reason.into())
    }
}

/// What is wrong with one token of an expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// What is wrong.
    pub kind: SyntaxErrorKind,
    /// The token as written.
    pub token: String,
    /// Where it stands, in UTF-16 units from 1.
    pub position: usize,
    /// The whole expression.
    pub expression: String,
}

/// What can be wrong with a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyntaxErrorKind {
    /// Not a token, or not one that may stand here.
    UnexpectedSymbol,
    /// The text ends after it, and should not.
    UnexpectedEnd,
    /// A context that this place does not know.
    UnrecognizedNamedValue,
    /// A function that this place does not know.
    UnrecognizedFunction,
    /// A call with too few arguments.
    TooFewParameters,
    /// A call with too many arguments.
    TooManyParameters,
    /// `case` with an even number of arguments.
    EvenParameters,
}

impl fmt::Display for SyntaxErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnexpectedSymbol => "Unexpected symbol",
            Self::UnexpectedEnd => "Unexpected end of expression",
            Self::UnrecognizedNamedValue => "Unrecognized named-value",
            Self::UnrecognizedFunction => "Unrecognized function",
            Self::TooFewParameters => "Too few parameters supplied",
            Self::TooManyParameters => "Too many parameters supplied",
            Self::EvenParameters => {
                "Even number of parameters supplied, requires an odd number of parameters"
            }
        })
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            token,
            position,
            expression,
        } = self;
        write!(
            f,
            "{kind}: '{token}'. Located at position {position} within expression: {expression}"
        )
    }
}

impl std::error::Error for SyntaxError {}
