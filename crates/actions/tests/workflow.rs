//! Workflow files in, plans and errors out.

#[path = "workflow/actions.rs"]
mod actions;
#[path = "workflow/compiled.rs"]
mod compiled;
#[path = "workflow/decisions.rs"]
mod decisions;
#[path = "workflow/errors.rs"]
mod errors;
#[path = "workflow/inputs.rs"]
mod inputs;
#[path = "workflow/plans.rs"]
mod plans;
#[path = "workflow/triggers.rs"]
mod triggers;
