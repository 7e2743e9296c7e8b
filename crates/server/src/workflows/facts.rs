//! What a run of workflows remembers of its beginning, encrypted beside the run,
//! because inputs may hold anything.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::intake::EVENT_CONTEXT;
use crate::secrets::Secrets;

/// What happened, as the workflows of a run see it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct WorkflowFacts {
    /// `api`, `workflow_dispatch`, `push`, `pull_request`.
    pub event_name: String,
    /// `refs/heads/main`, `refs/pull/6/merge`; empty when no ref is known.
    pub git_ref: String,
    /// The `inputs` context of each workflow, in their order.
    pub inputs: Vec<Value>,
    /// The cache entry with the caller's local changes.
    #[serde(default)]
    pub patch_key: Option<String>,
    /// The branch that a pull request comes from.
    #[serde(default)]
    pub head_ref: String,
    /// The branch that it goes to.
    #[serde(default)]
    pub base_ref: String,
    /// What `github.event` tells, beside what every event has.
    #[serde(default)]
    pub payload: Option<Value>,
}

/// Stored facts that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot decrypt what the run was started with: was secret.key replaced? restore it from a backup"
)]
pub struct FactsError;

impl WorkflowFacts {
    /// Encrypts them for the store.
    pub fn seal(&self, secrets: &Secrets) -> Vec<u8> {
        let json = serde_json::to_vec(self).expect("facts are plain data");
        secrets.seal(&json, EVENT_CONTEXT)
    }

    /// Decrypts what the store kept; runs of pipeline files have none.
    pub fn unseal(secrets: &Secrets, sealed: Option<&[u8]>) -> Result<Self, FactsError> {
        let Some(sealed) = sealed else {
            return Ok(Self::default());
        };
        let json = secrets
            .unseal(sealed, EVENT_CONTEXT)
            .map_err(|_| FactsError)?;
        serde_json::from_slice(&json).map_err(|_| FactsError)
    }

    /// The branch that the run is for.
    pub fn branch(&self) -> Option<&str> {
        self.git_ref.strip_prefix("refs/heads/")
    }

    /// The `inputs` context of the workflow at this position.
    pub fn inputs_of(&self, workflow: usize) -> Value {
        let inputs = self.inputs.get(workflow).cloned();
        inputs.unwrap_or_else(|| Value::Object(serde_json::Map::new()))
    }
}
