//! What our own runner is told of a workflow's job beyond the words of the
//! GitLab Runner protocol, and what it reports of it. Other runners are never
//! given such jobs.

use serde::{Deserialize, Serialize};

use crate::workflow_job::WorkflowJob;

/// `tappet` in the answer of `POST /jobs/request`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StepsPayload {
    /// The job as compiled.
    pub job: WorkflowJob,
    /// The contexts that the server knows, by name: `github` (with `event` and
    /// `token`), `inputs`, `vars`, `secrets`, `needs`, `strategy`, `matrix`.
    /// `env`, `steps`, `job` and `runner` are the runner's own.
    pub contexts: serde_json::Map<String, serde_json::Value>,
}

/// `tappet` in the body of the `PUT /jobs/:id` that ends a workflow's job.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct StepsReport {
    /// `outputs` of the job, evaluated, in the order of the file.
    #[serde(default)]
    pub outputs: Vec<(String, String)>,
    /// In the order in which they began; those of composite actions are not listed.
    #[serde(default)]
    pub steps: Vec<StepResult>,
    /// The summaries of its steps, joined by a blank line, secrets masked.
    #[serde(default)]
    pub summary: String,
    /// Steps with a summary.
    #[serde(default)]
    pub summary_steps: u32,
    /// Why it failed: `Step 3 (Run tests): Process completed with exit code 1.`
    #[serde(default)]
    pub error_message: Option<String>,
}

/// A named artifact of the run, as a job is told of it by
/// `GET /api/v4/jobs/:id/tappet/artifacts`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NamedArtifact {
    /// Id.
    pub id: i64,
    /// As uploaded; unique in the list: the newest of each name.
    pub name: String,
    /// Bytes of the archive.
    pub size: u64,
    /// SHA-256 of the archive, 64 hex digits.
    pub digest: String,
}

/// How one step ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StepResult {
    /// [`WorkflowStep::key`](crate::workflow_job::WorkflowStep::key).
    pub key: String,
    /// `id` as written.
    #[serde(default)]
    pub id: Option<String>,
    /// For people: the evaluated name, or `Run <first line>`.
    pub name: String,
    /// Before `continue-on-error`.
    pub outcome: StepOutcome,
    /// After `continue-on-error`.
    pub conclusion: StepOutcome,
}

/// The four words for the end of a step or job.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// Went well.
    Success,
    /// Went wrong.
    Failure,
    /// Was stopped.
    Cancelled,
    /// Its condition said no.
    Skipped,
}

impl StepOutcome {
    /// As in the contexts `steps` and `needs`.
    pub fn as_str(self) -> &'static str {
        match self {
            StepOutcome::Success => "success",
            StepOutcome::Failure => "failure",
            StepOutcome::Cancelled => "cancelled",
            StepOutcome::Skipped => "skipped",
        }
    }
}
