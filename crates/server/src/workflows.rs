//! Runs of workflows in GitHub Actions syntax: what their expressions can ask
//! for, and the decisions that wait for the outcome of other jobs.

pub mod decisions;
pub mod event_payload;
mod facts;
mod github;
pub mod local_changes;

pub use facts::{FactsError, WorkflowFacts};
pub use github::{GithubFacts, RunIdentity, WorkflowIdentity, github};
use serde_json::{Map, Value};

/// A context that holds plain names: `vars`, `secrets`.
pub fn named_values(values: Vec<(String, String)>) -> Value {
    let values = values.into_iter();
    let values: Map<String, Value> = values
        .map(|(name, value)| (name, Value::String(value)))
        .collect();
    values.into()
}
