//! Contexts for tests: those of a push, or any.

use std::collections::BTreeMap;

use tappet_actions::scope::{FunctionRule, Scope};
use tappet_actions::{Environment, Expression, ExpressionError, SpecialFunction, Value};

/// Contexts by name in lower case. All of them may be used, and the
/// special functions of steps.
pub struct Surroundings {
    contexts: BTreeMap<String, Value>,
    failed: bool,
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
            failed: false,
        }
    }

    /// The same with one more context.
    pub fn with(mut self, name: &str, context: Value) -> Self {
        self.contexts.insert(name.to_owned(), context);
        self
    }

    /// The same after something failed.
    pub fn after_a_failure(self) -> Self {
        Self {
            failed: true,
            ..self
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
            "words": {
                "": "nameless", "1": "one", "null": 1, "true": 2, "NaN": 3, "contains": 4, "_x": 5,
            },
            "tree": {"a": {"v": 1, "w": [1, 2]}, "b": {"v": 2, "w": [3]}, "c": "leaf"},
            "lists": [[1, 2], [3, 4]],
            "nulls": [{"a": null}, {"a": 1}, {}],
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
            SpecialFunction::Always => true.into(),
            SpecialFunction::Cancelled => false.into(),
            SpecialFunction::Success => (!self.failed).into(),
            SpecialFunction::Failure => self.failed.into(),
            SpecialFunction::HashFiles => arguments[0].to_text().into(),
        })
    }
}

/// Reads and evaluates.
pub fn evaluate(expression: &str, surroundings: &Surroundings) -> Result<Value, ExpressionError> {
    Expression::parse(expression, surroundings)?.evaluate(surroundings)
}
