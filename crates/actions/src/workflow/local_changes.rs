//! A caller's local changes in jobs whose file says nothing of them: they go on
//! top of the commit right behind the first checkout.

use std::sync::Arc;

use serde::Deserialize;
use tappet_model::plan::Plan;
use tappet_model::workflow_job::{StepAction, UsedAction, WorkflowJob, WorkflowStep};

use crate::workflow::job::Job;

/// Puts the changes behind the first checkout of each job that does not bring them
/// itself, as the Depot CLI does in what it sends.
pub fn with_local_changes(plan: &mut Plan, cache_key: &str) {
    for planned in &mut plan.jobs {
        let spec = Arc::make_mut(&mut planned.spec);
        if let Some(job) = &mut spec.workflow_job {
            patch_job(Arc::make_mut(job), cache_key);
        }
    }
}

/// A job that waits for its shape has its steps in what is stored of it.
fn patch_job(job: &mut WorkflowJob, cache_key: &str) {
    patch_steps(&mut job.steps, cache_key);
    if let Some(stored) = &mut job.unresolved
        && let Ok(mut written) = Job::deserialize(&*stored)
    {
        patch_steps(&mut written.steps, cache_key);
        *stored = written.to_json();
    }
}

fn patch_steps(steps: &mut Vec<WorkflowStep>, cache_key: &str) {
    let brings_them = |step: &WorkflowStep| matches!(step.action, StepAction::ApplyPatch { .. });
    let checks_out = |step: &WorkflowStep| {
        matches!(
            step.action,
            StepAction::Uses {
                action: UsedAction::Checkout,
                ..
            }
        )
    };
    if steps.iter().any(brings_them) {
        return;
    }
    let Some(checkout) = steps.iter().position(checks_out) else {
        return;
    };
    let step = WorkflowStep {
        key: "__apply_patch".to_owned(),
        id: None,
        name: Some("Apply local changes".to_owned()),
        condition: steps[checkout].condition.clone(),
        env: Vec::new(),
        continue_on_error: None,
        timeout_minutes: None,
        line: steps[checkout].line,
        action: StepAction::ApplyPatch {
            cache_key: cache_key.to_owned(),
        },
    };
    steps.insert(checkout + 1, step);
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::workflow::{RunContexts, WorkflowFile, compile, parse};

    fn actions(steps: &str) -> Vec<String> {
        let text =
            format!("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: {steps}\n");
        let file = WorkflowFile {
            path: None,
            file: "ci.yml".to_owned(),
            workflow: parse(&text).map(Arc::new),
            contexts: RunContexts::default(),
        };
        let mut plan = compile(&[file], None).expect("no job was asked for");
        with_local_changes(&mut plan, "patch/a/b");
        let job = plan.jobs[0].spec.workflow_job.clone();
        let steps = job.expect("it has steps").steps.clone();
        steps.into_iter().map(|step| step.key).collect()
    }

    #[test]
    fn a_job_that_waits_for_its_matrix_gets_them_too() {
        let text = "on: push
jobs:
  a: {runs-on: x}
  b:
    runs-on: x
    needs: a
    strategy: {matrix: {v: '${{ fromJSON(needs.a.outputs.v) }}'}}
    steps: [{uses: actions/checkout@v4}]
";
        let file = WorkflowFile {
            path: None,
            file: "ci.yml".to_owned(),
            workflow: parse(text).map(Arc::new),
            contexts: RunContexts::default(),
        };
        let mut plan = compile(&[file], None).expect("no job was asked for");
        with_local_changes(&mut plan, "patch/a/b");
        let job = plan.jobs[1].spec.workflow_job.clone();
        let stored = job.and_then(|job| job.unresolved.clone());
        let stored = stored.expect("its matrix is not known yet").to_string();
        assert!(stored.contains("patch/a/b"), "{stored}");
    }

    #[rstest]
    #[case::behind_the_first_checkout(
        "[{run: a}, {uses: actions/checkout@v4}, {uses: actions/checkout@v4}]",
        &["__run", "__actions_checkout", "__apply_patch", "__actions_checkout_2"]
    )]
    #[case::nowhere_without_one("[{run: a}]", &["__run"])]
    fn the_changes_go(#[case] steps: &str, #[case] expected: &[&str]) {
        assert_eq!(actions(steps), expected);
    }
}
