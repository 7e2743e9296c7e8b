//! One try of a job, and which of them are wanted.

use tappet_model::plan::When;
use tappet_model::{
    AttemptId, Environment, FailureReason, JobId, ProjectId, RunId, RunnerId, Status, Timestamp,
    WorkflowId,
};

use crate::{Artifact, JobKey};

/// One try of a job, with the job's own facts.
#[derive(Clone, PartialEq, Debug)]
pub struct Attempt {
    /// Id (GitLab: job id).
    pub id: AttemptId,
    /// The job.
    pub job_id: JobId,
    /// The run.
    pub run_id: RunId,
    /// The workflow of the run.
    pub workflow_id: WorkflowId,
    /// The project.
    pub project_id: ProjectId,
    /// Which job of a workflow in GitHub Actions syntax it is.
    pub key: Option<JobKey>,
    /// Job name, for people.
    pub name: String,
    /// Stage name.
    pub stage: String,
    /// Position of the stage.
    pub stage_index: usize,
    /// Position of the job in the run.
    pub position: usize,
    /// From 1.
    pub number: u32,
    /// A newer attempt of the job exists.
    pub is_retried: bool,
    /// Where it stands.
    pub status: Status,
    /// Its failure is a warning (exit codes considered).
    pub allow_failure: bool,
    /// A person may start the job with a play ([`When::is_action`]).
    pub is_manual: bool,
    /// On which outcome it starts.
    pub when: When,
    /// Names of the jobs it needs; `None`: stage order.
    pub needs: Option<Vec<String>>,
    /// Runner tags.
    pub tags: Vec<String>,
    /// What the job works on.
    pub environment: Option<Environment>,
    /// Why it failed.
    pub failure_reason: Option<FailureReason>,
    /// Why it failed, in words of its steps.
    pub error_message: Option<String>,
    /// Code of the failing command.
    pub exit_code: Option<i32>,
    /// Which runner.
    pub runner_id: Option<RunnerId>,
    /// When.
    pub created_at: Timestamp,
    /// Its delay ends then; only while it is scheduled.
    pub starts_at: Option<Timestamp>,
    /// Became pending.
    pub queued_at: Option<Timestamp>,
    /// A runner took it.
    pub started_at: Option<Timestamp>,
    /// Ended.
    pub finished_at: Option<Timestamp>,
    /// Log and files were erased.
    pub erased_at: Option<Timestamp>,
    /// Its log shows every variable.
    pub is_debugged: bool,
    /// Test coverage in percent, as its log says.
    pub coverage: Option<f64>,
    /// Archive, when there is one.
    pub archive: Option<Artifact>,
    /// All uploaded files.
    pub artifacts: Vec<Artifact>,
}

impl Attempt {
    /// A first attempt that was just created, for tests.
    pub fn example() -> Self {
        Self {
            id: AttemptId(15),
            job_id: JobId(15),
            run_id: RunId(7),
            workflow_id: WorkflowId(7),
            project_id: ProjectId(1),
            key: None,
            name: "test".to_owned(),
            stage: "test".to_owned(),
            stage_index: 0,
            position: 0,
            number: 1,
            is_retried: false,
            status: Status::Created,
            allow_failure: false,
            is_manual: false,
            when: When::OnSuccess,
            needs: None,
            tags: Vec::new(),
            environment: None,
            failure_reason: None,
            error_message: None,
            exit_code: None,
            runner_id: None,
            created_at: Timestamp(0),
            starts_at: None,
            queued_at: None,
            started_at: None,
            finished_at: None,
            coverage: None,
            erased_at: None,
            is_debugged: false,
            archive: None,
            artifacts: Vec::new(),
        }
    }
}

/// Which attempts of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AttemptFilter {
    /// Only these statuses; empty: all.
    pub statuses: Vec<Status>,
    /// Older attempts too.
    pub include_retried: bool,
}
