//! GitHub Actions' workflow language. Pure: no I/O, no clock, no processes.
//!
//! The expression language, weakest layer first:
//!
//! - [`Value`]: null, boolean, number, text, array, object, with the coercions
//!   of the language; [`json`] reads and prints them.
//! - [`Expression::parse`] reads what stands between `${{` and `}}` under a
//!   [`Scope`] (which contexts and special functions that place may use; the
//!   places of a workflow are the constants in [`scope`]). An unknown name is
//!   refused here, with its position. [`Expression::uses`] tells what occurs.
//! - [`Expression::evaluate`] asks an [`Environment`] for contexts and for the
//!   special functions (`success()`, `hashFiles()` …).
//! - [`Template`]: text with `${{ }}` in it; a text that is one expression
//!   keeps that expression's type.
//! - [`Condition`]: an `if:`, with or without `${{ }}`, with the implied
//!   `success()`.
//!
//! Workflow files, in [`workflow`]:
//!
//! - [`workflow::parse`] reads and checks a file; the result depends on its
//!   text alone and may be cached.
//! - [`workflow::compile`] turns the workflows of a run into its `Plan`.
//! - [`workflow::decide`] judges a job whose needs are over, and expands one
//!   whose matrix, name or labels waited for them.
//! - [`workflow::dispatch_inputs`] and [`workflow::default_inputs`] make the
//!   `inputs` of a run; [`workflow::Triggers::matches`] tells whether an event
//!   starts a workflow.
//!
//! [`action::parse`] reads the `action.yml` of a composite action.

pub mod action;
pub mod condition;
pub mod expression;
pub mod json;
mod source;
pub mod step;
pub mod template;
pub mod value;
pub mod workflow;

pub use condition::Condition;
pub use expression::{
    Environment, Expression, ExpressionError, SpecialFunction, Use, scope, scope::Scope,
};
pub use template::Template;
pub use value::{Array, Object, Value};
