//! Contexts for tests: those of a push, or any.

use std::collections::BTreeMap;

use tappet_actions::scope::{FunctionRule, Scope};
use tappet_actions::{Environment, Expression, ExpressionError, SpecialFunction, Value};

/// Contexts by name in lower case. All of them may be used, and `success()`,
/// which holds.
pub struct Surroundings {
    contexts: BTreeMap<String, Value>,
}

impl Surroundings {
    /// These contexts, as a JSON object.
    pub fn of(contexts: serde_json::Value) -> Self {
        let serde_json::Value::Object(contexts) = contexts else {
            panic!("contexts are an object");
        };
        Self {
            contexts: contexts
                .into_iter()
                .map(|(name, value)| (name.to_lowercase(), value.into()))
                .collect(),
        }
    }

    /// A push of two commits.
    pub fn of_a_push() -> Self {
        Self::of(serde_json::json!({
            "github": {
                "ref": "refs/heads/main",
                "event_name": "push",
                "a-b": "dashed",
                "event": {
                    "number": 7,
                    "commits": [
                        {"id": "c1", "author": {"name": "ann"}, "files": ["a", "b"]},
                        {"id": "c2", "author": {"name": "ben"}, "files": ["c"]},
                        {"id": "c3"},
                    ],
                },
            },
            "matrix": {"os": "linux", "version": 1.5, "list": [1, "2", null, true]},
            "empty": {"object": {}, "array": [], "text": ""},
        }))
    }
}

impl Scope for Surroundings {
    fn knows_context(&self, name: &str) -> bool {
        self.contexts.contains_key(name)
    }

    fn function(&self, name: &str) -> Option<FunctionRule> {
        tappet_actions::scope::STEP_IF.function(name)
    }
}

impl Environment for Surroundings {
    fn context(&self, name: &str) -> Option<Value> {
        self.contexts.get(name).cloned()
    }

    fn call(
        &self,
        function: SpecialFunction,
        arguments: &[Value],
    ) -> Result<Value, ExpressionError> {
        Ok(match function {
            SpecialFunction::Success | SpecialFunction::Always => true.into(),
            SpecialFunction::Failure | SpecialFunction::Cancelled => false.into(),
            SpecialFunction::HashFiles => arguments[0].to_text().into(),
        })
    }
}

/// Reads and evaluates.
pub fn evaluate(expression: &str, surroundings: &Surroundings) -> Result<Value, ExpressionError> {
    Expression::parse(expression, surroundings)?.evaluate(surroundings)
}
