//! Workflow files in, plans and errors out.

#[path = "workflow/compiled.rs"]
mod compiled;
#[path = "workflow/errors.rs"]
mod errors;
#[path = "workflow/plans.rs"]
mod plans;
