//! Pipeline files that were parsed before, by blob id.
//!
//! A blob id names its content, so an entry is right for ever; the oldest ones
//! leave when there are too many.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tappet_engine::Graph;
use tappet_git::FileAt;
use tappet_gitlab_ci::Config;
use tappet_model::Diagnostic;
use tappet_model::plan::{JobSpec, Plan};
use tappet_store::SharedSpec;

/// Files kept in memory.
const CAPACITY: usize = 128;

type Outcome = Result<Arc<ParsedFile>, Arc<Vec<Diagnostic>>>;

/// Parsed files by blob id, newest last.
#[derive(Default)]
pub struct ParsedFiles {
    entries: Mutex<VecDeque<(String, Outcome)>>,
}

impl ParsedFiles {
    /// The parsed file; errors are remembered like successes.
    pub fn get(&self, file: &FileAt) -> Outcome {
        if let Some(found) = self.find(&file.blob) {
            return found;
        }
        let outcome = match std::str::from_utf8(&file.bytes) {
            Ok(text) => tappet_gitlab_ci::parse(text)
                .map(|config| Arc::new(ParsedFile::new(config)))
                .map_err(Arc::new),
            Err(error) => Err(Arc::new(vec![Diagnostic::whole_file(format!(
                "the pipeline file is not valid UTF-8 (byte {})",
                error.valid_up_to()
            ))])),
        };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CAPACITY {
            entries.pop_front();
        }
        entries.push_back((file.blob.clone(), outcome.clone()));
        outcome
    }

    fn find(&self, blob: &str) -> Option<Outcome> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries
            .iter()
            .rev()
            .find(|(id, _)| id == blob)
            .map(|(_, outcome)| outcome.clone())
    }
}

/// A parsed file, with what every run of it shares.
pub struct ParsedFile {
    /// For the planner.
    pub config: Config,
    /// By address, which `Shared` keeps from being used again.
    specs: Mutex<HashMap<usize, Shared>>,
    graphs: Mutex<Vec<Arc<Graph>>>,
}

struct Shared {
    _spec: Arc<JobSpec>,
    stored: SharedSpec,
}

/// Variants of one file that differ by rules; more are not worth remembering.
const VARIANTS: usize = 4096;

impl ParsedFile {
    fn new(config: Config) -> Self {
        Self {
            config,
            specs: Mutex::default(),
            graphs: Mutex::default(),
        }
    }

    /// The stored form of a job's specification.
    pub fn shared_spec(&self, spec: &Arc<JobSpec>) -> SharedSpec {
        let mut specs = self.specs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = specs.get(&Arc::as_ptr(spec).addr()) {
            return shared.stored.clone();
        }
        let json = serde_json::to_string(&**spec).expect("a job specification is plain data");
        let stored = SharedSpec {
            digest: Sha256::digest(json.as_bytes()).into(),
            json: json.into(),
        };
        if specs.len() < VARIANTS {
            let shared = Shared {
                _spec: Arc::clone(spec),
                stored: stored.clone(),
            };
            specs.insert(Arc::as_ptr(spec).addr(), shared);
        }
        stored
    }

    /// The graph of a plan; equal ones are shared.
    pub fn graph(&self, plan: &Plan) -> Arc<Graph> {
        let graph = Graph::of(plan);
        let mut graphs = self.graphs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = graphs.iter().find(|known| ***known == graph) {
            return Arc::clone(known);
        }
        let graph = Arc::new(graph);
        if graphs.len() < 16 {
            graphs.push(Arc::clone(&graph));
        }
        graph
    }
}
