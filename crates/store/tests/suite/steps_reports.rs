//! What the steps of attempts led to.

use tappet_model::steps_payload::{StepOutcome, StepResult};
use tappet_store::*;

use crate::world::{World, failure, job, workflows};

fn report() -> KeptStepsReport {
    KeptStepsReport {
        sealed_outputs: Some(vec![1]),
        summary: "# Passed".to_owned(),
        summary_steps: 1,
        steps: vec![StepResult {
            key: "__run".to_owned(),
            id: None,
            name: "Run make".to_owned(),
            outcome: StepOutcome::Failure,
            conclusion: StepOutcome::Failure,
        }],
        error_message: Some("Step 1 (Run make): exit code 2".to_owned()),
    }
}

#[tokio::test]
async fn a_report_is_kept_once() {
    let world = World::new().await;
    let jobs = [job("build").steps()];
    let run = world
        .create_workflows(workflows(&["ci.yml"], &[], &jobs))
        .await
        .run;
    let id = world.take_steps().await.attempt.id;
    assert_eq!(world.store.steps_report(id).await.unwrap(), None);
    world.store.record_steps_report(id, report()).await.unwrap();
    let again = KeptStepsReport::default();
    world.store.record_steps_report(id, again).await.unwrap();
    world.job_event(id, failure()).await.unwrap();
    let world = world.reopen();
    assert_eq!(world.store.steps_report(id).await.unwrap(), Some(report()));
    let attempts = world.store.run_attempts(run.id).await.unwrap();
    assert_eq!(attempts[0].error_message, report().error_message);
}

#[tokio::test]
async fn a_report_of_no_attempt_is_refused() {
    let world = World::new().await;
    let id = tappet_model::AttemptId(9);
    let refused = world.store.record_steps_report(id, report()).await;
    assert!(matches!(refused, Err(StoreError::NotFound("attempt"))));
}

#[tokio::test]
async fn an_erased_attempt_has_no_report() {
    let world = World::new().await;
    let jobs = [job("build").steps()];
    world
        .create_workflows(workflows(&["ci.yml"], &[], &jobs))
        .await;
    let id = world.take_steps().await.attempt.id;
    world.store.record_steps_report(id, report()).await.unwrap();
    world.store.erase_attempt(id, world.now()).await.unwrap();
    assert_eq!(world.store.steps_report(id).await.unwrap(), None);
}
