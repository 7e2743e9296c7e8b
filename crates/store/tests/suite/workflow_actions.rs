//! Canceling and repeating one workflow of a run.

use rstest::rstest;
use tappet_engine::{JobEvent, Refused, RunEvent, StageEvent};
use tappet_model::{Status, WorkflowId};
use tappet_store::*;

use crate::world::{World, failure, job, workflows};

impl World {
    async fn workflow_event(&self, id: WorkflowId, event: StageEvent) -> StoreResult<Advance> {
        let target = Target::Workflow(id);
        self.store
            .act(target, Action::Workflow(event), self.now())
            .await
    }

    /// A run of two workflows: the first has failed, the second waits for a runner.
    async fn half_failed(&self) -> Run {
        let jobs = [
            job("build").steps(),
            job("test").decided(&[0]),
            job("docs").steps().stage(1),
        ];
        let workflow = workflows(&["ci.yml", "docs.yml"], &[], &jobs);
        self.create_workflows(workflow).await;
        let build = self.take_steps().await.attempt.id;
        let advance = self.job_event(build, failure()).await.unwrap();
        let test = advance.changed.last().unwrap().id;
        self.job_event(test, JobEvent::Skip).await.unwrap().run
    }

    /// Status of each execution of a workflow, and whether it ended.
    async fn executions(&self, id: WorkflowId) -> Vec<(u32, &'static str, bool)> {
        let executions = self.store.workflow_executions(id).await.unwrap();
        executions
            .into_iter()
            .map(|one| (one.number, one.status.as_str(), one.finished_at.is_some()))
            .collect()
    }
}

#[tokio::test]
async fn a_canceled_workflow_leaves_the_others_alone() {
    let world = World::new().await;
    let run = world.half_failed().await;
    let docs = WorkflowId(run.workflow_id.0 + 1);
    let advance = world
        .workflow_event(docs, StageEvent::Cancel)
        .await
        .unwrap();
    assert_eq!(advance.changed.len(), 1);
    assert_eq!(advance.changed[0].status, Status::Canceled);
    assert_eq!(advance.run.status, Status::Failed);
    let found = world.store.workflow(docs).await.unwrap().unwrap();
    assert_eq!(found.status, Status::Canceled);
    assert!(found.finished_at.is_some());
}

#[rstest]
#[case(StageEvent::Retry)]
#[case(StageEvent::Rerun)]
#[tokio::test]
async fn a_repeated_workflow_is_executed_once_more(#[case] event: StageEvent) {
    let world = World::new().await;
    let run = world.half_failed().await;
    let first = run.workflow_id;
    let ended = world.store.workflow(first).await.unwrap().unwrap();
    world.workflow_event(first, event).await.unwrap();
    let again = world.store.workflow(first).await.unwrap().unwrap();
    assert_eq!(again.status, Status::Pending);
    assert_eq!(again.execution, 2);
    assert!(again.created_at > ended.created_at);
    assert_eq!((again.started_at, again.finished_at), (None, None));
    let executions = world.store.workflow_executions(first).await.unwrap();
    assert_eq!(
        executions[0],
        WorkflowExecution {
            number: 1,
            status: Status::Failed,
            created_at: ended.created_at,
            started_at: ended.started_at,
            finished_at: ended.finished_at,
        }
    );
    let world = world.reopen();
    world.run_steps().await;
    world.run_steps().await;
    let expected = [(1, "failed", true), (2, "running", false)];
    assert_eq!(world.executions(first).await, expected);
    let other = WorkflowId(first.0 + 1);
    assert_eq!(world.executions(other).await, [(1, "success", true)]);
}

#[tokio::test]
async fn a_retry_of_the_run_executes_what_was_over_and_wrong_once_more() {
    let world = World::new().await;
    let run = world.half_failed().await;
    world.run_event(run.id, RunEvent::Retry).await.unwrap();
    let expected = [(1, "failed", true), (2, "pending", false)];
    assert_eq!(world.executions(run.workflow_id).await, expected);
    let other = WorkflowId(run.workflow_id.0 + 1);
    assert_eq!(world.executions(other).await, [(1, "pending", false)]);
}

#[tokio::test]
async fn a_retried_job_belongs_to_the_execution_that_it_failed_in() {
    let world = World::new().await;
    let run = world.half_failed().await;
    let attempts = world.store.run_attempts(run.id).await.unwrap();
    world
        .job_event(attempts[0].id, JobEvent::Retry)
        .await
        .unwrap();
    let expected = [(1, "running", false)];
    assert_eq!(world.executions(run.workflow_id).await, expected);
}

#[tokio::test]
async fn a_workflow_that_runs_is_not_repeated() {
    let world = World::new().await;
    let run = world.half_failed().await;
    let docs = WorkflowId(run.workflow_id.0 + 1);
    let refused = world.workflow_event(docs, StageEvent::Rerun).await;
    assert!(matches!(
        refused,
        Err(StoreError::Refused(Refused::NotOver))
    ));
    assert_eq!(world.executions(docs).await, [(1, "pending", false)]);
    let unknown = world
        .workflow_event(WorkflowId(99), StageEvent::Cancel)
        .await;
    assert!(matches!(unknown, Err(StoreError::NotFound("workflow"))));
}

#[tokio::test]
async fn a_pipeline_is_canceled_and_repeated_as_a_whole() {
    let world = World::new().await;
    let jobs = [job("build"), job("test").stage(1)];
    let run = world.create(&jobs).await.run;
    let id = run.workflow_id;
    let canceled = world.workflow_event(id, StageEvent::Cancel).await.unwrap();
    assert_eq!(canceled.run.status, Status::Canceled);
    world.workflow_event(id, StageEvent::Rerun).await.unwrap();
    let statuses = world.statuses(run.id).await;
    let statuses: Vec<&str> = statuses.iter().map(|(_, status)| *status).collect();
    assert_eq!(statuses, ["pending", "created"]);
}
