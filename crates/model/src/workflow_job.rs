//! A job of a workflow in GitHub Actions syntax as compiled: steps instead of
//! a script. Texts keep their `${{ }}`, because what they ask for is known only
//! while the job runs.

use serde::{Deserialize, Serialize};

/// What makes a job of a workflow more than a script.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct WorkflowJob {
    /// Its id in the file: `build`.
    pub key: String,
    /// Which leg of its matrix, from 0; `None` without a matrix.
    #[serde(default)]
    pub leg: Option<usize>,
    /// `if` as written; judged once the jobs in `needs` are over.
    #[serde(default)]
    pub condition: Option<String>,
    /// The job as its compiler reads it, while its matrix, name or labels wait
    /// for the jobs in `needs`; then everything below is still empty.
    #[serde(default)]
    pub unresolved: Option<serde_json::Value>,
    /// The `matrix` context: the values of this leg, or null.
    #[serde(default)]
    pub matrix: serde_json::Value,
    /// The `strategy` context: `fail-fast`, `job-index`, `job-total`, `max-parallel`.
    #[serde(default)]
    pub strategy: serde_json::Value,
    /// `env` of the workflow, then of the job; later ones win.
    #[serde(default)]
    pub env: Vec<Setting>,
    /// What later jobs may read.
    #[serde(default)]
    pub outputs: Vec<Setting>,
    /// In order.
    #[serde(default)]
    pub steps: Vec<WorkflowStep>,
}

/// A named text that may hold `${{ }}`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Setting {
    /// As written.
    pub name: String,
    /// As written; scalars of other types as their text.
    pub value: String,
}

/// One step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WorkflowStep {
    /// Unique in the job and the same in every run of the file: the id, or one
    /// made up like GitHub's (`__run`, `__run_2`, `__actions_checkout`).
    pub key: String,
    /// `id` as written.
    #[serde(default)]
    pub id: Option<String>,
    /// `name` as written.
    #[serde(default)]
    pub name: Option<String>,
    /// `if` as written.
    #[serde(default)]
    pub condition: Option<String>,
    /// `env`.
    #[serde(default)]
    pub env: Vec<Setting>,
    /// `continue-on-error` as written.
    #[serde(default)]
    pub continue_on_error: Option<String>,
    /// `timeout-minutes` as written.
    #[serde(default)]
    pub timeout_minutes: Option<String>,
    /// Where it begins in its file, from 1.
    pub line: usize,
    /// What it does.
    pub action: StepAction,
}

/// What a step does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepAction {
    /// `run`.
    Run {
        /// The script.
        script: String,
        /// `shell` of the step or of the defaults, as written.
        shell: Option<String>,
        /// `working-directory` of the step or of the defaults, as written.
        working_directory: Option<String>,
    },
    /// `uses`.
    Uses {
        /// What.
        action: UsedAction,
        /// `with`.
        with: Vec<Setting>,
    },
    /// The caller's local changes: the step that the Depot CLI puts behind a
    /// checkout, done by the runner itself.
    ApplyPatch {
        /// Key of the cache entry: `patch/<base>/<digest>`.
        cache_key: String,
    },
}

/// The actions that Tappet runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsedAction {
    /// `actions/checkout`.
    Checkout,
    /// `actions/upload-artifact`.
    UploadArtifact,
    /// `actions/download-artifact`.
    DownloadArtifact,
    /// `./path` in the workspace: a composite action.
    Local(String),
}
