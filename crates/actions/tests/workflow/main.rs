//! Workflow files in, plans and errors out.

mod actions;
mod compiled;
mod decisions;
mod errors;
mod everyday;
mod inputs;
mod mutations;
mod plans;
mod triggers;
