//! An `if:` of a job or step.

use crate::expression::scope::Scope;
use crate::expression::{Environment, Expression, ExpressionError, SpecialFunction, Use};
use crate::template::Template;

/// A condition. Unless it mentions a status function it holds only when
/// `success()` does.
///
/// GitHub runner: `PipelineTemplateConverter.ConvertToIfCondition`.
#[derive(Clone, Debug)]
pub struct Condition {
    /// None when the text is blank.
    body: Option<Template>,
    implies_success: bool,
}

impl Condition {
    /// Reads a condition: an expression, or text with `${{ }}`. Text around
    /// `${{ }}` makes the whole a text, which counts as true unless it is empty.
    ///
    /// # Errors
    ///
    /// When it is no expression that `scope` allows.
    pub fn parse(text: &str, scope: &dyn Scope) -> Result<Self, ExpressionError> {
        let body = if text.trim().is_empty() {
            None
        } else if text.contains("${{") {
            Some(Template::parse(text, scope)?)
        } else {
            Some(Template::of_expression(Expression::parse(text, scope)?))
        };
        let implies_success = !body
            .iter()
            .flat_map(Template::uses)
            .any(|used| matches!(used, Use::Function { function, .. } if function.is_status()));
        Ok(Self {
            body,
            implies_success,
        })
    }

    /// What holds where no `if:` is written: `success()`.
    pub fn implied() -> Self {
        Self {
            body: None,
            implies_success: true,
        }
    }

    /// Whether it holds.
    ///
    /// # Errors
    ///
    /// When the expression has no value.
    pub fn holds(&self, environment: &dyn Environment) -> Result<bool, ExpressionError> {
        if self.implies_success && !environment.call(SpecialFunction::Success, &[])?.is_truthy() {
            return Ok(false);
        }
        match &self.body {
            Some(body) => Ok(body.evaluate(environment)?.is_truthy()),
            None => Ok(true),
        }
    }

    /// Contexts and special functions that are written in it.
    pub fn uses(&self) -> impl Iterator<Item = Use<'_>> {
        self.body.iter().flat_map(Template::uses)
    }
}
