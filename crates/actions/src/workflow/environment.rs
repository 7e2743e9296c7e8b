//! What the expressions of a job see before it runs.

use tappet_model::steps_payload::StepOutcome;

use crate::expression::{Environment, ExpressionError, SpecialFunction};
use crate::{Object, Value};

/// The contexts of a run.
#[derive(Clone, Debug, Default)]
pub struct RunContexts {
    /// `github`, with `event`.
    pub github: Value,
    /// `inputs`.
    pub inputs: Value,
    /// `vars`.
    pub vars: Value,
}

/// A job before it runs.
#[derive(Clone)]
pub(super) struct JobEnvironment<'a> {
    pub(super) contexts: &'a RunContexts,
    pub(super) needs: Value,
    pub(super) strategy: Value,
    pub(super) matrix: Value,
    /// The results of all jobs that have to be over before it, by id.
    pub(super) ancestors: &'a [(String, StepOutcome)],
    pub(super) is_cancelled: bool,
}

impl<'a> JobEnvironment<'a> {
    /// A job that needs no other, or needs them no more.
    pub(super) fn first(contexts: &'a RunContexts) -> Self {
        Self {
            contexts,
            needs: Object::new().into(),
            strategy: Value::Null,
            matrix: Value::Null,
            ancestors: &[],
            is_cancelled: false,
        }
    }

    /// The jobs that a status function asks after; all without names.
    fn asked(&self, names: &[Value]) -> Result<Vec<StepOutcome>, ExpressionError> {
        if names.is_empty() {
            return Ok(self.ancestors.iter().map(|(_, result)| *result).collect());
        }
        names
            .iter()
            .map(|name| {
                let name = name.to_text();
                let found = self
                    .ancestors
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(&name));
                match found {
                    Some((_, result)) => Ok(*result),
                    None => Err(ExpressionError::evaluation(format!(
                        "The job '{name}' is not one that this job waits for: add it to `needs`"
                    ))),
                }
            })
            .collect()
    }
}

impl Environment for JobEnvironment<'_> {
    fn context(&self, name: &str) -> Option<Value> {
        let value = match name {
            "github" => &self.contexts.github,
            "inputs" => &self.contexts.inputs,
            "vars" => &self.contexts.vars,
            "needs" => &self.needs,
            "strategy" => &self.strategy,
            "matrix" => &self.matrix,
            _ => return None,
        };
        Some(value.clone())
    }

    fn call(
        &self,
        function: SpecialFunction,
        arguments: &[Value],
    ) -> Result<Value, ExpressionError> {
        let answer = match function {
            SpecialFunction::Always => true,
            SpecialFunction::Cancelled => self.is_cancelled,
            SpecialFunction::Success => {
                let all_went_well = self
                    .asked(arguments)?
                    .iter()
                    .all(|result| *result == StepOutcome::Success);
                all_went_well && !self.is_cancelled
            }
            SpecialFunction::Failure => self.asked(arguments)?.contains(&StepOutcome::Failure),
            SpecialFunction::HashFiles => {
                return Err(ExpressionError::evaluation(
                    "hashFiles works in steps only: there are no files before a job runs",
                ));
            }
        };
        Ok(Value::Bool(answer))
    }
}
