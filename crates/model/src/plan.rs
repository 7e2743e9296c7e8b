//! A compiled workflow: jobs, needs, conditions and scripts, with no I/O left
//! in it. The compilers write it, the engine and the store read it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::workflow_job::WorkflowJob;
use crate::{Diagnostic, Environment, FailureReason, Variable};

/// What the files of a run turned into for one event: one `.gitlab-ci.yml`, or
/// any number of workflows in GitHub Actions syntax.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Plan {
    /// The run's name (`workflow:name`).
    pub name: Option<String>,
    /// Stages that have jobs, in order; with workflows one each, named after it.
    pub stages: Vec<String>,
    /// The workflows, parallel to `stages`; empty for a `.gitlab-ci.yml`.
    pub workflows: Vec<PlannedWorkflow>,
    /// Jobs that came of one matrix, by [`PlannedJob::group`].
    pub groups: Vec<JobGroup>,
    /// Jobs in stage order, inside a stage in file order.
    pub jobs: Vec<PlannedJob>,
    /// Jobs that rules left out, with the reason.
    pub left_out: Vec<LeftOut>,
    /// What the author should know although the file is valid.
    pub warnings: Vec<Diagnostic>,
}

/// One workflow of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PlannedWorkflow {
    /// From the root of the repository; `None` when its text came with the call.
    pub path: Option<String>,
    /// The first part of its job keys: `ci.yml`, `_inline_0.yaml`.
    pub file: String,
    /// `name` of the file.
    pub name: Option<String>,
    /// Why it has no jobs: each problem on a line, with line and column. The run
    /// fails on account of it.
    pub error: Option<String>,
}

/// What the legs of a matrix share.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct JobGroup {
    /// The first leg that fails, and may not, cancels the others.
    pub fail_fast: bool,
    /// So many at a time; `None`: as many as there are runners.
    pub max_parallel: Option<u32>,
}

/// A job that is not part of the run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// The rule that decided it, in words.
    pub reason: String,
}

/// One job of a plan.
#[derive(Clone, PartialEq, Debug)]
pub struct PlannedJob {
    /// Unique in its workflow, which is the plan for a `.gitlab-ci.yml`.
    pub name: String,
    /// Index into [`Plan::stages`].
    pub stage: usize,
    /// On which outcome of earlier jobs it starts.
    pub when: When,
    /// Whether its failure stops the run.
    pub allow_failure: AllowFailure,
    /// `None`: it waits for all earlier stages. `Some`: for these jobs only.
    pub needs: Option<Vec<Need>>,
    /// Index into [`Plan::groups`].
    pub group: Option<usize>,
    /// When it is repeated by itself.
    pub retry: RetryPolicy,
    /// Runner tags, expanded.
    pub tags: Vec<String>,
    /// What it works on, the name expanded.
    pub environment: Option<Environment>,
    /// What the runner does.
    pub spec: Arc<JobSpec>,
}

/// One edge of the graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Need {
    /// Index into [`Plan::jobs`].
    pub job: usize,
    /// Its artifacts are downloaded.
    pub artifacts: bool,
}

/// When a job starts, given the outcome of those before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// All went well.
    #[default]
    OnSuccess,
    /// Something failed.
    OnFailure,
    /// In any case but a cancel.
    Always,
    /// All went well and a person says go.
    Manual,
    /// All went well and a delay has passed.
    Delayed {
        /// The delay in seconds.
        start_in_s: u64,
    },
    /// What it needs is over, in whatever way; an expression then says whether it
    /// starts.
    Decided,
    /// Not in this run: it is skipped from the start.
    Never,
}

impl When {
    /// The keyword in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            When::OnSuccess => "on_success",
            When::OnFailure => "on_failure",
            When::Always => "always",
            When::Manual => "manual",
            When::Delayed { .. } => "delayed",
            // GitLab's API has no words for these two; its nearest are told.
            When::Decided => "on_success",
            When::Never => "never",
        }
    }

    /// A person may start the job with a play (GitLab: `Ci::Build#action?`).
    pub fn is_action(self) -> bool {
        matches!(self, When::Manual | When::Delayed { .. })
    }
}

/// Which failures of a job are only warnings.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowFailure {
    /// None.
    #[default]
    No,
    /// All.
    Yes,
    /// Those with one of these exit codes.
    ExitCodes(Vec<i32>),
}

/// When a failed attempt is followed by another one without anybody asking.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Attempts after the first one: 0 to 2.
    pub max: u32,
    /// Failures that count; `None`: every one.
    pub when: Option<Vec<FailureReason>>,
    /// Exit codes that count, whatever the reason.
    pub exit_codes: Vec<i32>,
}

/// What the runner is asked to do. Variables in it are not expanded yet: that
/// happens when the job is handed out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct JobSpec {
    /// `before_script` and `script`, one shell.
    pub script: Vec<String>,
    /// A shell of its own, after success, failure and cancel.
    #[serde(default)]
    pub after_script: Vec<String>,
    /// Root, job and rule variables; later ones win.
    #[serde(default)]
    pub variables: Vec<Variable>,
    /// Files to keep.
    #[serde(default)]
    pub artifacts: Option<ArtifactSpec>,
    /// Whose artifacts are restored first.
    #[serde(default)]
    pub artifact_sources: ArtifactSources,
    /// Time limit in seconds; `None`: the project's.
    #[serde(default)]
    pub timeout_s: Option<u64>,
    /// Its `when` is an action ([`When::is_action`]), for `CI_JOB_MANUAL`.
    #[serde(default)]
    pub manual: bool,
    /// What of the log tells the test coverage, as written: `/\d+%/`.
    #[serde(default)]
    pub coverage: Option<String>,
    /// Steps instead of a script.
    #[serde(default)]
    pub workflow_job: Option<Arc<WorkflowJob>>,
}

/// Whose artifacts a job starts with.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactSources {
    /// All jobs of earlier stages.
    #[default]
    EarlierStages,
    /// These jobs, by name.
    Jobs(Vec<String>),
}

/// `artifacts:` of a job.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ArtifactSpec {
    /// Archive name without `.zip`; `None`: `artifacts`.
    #[serde(default)]
    pub name: Option<String>,
    /// Glob patterns relative to the project.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Patterns taken out again.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Files unknown to git are kept too.
    #[serde(default)]
    pub untracked: bool,
    /// On which outcome.
    #[serde(default)]
    pub when: ArtifactWhen,
    /// How long, as the author wrote it (`1 week`, `never`).
    #[serde(default)]
    pub expire_in: Option<String>,
    /// Files that the server reads, apart from the archive.
    #[serde(default)]
    pub reports: Vec<ReportSpec>,
}

/// One kind of report of a job.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReportSpec {
    /// Which.
    pub kind: ReportKind,
    /// Glob patterns relative to the project.
    pub paths: Vec<String>,
}

/// What the server can read (GitLab: `Enums::Ci::JobArtifact`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// Test results.
    Junit,
    /// Variables for later jobs.
    Dotenv,
}

impl ReportKind {
    /// The keyword in the file, and the type of the uploaded file.
    pub fn as_str(self) -> &'static str {
        match self {
            ReportKind::Junit => "junit",
            ReportKind::Dotenv => "dotenv",
        }
    }

    /// The name under which runners upload it, before packing.
    pub fn file_name(self) -> &'static str {
        match self {
            ReportKind::Junit => "junit.xml",
            ReportKind::Dotenv => ".env",
        }
    }
}

/// On which outcome artifacts are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactWhen {
    /// The script went well.
    #[default]
    OnSuccess,
    /// The script failed.
    OnFailure,
    /// In both cases.
    Always,
}

impl ArtifactWhen {
    /// The keyword in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            ArtifactWhen::OnSuccess => "on_success",
            ArtifactWhen::OnFailure => "on_failure",
            ArtifactWhen::Always => "always",
        }
    }
}
