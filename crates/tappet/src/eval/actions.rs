//! Expressions of workflows, without the functions that need a run.

use std::sync::Arc;

use tappet_actions::json::read;
use tappet_actions::scope::FunctionRule;
use tappet_actions::{
    Environment, Expression, ExpressionError, Object, Scope, SpecialFunction, Value,
};

use super::{Answer, unreadable};
use crate::exit::Usage;

/// How deep contexts may lie in each other.
const MAX_DEPTH: usize = 512;

pub(super) fn answers(input: &str) -> Result<Vec<Answer>, Usage> {
    let Value::Array(array) = read(input, MAX_DEPTH).map_err(unreadable)? else {
        return Err(unreadable("it is no array"));
    };
    array.items.iter().enumerate().map(answer).collect()
}

fn answer((place, item): (usize, &Value)) -> Result<Answer, Usage> {
    let expression = item.get("expr");
    let Some(expression) = expression.as_str() else {
        return Err(unreadable(format_args!(
            "element {place} has no text `expr`"
        )));
    };
    let contexts = match item.get("contexts") {
        Value::Null => Arc::default(),
        Value::Object(contexts) => contexts,
        _ => {
            return Err(unreadable(format_args!(
                "`contexts` of element {place} is no object"
            )));
        }
    };
    let given = Given(contexts);
    let value = Expression::parse(expression, &given).and_then(|parsed| parsed.evaluate(&given));
    Ok(value.map_err(|error| error.to_string()))
}

/// The contexts of one expression.
struct Given(Arc<Object>);

impl Scope for Given {
    fn knows_context(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    fn function(&self, _: &str) -> Option<FunctionRule> {
        None
    }
}

impl Environment for Given {
    fn context(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }

    fn call(&self, function: SpecialFunction, _: &[Value]) -> Result<Value, ExpressionError> {
        Err(ExpressionError::evaluation(format!(
            "{}() has no answer outside of a run",
            function.name()
        )))
    }
}
