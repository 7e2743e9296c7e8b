//! Comparison with coercion: like JavaScript's `==` and `<`, but text without
//! regard to case, and arrays and objects never become anything else.
//!
//! GitHub runner: `EvaluationResult.AbstractEqual` and its siblings.

use std::cmp::Ordering;
use std::sync::Arc;

use super::node::Comparison;
use crate::value::{Value, compare_ignoring_case, equal_ignoring_case};

pub(super) fn compare(comparison: Comparison, left: &Value, right: &Value) -> bool {
    match comparison {
        Comparison::Equal => equal(left, right),
        Comparison::NotEqual => !equal(left, right),
        Comparison::Greater => order(left, right) == Some(Ordering::Greater),
        Comparison::Less => order(left, right) == Some(Ordering::Less),
        Comparison::GreaterOrEqual => {
            equal(left, right) || order(left, right) == Some(Ordering::Greater)
        }
        Comparison::LessOrEqual => equal(left, right) || order(left, right) == Some(Ordering::Less),
    }
}

/// Kinds that differ are compared as numbers; arrays and objects are equal only
/// to themselves.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::String(left), Value::String(right)) => equal_ignoring_case(left, right),
        (Value::Array(left), Value::Array(right)) => Arc::ptr_eq(left, right),
        (Value::Object(left), Value::Object(right)) => Arc::ptr_eq(left, right),
        _ => left.to_number() == right.to_number(),
    }
}

/// None where neither is smaller, and null against null too.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Null, Value::Null) => None,
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::String(left), Value::String(right)) => Some(compare_ignoring_case(left, right)),
        _ => left.to_number().partial_cmp(&right.to_number()),
    }
}
