//! Jobs that wait until somebody decides about them.

use std::sync::Arc;

use tappet_engine::{JobEvent, Refused};
use tappet_model::plan::{AllowFailure, JobGroup, JobSpec};
use tappet_model::workflow_job::WorkflowJob;
use tappet_model::{AttemptId, Status};
use tappet_store::*;

use crate::world::{JobBuilder, World, failure, job, workflows};

/// `plan` tells what `test` is, and `report` waits for that.
fn jobs() -> [JobBuilder; 4] {
    [
        job("plan").steps(),
        job("test").decided(&[0]),
        job("report").decided(&[1]),
        job("other").steps(),
    ]
}

fn one_file(jobs: &[JobBuilder]) -> NewWorkflow {
    workflows(&["ci.yml"], &[], jobs)
}

fn leg(index: usize, tags: &[&str]) -> NewLeg {
    NewLeg {
        name: format!("test ({index})"),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        allow_failure: AllowFailure::No,
        spec: Arc::new(JobSpec {
            workflow_job: Some(Arc::new(WorkflowJob {
                key: "test".to_owned(),
                leg: Some(index),
                ..WorkflowJob::default()
            })),
            ..JobSpec::default()
        }),
    }
}

impl World {
    /// The next job with steps ends well and puts something out.
    async fn put_out(&self, sealed: &[u8]) -> AttemptId {
        let id = self.take_steps().await.attempt.id;
        let report = KeptStepsReport {
            sealed_outputs: Some(sealed.to_vec()),
            ..KeptStepsReport::default()
        };
        self.store.record_steps_report(id, report).await.unwrap();
        self.job_event(id, JobEvent::Success).await.unwrap();
        id
    }

    /// The only attempt that waits for a decision.
    async fn undecided(&self) -> AttemptId {
        let waiting = self.store.attempts_to_decide().await.unwrap();
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        waiting[0]
    }

    async fn expand(&self, legs: Vec<NewLeg>, group: Option<JobGroup>) -> Advance {
        let id = self.undecided().await;
        let now = self.now();
        self.store.expand_job(id, legs, group, now).await.unwrap()
    }
}

fn success(sealed: Option<&[u8]>) -> NeededLeg {
    NeededLeg {
        status: Status::Success,
        allow_failure: false,
        sealed_outputs: sealed.map(<[u8]>::to_vec),
    }
}

#[tokio::test]
async fn a_job_waits_for_a_decision_once_its_needs_are_over() {
    let world = World::new().await;
    world.create_workflows(one_file(&jobs())).await;
    assert_eq!(world.store.attempts_to_decide().await.unwrap(), []);
    world.put_out(&[7]).await;
    let world = world.reopen();
    let id = world.undecided().await;
    let decision = world.store.decision(id).await.unwrap().unwrap();
    assert_eq!(decision.attempt.name, "test");
    let key = &decision.spec.workflow_job.as_ref().unwrap().key;
    assert_eq!(key, "test");
    assert_eq!(
        decision.needs,
        [NeededJob {
            key: "plan".to_owned(),
            is_direct: true,
            legs: vec![success(Some(&[7]))],
        }]
    );
}

#[tokio::test]
async fn a_run_that_waits_for_a_decision_is_not_finished() {
    let world = World::new().await;
    let jobs = [job("plan").steps(), job("test").decided(&[0])];
    let run = world.create_workflows(one_file(&jobs)).await.run;
    let run = run.id;
    world.run_steps().await;
    let of_project = world.store.unfinished_runs_in(world.project).await;
    assert_eq!(of_project.unwrap(), [run]);
    let of_user = world.store.unfinished_runs_of(world.user).await;
    assert_eq!(of_user.unwrap(), [run]);
}

#[tokio::test]
async fn what_is_decided_needs_no_other_decision() {
    let world = World::new().await;
    world.create_workflows(one_file(&jobs())).await;
    world.put_out(&[7]).await;
    let id = world.undecided().await;
    world.job_event(id, JobEvent::Enqueue).await.unwrap();
    assert_eq!(world.store.attempts_to_decide().await.unwrap(), []);
    assert!(world.store.decision(id).await.unwrap().is_none());
    let late = world
        .store
        .expand_job(id, vec![leg(0, &[])], None, world.now());
    let refused = late.await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused(Refused::NotPossible)));
}

#[tokio::test]
async fn a_decision_sees_failures_and_the_needs_of_needs() {
    let world = World::new().await;
    let jobs = [
        job("plan").steps(),
        job("test").decided(&[0]).allow_failure(AllowFailure::Yes),
        job("report").decided(&[1]),
    ];
    world.create_workflows(one_file(&jobs)).await;
    world.put_out(&[7]).await;
    let test = world.undecided().await;
    world.job_event(test, JobEvent::Enqueue).await.unwrap();
    world.take_steps().await;
    world.job_event(test, failure()).await.unwrap();
    let id = world.undecided().await;
    let decision = world.store.decision(id).await.unwrap().unwrap();
    let failed = NeededLeg {
        status: Status::Failed,
        allow_failure: true,
        sealed_outputs: None,
    };
    let needed = |key: &str, is_direct, leg| NeededJob {
        key: key.to_owned(),
        is_direct,
        legs: vec![leg],
    };
    assert_eq!(
        decision.needs,
        [
            needed("test", true, failed),
            needed("plan", false, success(Some(&[7]))),
        ]
    );
}

#[tokio::test]
async fn a_waiting_job_turns_into_its_legs() {
    let world = World::new().await;
    let run = world.create_workflows(one_file(&jobs())).await.run;
    world.put_out(&[7]).await;
    let test = world.undecided().await;
    let legs = vec![leg(0, &[]), leg(1, &["docker"]), leg(2, &[])];
    let group = JobGroup {
        fail_fast: true,
        max_parallel: Some(2),
    };
    let advance = world.expand(legs, Some(group)).await;
    let changed: Vec<_> = advance
        .changed
        .iter()
        .map(|attempt| {
            let status = attempt.status.as_str();
            (attempt.name.as_str(), status, attempt.is_new)
        })
        .collect();
    assert_eq!(
        changed,
        [
            ("test (0)", "pending", false),
            ("test (1)", "pending", true),
            ("test (2)", "waiting_for_resource", true),
        ]
    );
    assert_eq!(advance.changed[0].id, test);
    let statuses = world.statuses(run.id).await;
    let names: Vec<&str> = statuses.iter().map(|(name, _)| name.as_str()).collect();
    let shown = [
        "plan", "test (0)", "test (1)", "test (2)", "report", "other",
    ];
    assert_eq!(names, shown, "legs are shown together");
    let attempts = world.store.run_attempts(run.id).await.unwrap();
    assert_eq!(attempts[2].position, 4, "the places of others stay");
    assert_eq!(attempts[2].needs, Some(vec!["plan".to_owned()]));
    assert_eq!(attempts[2].job_id.0, attempts[2].id.0);
    let needs: Vec<&str> = attempts[4]
        .needs
        .iter()
        .flatten()
        .map(String::as_str)
        .collect();
    assert_eq!(needs, ["test (0)", "test (1)", "test (2)"]);
    let key = attempts[3].key.as_ref().map(JobKey::to_string);
    assert_eq!(key.as_deref(), Some("ci.yml:test:matrix-2"));
}

#[tokio::test]
async fn followers_wait_for_all_legs_and_get_their_outputs_in_order() {
    let world = World::new().await;
    let run = world.create_workflows(one_file(&jobs())).await.run;
    world.put_out(&[7]).await;
    let group = JobGroup {
        fail_fast: false,
        max_parallel: Some(1),
    };
    world
        .expand(vec![leg(0, &[]), leg(1, &[])], Some(group))
        .await;
    world.put_out(&[10]).await;
    let world = world.reopen();
    world.run_steps().await;
    assert_eq!(world.store.attempts_to_decide().await.unwrap(), []);
    let last = world.take_steps().await;
    assert_eq!(last.attempt.name, "test (1)");
    assert_eq!(last.needs[0].legs, [success(Some(&[7]))]);
    let report = KeptStepsReport {
        sealed_outputs: Some(vec![11]),
        ..KeptStepsReport::default()
    };
    let id = last.attempt.id;
    world.store.record_steps_report(id, report).await.unwrap();
    world.job_event(id, JobEvent::Success).await.unwrap();
    let id = world.undecided().await;
    let decision = world.store.decision(id).await.unwrap().unwrap();
    let both = vec![success(Some(&[10])), success(Some(&[11]))];
    assert_eq!(decision.needs[0].legs, both);
    let advance = world.job_event(id, JobEvent::Skip).await.unwrap();
    assert_eq!(advance.run.id, run.id);
    assert_eq!(advance.run.status, Status::Success);
}

#[tokio::test]
async fn a_leg_that_fails_cancels_the_others() {
    let world = World::new().await;
    let run = world.create_workflows(one_file(&jobs())).await.run;
    world.run_steps().await;
    world.run_steps().await;
    let group = JobGroup {
        fail_fast: true,
        max_parallel: None,
    };
    world
        .expand(vec![leg(0, &[]), leg(1, &[])], Some(group))
        .await;
    let id = world.take_steps().await.attempt.id;
    world.job_event(id, failure()).await.unwrap();
    let statuses = world.statuses(run.id).await;
    let statuses: Vec<&str> = statuses.iter().map(|(_, status)| *status).collect();
    let expected = [
        "success",
        "failed",
        "canceled",
        "waiting_for_callback",
        "success",
    ];
    assert_eq!(statuses, expected);
}

#[tokio::test]
async fn a_job_without_legs_is_skipped_and_its_followers_are_decided() {
    let world = World::new().await;
    world.create_workflows(one_file(&jobs())).await;
    world.run_steps().await;
    let advance = world.expand(Vec::new(), None).await;
    let changed: Vec<_> = advance
        .changed
        .iter()
        .map(|attempt| (attempt.name.as_str(), attempt.status))
        .collect();
    let expected = [
        ("test", Status::Skipped),
        ("report", Status::WaitingForCallback),
    ];
    assert_eq!(changed, expected);
}

#[tokio::test]
async fn what_one_run_expands_another_one_of_the_same_file_does_not() {
    let world = World::new().await;
    world.create_workflows(one_file(&jobs())).await;
    world.run_steps().await;
    world.expand(vec![leg(0, &[]), leg(1, &[])], None).await;
    let other = world.create_workflows(one_file(&jobs())).await.run;
    let statuses = world.statuses(other.id).await;
    let names: Vec<&str> = statuses.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["plan", "test", "report", "other"]);
}
