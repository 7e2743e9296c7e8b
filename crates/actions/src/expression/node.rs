//! The nodes of an expression, held in one list and named by their place in it.

use std::sync::Arc;

use super::SpecialFunction;
use super::functions::Function;
use crate::value::Value;

/// A node's place in its expression's list.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodeId(pub(super) u32);

/// Operators that take exactly two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Literal(Value),
    /// `*` where a property or index may stand.
    Wildcard,
    /// A context; its name in lower case and its byte in the text.
    Context(Arc<str>, u32),
    Not(NodeId),
    Comparison(Comparison, NodeId, NodeId),
    /// `a && b && c` is one node.
    And(Vec<NodeId>),
    /// `a || b || c` is one node.
    Or(Vec<NodeId>),
    Index(NodeId, NodeId),
    Call(Callee, Vec<NodeId>),
}

/// What a call calls.
#[derive(Clone, Copy, Debug)]
pub(super) enum Callee {
    Function(Function),
    /// Also its byte in the text.
    Special(SpecialFunction, u32),
}
