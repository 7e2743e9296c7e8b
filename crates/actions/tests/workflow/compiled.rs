//! Compiles a text, and shows a plan in a few words.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tappet_actions::Value;
use tappet_actions::workflow::{self, RunContexts, WorkflowFile};
use tappet_model::plan::{Plan, PlannedJob};
use tappet_model::workflow_job::WorkflowJob;

/// The contexts of a push to `main`.
pub fn contexts() -> RunContexts {
    let github = json!({
        "event_name": "push",
        "ref": "refs/heads/main",
        "ref_name": "main",
        "repository": "acme/web",
        "run_number": 7,
        "event": {"head_commit": {"message": "Fix it"}},
    });
    RunContexts {
        github: Value::from(github),
        inputs: Value::from(json!({"level": "high", "dry": false})),
        vars: Value::from(json!({"REGION": "eu"})),
    }
}

/// A file of a run.
pub fn file(name: &str, text: &str) -> WorkflowFile {
    WorkflowFile {
        path: Some(format!(".depot/workflows/{name}")),
        file: name.to_owned(),
        workflow: workflow::parse(text).map(Arc::new),
        contexts: contexts(),
    }
}

/// The plan of one text.
pub fn compile(text: &str) -> Plan {
    compile_job(text, None)
}

/// The plan of one text, of which one job was asked for.
pub fn compile_job(text: &str, job: Option<&str>) -> Plan {
    workflow::compile(&[file("ci.yml", text)], job).expect("the job is there")
}

/// The plan of a text without errors.
pub fn plan(text: &str) -> Plan {
    let plan = compile(text);
    assert_eq!(plan.workflows[0].error, None);
    plan
}

/// The plan of jobs without errors.
pub fn plan_of_jobs(jobs: &str) -> Plan {
    plan(&format!("on: push\njobs:\n{jobs}"))
}

/// Every problem of a text, one a line.
pub fn errors(text: &str) -> String {
    compile(text).workflows[0]
        .error
        .clone()
        .expect("the text has errors")
}

/// What makes a planned job a workflow's.
pub fn workflow_job(job: &PlannedJob) -> &WorkflowJob {
    job.spec
        .workflow_job
        .as_deref()
        .expect("it is of a workflow")
}

/// Name, when and needs of each job.
pub fn outline(plan: &Plan) -> Vec<String> {
    plan.jobs
        .iter()
        .map(|job| {
            let needs: Vec<&str> = job
                .needs
                .iter()
                .flatten()
                .map(|need| plan.jobs[need.job].name.as_str())
                .collect();
            format!("{} {:?} after {needs:?}", job.name, job.when)
        })
        .collect()
}

/// The matrix of each job.
pub fn matrices(plan: &Plan) -> Vec<Json> {
    plan.jobs
        .iter()
        .map(|job| workflow_job(job).matrix.clone())
        .collect()
}
