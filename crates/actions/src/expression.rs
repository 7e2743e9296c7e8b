//! The expression language: what stands between `${{` and `}}`.
//!
//! Follows the language of GitHub's runner (`src/Sdk/Expressions`), which
//! `@actions/expressions` mirrors for editors; where they differ the runner
//! wins (API-QUIRKS.md, rows "Expressions").
//!
//! Reading neither recurses nor copies: `lexer` says which token may follow
//! which, `parser` orders them by precedence into one list of nodes, `node`.
//! The depth of that tree is limited, so `evaluate` may recurse.

mod budget;
mod environment;
mod error;
mod evaluate;
mod format;
mod functions;
mod index;
mod lexer;
mod loose;
mod node;
mod parser;
pub mod scope;
mod uses;

pub use environment::{Environment, SpecialFunction};
pub use error::{ExpressionError, SyntaxError, SyntaxErrorKind};
pub(crate) use loose::equal as loosely_equal;
pub use uses::Use;

use crate::value::Value;
use node::{Node, NodeId};
use scope::Scope;

/// How deep operators, calls and indexes may lie in each other.
pub const MAX_DEPTH: usize = 50;

/// How long an expression may be, in UTF-16 units.
pub const MAX_LENGTH: usize = 21_000;

/// An expression that was read and whose names its place allows.
#[derive(Clone, Debug)]
pub struct Expression {
    nodes: Vec<Node>,
    root: NodeId,
}

impl Expression {
    /// Reads the text between `${{` and `}}`.
    ///
    /// # Errors
    ///
    /// When the text is no expression, is too long or too deep, calls a
    /// function with too few or too many arguments, or names a context or
    /// function that `scope` does not allow.
    pub fn parse(text: &str, scope: &dyn Scope) -> Result<Self, ExpressionError> {
        parser::parse(text, scope)
    }

    /// The expression's value. Operands and arguments that the result does not
    /// need are not looked at.
    ///
    /// # Errors
    ///
    /// When a function refuses its arguments or the results need more than ten
    /// megabytes.
    pub fn evaluate(&self, environment: &dyn Environment) -> Result<Value, ExpressionError> {
        evaluate::evaluate(self, environment)
    }

    /// Contexts and special functions that occur, in the order of the text.
    pub fn uses(&self) -> impl Iterator<Item = Use<'_>> {
        uses::uses(self)
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}
