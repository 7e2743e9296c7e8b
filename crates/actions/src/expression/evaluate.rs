//! Nodes → value.

use super::budget::Budget;
use super::index::{self, Index};
use super::node::{Callee, Node, NodeId};
use super::{Environment, Expression, ExpressionError, functions, loose};
use crate::value::Value;

pub(super) fn evaluate(
    expression: &Expression,
    environment: &dyn Environment,
) -> Result<Value, ExpressionError> {
    let mut evaluation = Evaluation {
        expression,
        environment,
        budget: Budget::new(),
    };
    evaluation.value(expression.root)
}

/// One evaluation under way.
pub(super) struct Evaluation<'a> {
    expression: &'a Expression,
    environment: &'a dyn Environment,
    pub(super) budget: Budget,
}

impl Evaluation<'_> {
    /// The value of a node. The tree is at most [`MAX_DEPTH`](super::MAX_DEPTH)
    /// deep.
    pub(super) fn value(&mut self, id: NodeId) -> Result<Value, ExpressionError> {
        match self.expression.node(id) {
            Node::Literal(value) => Ok(value.clone()),
            // Only as an operand inside `[ ]`; the runner sees the text there.
            Node::Wildcard => Ok(Value::from("*")),
            Node::Context(name, _) => Ok(self.environment.context(name).unwrap_or_default()),
            Node::Not(operand) => Ok(Value::Bool(!self.value(*operand)?.is_truthy())),
            Node::Comparison(comparison, left, right) => {
                let left = self.value(*left)?;
                let right = self.value(*right)?;
                Ok(Value::Bool(loose::compare(*comparison, &left, &right)))
            }
            Node::And(operands) => self.first(operands, false),
            Node::Or(operands) => self.first(operands, true),
            Node::Index(container, place) => self.index(*container, *place),
            Node::Call(Callee::Function(function), arguments) => {
                functions::call(self, *function, arguments)
            }
            Node::Call(Callee::Special(function, _), arguments) => {
                let values: Result<Vec<_>, _> =
                    arguments.iter().map(|one| self.value(*one)).collect();
                self.environment.call(*function, &values?)
            }
        }
    }

    /// The first operand that is truthy or falsy as wanted, else the last.
    fn first(&mut self, operands: &[NodeId], truthy: bool) -> Result<Value, ExpressionError> {
        let mut value = Value::Null;
        for operand in operands {
            value = self.value(*operand)?;
            if value.is_truthy() == truthy {
                break;
            }
        }
        Ok(value)
    }

    fn index(&mut self, container: NodeId, place: NodeId) -> Result<Value, ExpressionError> {
        let container = self.value(container)?;
        if let Node::Wildcard = self.expression.node(place) {
            return index::wildcard(&container, &mut self.budget);
        }
        if container.is_primitive() {
            return Ok(Value::Null);
        }
        let place = Index::new(self.value(place)?);
        index::index(&container, &place, &mut self.budget)
    }
}
