//! The workflows of a run. A run of a `.gitlab-ci.yml` is one workflow, which
//! stands where the run stands.

use std::fmt;

use tappet_model::{ProjectId, RunId, Status, Timestamp, WorkflowId};

use crate::Verb;

/// One workflow of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Workflow {
    /// Id, instance-wide.
    pub id: WorkflowId,
    /// The run.
    pub run_id: RunId,
    /// The project.
    pub project_id: ProjectId,
    /// Which of the run's, from 0; for one with steps also the position of its stage.
    pub position: usize,
    /// From the root of the repository; `None` when its text came with the call.
    pub path: Option<String>,
    /// Base name of the file, which its job keys begin with.
    pub file: String,
    /// `name` of the file.
    pub name: Option<String>,
    /// Why it has no jobs: each problem on a line.
    pub error: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// Which time it is executed, from 1.
    pub execution: u32,
    /// This execution was asked for.
    pub created_at: Timestamp,
    /// The first job of this execution began.
    pub started_at: Option<Timestamp>,
    /// This execution ended.
    pub finished_at: Option<Timestamp>,
}

/// One of the times that a workflow was executed: when its run was created, and
/// whenever it was repeated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkflowExecution {
    /// From 1.
    pub number: u32,
    /// How it ended, or where it stands.
    pub status: Status,
    /// It was asked for.
    pub created_at: Timestamp,
    /// Its first job began.
    pub started_at: Option<Timestamp>,
    /// It ended.
    pub finished_at: Option<Timestamp>,
}

/// Which job of a workflow in GitHub Actions syntax an attempt belongs to; as text
/// `ci.yml:build` or, as a leg of a matrix, `ci.yml:build:matrix-0` (Depot: `job_key`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobKey {
    /// Base name of the file.
    pub file: String,
    /// Its id in the file.
    pub job: String,
    /// Which leg of its matrix, from 0.
    pub leg: Option<usize>,
}

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.job)?;
        match self.leg {
            Some(leg) => write!(f, ":matrix-{leg}"),
            None => Ok(()),
        }
    }
}

/// Workflows, one by one.
pub trait Workflows {
    /// All workflows of a run, in order.
    fn workflows_of_run(&self, run: RunId) -> Verb<'_, Vec<Workflow>>;
    /// One workflow.
    fn workflow(&self, id: WorkflowId) -> Verb<'_, Option<Workflow>>;
    /// Every time that a workflow was executed, in order; the last one is the one
    /// that [`Workflow`] tells of.
    fn workflow_executions(&self, id: WorkflowId) -> Verb<'_, Vec<WorkflowExecution>>;
}
