//! Workflows that were read before, by content: scripts send the same text again
//! and again, and all runs of a commit read the same files.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tappet_actions::workflow::{self, Workflow};
use tappet_model::Diagnostic;
use tappet_model::plan::JobSpec;
use tappet_store::SharedSpec;

/// Texts kept in memory.
const CAPACITY: usize = 64;

/// Longer ones are read anew.
const LONGEST_KEPT: usize = 256 * 1024;

type Outcome = Result<Arc<Workflow>, Vec<Diagnostic>>;

/// Read workflows by the digest of their text, newest last.
#[derive(Default)]
pub struct ParsedWorkflows(Mutex<VecDeque<([u8; 32], Outcome)>>);

impl ParsedWorkflows {
    /// The workflow of this text; errors are remembered like successes.
    pub fn get(&self, bytes: &[u8]) -> Outcome {
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        if let Some(found) = self.find(&digest) {
            return found;
        }
        let outcome = match std::str::from_utf8(bytes) {
            Ok(text) => workflow::parse(text).map(Arc::new),
            Err(error) => Err(vec![Diagnostic::whole_file(format!(
                "the workflow is not valid UTF-8 (byte {})",
                error.valid_up_to()
            ))]),
        };
        if bytes.len() <= LONGEST_KEPT {
            let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if entries.len() >= CAPACITY {
                entries.pop_front();
            }
            entries.push_back((digest, outcome.clone()));
        }
        outcome
    }

    fn find(&self, digest: &[u8; 32]) -> Option<Outcome> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = entries.iter().rev().find(|(known, _)| known == digest);
        found.map(|(_, outcome)| outcome.clone())
    }
}

/// The stored form of a job's specification.
pub fn shared_spec(spec: &JobSpec) -> SharedSpec {
    let json = serde_json::to_string(spec).expect("a job specification is plain data");
    SharedSpec {
        digest: Sha256::digest(json.as_bytes()).into(),
        json: json.into(),
    }
}
