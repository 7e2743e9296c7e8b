//! A run as Depot shows it: workflows, their jobs, and the attempts of each.

use std::collections::HashMap;

use tappet_model::{RunId, Status, WorkflowId};
use tappet_store::{Attempt, StoreResult, Workflow};

use super::ids::Kind;
use crate::app::App;

/// One workflow with its jobs.
#[derive(Debug)]
pub struct Branch {
    /// The workflow.
    pub workflow: Workflow,
    /// Its jobs in the order of the file.
    pub jobs: Vec<Job>,
}

/// All attempts of one job, the newest last; never empty.
#[derive(Debug)]
pub struct Job(Vec<Attempt>);

impl Job {
    /// The attempt that counts.
    pub fn newest(&self) -> &Attempt {
        self.0.last().expect("a job has an attempt")
    }

    /// When it was created.
    pub fn first(&self) -> &Attempt {
        self.0.first().expect("a job has an attempt")
    }

    /// The attempts that were made. A job that is skipped has an attempt here, but
    /// nobody ever tried it.
    pub fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.0.iter().filter(|attempt| is_shown(attempt))
    }

    /// `j12`.
    pub fn id(&self) -> String {
        Kind::Job.write(self.newest().job_id)
    }
}

/// Whether an attempt is more than a place that was kept for one.
pub fn is_shown(attempt: &Attempt) -> bool {
    attempt.status != Status::Skipped || attempt.started_at.is_some()
}

/// `test.yml:test`: the file and the job's name in it.
pub fn job_key(workflow: &Workflow, attempt: &Attempt) -> String {
    match &attempt.key {
        Some(key) => key.to_string(),
        None => format!("{}:{}", workflow.file, attempt.name),
    }
}

/// The whole run.
pub async fn of_run(app: &App, run: RunId) -> StoreResult<Vec<Branch>> {
    let workflows = app.store.workflows_of_run(run).await?;
    let attempts = app.store.attempts_of_run(run).await?;
    Ok(branches(workflows, attempts))
}

/// One workflow of a run.
pub async fn of_workflow(app: &App, workflow: Workflow) -> StoreResult<Branch> {
    let mut attempts = app.store.attempts_of_run(workflow.run_id).await?;
    attempts.retain(|attempt| attempt.workflow_id == workflow.id);
    let jobs = jobs(attempts).remove(&workflow.id).unwrap_or_default();
    Ok(Branch { workflow, jobs })
}

fn branches(workflows: Vec<Workflow>, attempts: Vec<Attempt>) -> Vec<Branch> {
    let mut jobs = jobs(attempts);
    workflows
        .into_iter()
        .map(|workflow| Branch {
            jobs: jobs.remove(&workflow.id).unwrap_or_default(),
            workflow,
        })
        .collect()
}

/// The attempts of a job come one behind the other.
fn jobs(attempts: Vec<Attempt>) -> HashMap<WorkflowId, Vec<Job>> {
    let mut all: HashMap<WorkflowId, Vec<Job>> = HashMap::new();
    for attempt in attempts {
        let jobs = all.entry(attempt.workflow_id).or_default();
        match jobs.last_mut() {
            Some(job) if job.newest().job_id == attempt.job_id => job.0.push(attempt),
            _ => jobs.push(Job(vec![attempt])),
        }
    }
    all
}
