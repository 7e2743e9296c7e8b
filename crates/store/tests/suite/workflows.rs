//! Runs made of several workflows.

use tappet_engine::{JobEvent, RunEvent};
use tappet_model::{RunId, Status, WorkflowId};
use tappet_store::*;

use crate::world::{World, failure, job, with_broken, workflows};

impl World {
    /// Position and status of each workflow.
    async fn workflow_statuses(&self, run: RunId) -> Vec<(usize, &'static str)> {
        let workflows = self.store.workflows_of_run(run).await.unwrap();
        workflows
            .into_iter()
            .map(|workflow| (workflow.position, workflow.status.as_str()))
            .collect()
    }
}

fn two() -> NewWorkflow {
    let jobs = [
        job("build").steps(),
        job("test").decided(&[0]),
        job("docs").steps().stage(1),
    ];
    workflows(&["ci.yml", "docs.yml"], &[], &jobs)
}

#[tokio::test]
async fn every_workflow_of_a_run_has_a_row() {
    let world = World::new().await;
    let run = world.create_workflows(two()).await.run;
    let found = world.store.workflows_of_run(run.id).await.unwrap();
    assert_eq!(found[0].id, run.workflow_id);
    assert_eq!(found[1].id, WorkflowId(run.workflow_id.0 + 1));
    assert_eq!(
        found[1],
        Workflow {
            id: found[1].id,
            run_id: run.id,
            project_id: world.project,
            position: 1,
            path: Some(".depot/workflows/docs.yml".to_owned()),
            file: "docs.yml".to_owned(),
            name: Some("Workflow in docs.yml".to_owned()),
            error: None,
            status: Status::Pending,
            execution: 1,
            created_at: run.created_at,
            started_at: None,
            finished_at: None,
        }
    );
    let one = world.store.workflow(found[1].id).await.unwrap();
    assert_eq!(one.as_ref(), Some(&found[1]));
    assert_eq!(world.store.workflow(WorkflowId(99)).await.unwrap(), None);
}

#[tokio::test]
async fn a_workflow_stands_where_its_own_jobs_stand() {
    let world = World::new().await;
    let run = world.create_workflows(two()).await.run;
    let build = world.take_steps().await;
    world.run_steps().await;
    let statuses = [(0, "running"), (1, "success")];
    assert_eq!(world.workflow_statuses(run.id).await, statuses);
    let found = world.store.workflows_of_run(run.id).await.unwrap();
    assert_eq!(found[0].started_at, build.attempt.started_at);
    assert_eq!(found[0].finished_at, None);
    assert!(found[1].started_at > found[0].started_at);
    assert!(found[1].finished_at > found[1].started_at);
    let id = build.attempt.id;
    let advance = world.job_event(id, failure()).await.unwrap();
    assert_eq!(advance.run.status, Status::Running);
}

#[tokio::test]
async fn workflows_go_on_where_they_stood_after_a_restart() {
    let world = World::new().await;
    let run = world.create_workflows(two()).await.run;
    world.run_steps().await;
    let before = world.store.workflows_of_run(run.id).await.unwrap();
    let world = world.reopen();
    world.run_steps().await;
    let after = world.store.workflows_of_run(run.id).await.unwrap();
    assert_eq!(after[0], before[0]);
    assert_eq!(after[1].status, Status::Success);
}

#[tokio::test]
async fn attempts_know_their_workflow_and_their_key() {
    let world = World::new().await;
    let jobs = [job("build").steps(), job("lint").steps().stage(1).leg(0, 1)];
    let workflow = workflows(&["ci.yml", "lint.yml"], &[Default::default()], &jobs);
    let run = world.create_workflows(workflow).await.run;
    let attempts = world.store.run_attempts(run.id).await.unwrap();
    let facts: Vec<_> = attempts
        .iter()
        .map(|attempt| {
            let key = attempt.key.as_ref().map(JobKey::to_string);
            (attempt.workflow_id.0 - run.workflow_id.0, key)
        })
        .collect();
    assert_eq!(
        facts,
        [
            (0, Some("ci.yml:build".to_owned())),
            (1, Some("lint.yml:lint:matrix-1".to_owned())),
        ]
    );
}

#[tokio::test]
async fn a_run_with_a_broken_workflow_fails_at_its_end() {
    let world = World::new().await;
    let good = workflows(&["ci.yml"], &[], &[job("build").steps()]);
    let run = world
        .create_workflows(with_broken(good, "bad.yml"))
        .await
        .run;
    assert_eq!(run.status, Status::Pending);
    let statuses = [(0, "pending"), (1, "failed")];
    assert_eq!(world.workflow_statuses(run.id).await, statuses);
    let run = world.run_steps().await.run;
    assert_eq!(run.status, Status::Failed);
    let statuses = [(0, "success"), (1, "failed")];
    assert_eq!(world.workflow_statuses(run.id).await, statuses);
    let found = world.store.workflows_of_run(run.id).await.unwrap();
    let error = found[1].error.as_deref();
    assert_eq!(error, Some("line 3, column 5: `jobs` is missing"));
}

#[tokio::test]
async fn a_run_of_broken_workflows_alone_is_kept_as_failed() {
    let world = World::new().await;
    let nothing = workflows(&[], &[], &[]);
    let run = world
        .create_workflows(with_broken(nothing, "bad.yml"))
        .await
        .run;
    assert_eq!(run.status, Status::Failed);
    assert!(run.finished_at.is_some());
    let found = world.store.workflows_of_run(run.id).await.unwrap();
    assert_eq!(found[0].id, run.workflow_id);
    assert_eq!(found[0].finished_at, Some(run.created_at));
    assert_eq!(world.store.run(run.id).await.unwrap(), Some(run));
}

#[tokio::test]
async fn a_pipeline_is_one_workflow_that_stands_where_the_run_stands() {
    let world = World::new().await;
    let run = world.create(&[job("test")]).await.run;
    world.take().await;
    let run = world.store.run(run.id).await.unwrap().unwrap();
    let found = world.store.workflows_of_run(run.id).await.unwrap();
    assert_eq!(
        found,
        [Workflow {
            id: run.workflow_id,
            run_id: run.id,
            project_id: world.project,
            position: 0,
            path: Some(".gitlab-ci.yml".to_owned()),
            file: ".gitlab-ci.yml".to_owned(),
            name: None,
            error: None,
            status: Status::Running,
            execution: 1,
            created_at: run.created_at,
            started_at: run.started_at,
            finished_at: None,
        }]
    );
}

#[tokio::test]
async fn jobs_with_steps_wait_for_a_runner_that_runs_them() {
    let world = World::new().await;
    let steps = world.create_workflows(two()).await.run;
    world.create(&[job("script")]).await;
    let pending = world.store.pending_attempts().await.unwrap();
    let has_steps: Vec<bool> = pending.iter().map(|attempt| attempt.has_steps).collect();
    assert_eq!(has_steps, [true, true, false]);
    let other = world.take().await;
    assert_eq!(other.attempt.name, "script");
    let claim = world.any_job();
    assert!(world.store.claim(claim).await.unwrap().is_none());
    assert_eq!(world.take_steps().await.run.id, steps.id);
}

#[tokio::test]
async fn the_event_goes_to_runners_with_steps_and_goes_with_the_run() {
    let world = World::new().await;
    let content = NewRunContent::Planned(Box::new(two()));
    let run = world
        .create_with(|new| {
            new.content = content;
            new.sealed_event = Some(vec![1, 2, 3]);
        })
        .await
        .run;
    assert_eq!(world.take_steps().await.sealed_event, Some(vec![1, 2, 3]));
    let sealed = |world: &World| {
        let store = world.store.clone();
        async move {
            let place = SealedPlace::RunEvents;
            store.sealed_with_other_keys(place, 7, 0, 10).await.unwrap()
        }
    };
    let value = SealedValue {
        id: run.id.0,
        sealed: vec![1, 2, 3],
    };
    assert_eq!(sealed(&world).await, [value]);
    world.store.delete_run(run.id).await.unwrap();
    assert_eq!(sealed(&world).await, []);
    assert_eq!(world.store.workflows_of_run(run.id).await.unwrap(), []);
}

#[tokio::test]
async fn a_canceled_run_leaves_no_workflow_waiting() {
    let world = World::new().await;
    let run = world.create_workflows(two()).await.run;
    let id = world.take_steps().await.attempt.id;
    world.job_event(id, JobEvent::Success).await.unwrap();
    world.run_event(run.id, RunEvent::Cancel).await.unwrap();
    let statuses = [(0, "canceled"), (1, "canceled")];
    assert_eq!(world.workflow_statuses(run.id).await, statuses);
}
