//! Which contexts and special functions an expression mentions.

use super::node::{Callee, Node, NodeId};
use super::{Expression, SpecialFunction};
use crate::value::Value;

/// A mention in an expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Use<'a> {
    /// `name`, `name.property` or `name['property']`.
    Context {
        /// In lower case.
        name: &'a str,
        /// As written; none when the context stands alone or its property is
        /// computed or `*`.
        property: Option<&'a str>,
        /// Byte in the text, from 0.
        offset: usize,
    },
    /// A call of a special function.
    Function {
        /// Which.
        function: SpecialFunction,
        /// Arguments that are plain text; none where one is computed.
        arguments: Vec<Option<&'a str>>,
        /// Byte in the text, from 0.
        offset: usize,
    },
}

impl Use<'_> {
    fn offset(&self) -> usize {
        match self {
            Self::Context { offset, .. } | Self::Function { offset, .. } => *offset,
        }
    }
}

pub(super) fn uses(expression: &Expression) -> impl Iterator<Item = Use<'_>> {
    let text = |id: &NodeId| match expression.node(*id) {
        Node::Literal(Value::String(text)) => Some(&**text),
        _ => None,
    };
    let mut properties = vec![None; expression.nodes.len()];
    for node in &expression.nodes {
        if let Node::Index(container, place) = node {
            properties[container.0 as usize] = text(place);
        }
    }
    let mut found: Vec<Use<'_>> = expression
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(place, node)| match node {
            Node::Context(name, offset) => Some(Use::Context {
                name,
                property: properties[place],
                offset: *offset as usize,
            }),
            Node::Call(Callee::Special(function, offset), arguments) => Some(Use::Function {
                function: *function,
                arguments: arguments.iter().map(text).collect(),
                offset: *offset as usize,
            }),
            _ => None,
        })
        .collect();
    found.sort_by_key(Use::offset);
    found.into_iter()
}
