//! Runs of pull requests that wait: for pairs of tables, for an approval, or for one
//! after the other.

use rstest::rstest;
use tappet_engine::{JobEvent, RunEvent};
use tappet_model::{FailureReason, RunId, Status, Timestamp};
use tappet_store::*;

use crate::world::*;

const PAIRS: &str = r#"[{"prod":"db.users","pr":"db_pr.users"}]"#;

const AGES: Timestamp = Timestamp(i64::MAX);

fn for_diffs(world: &World) -> Option<Hold> {
    let until = Timestamp(world.now().0 + HOUR);
    Some(Hold::Diffs { until })
}

const FOR_APPROVAL: Option<Hold> = Some(Hold::Approval { then_diffs_s: None });

async fn status(world: &World, run: RunId) -> Status {
    world.store.run(run).await.unwrap().unwrap().status
}

async fn submit(world: &World, diffs: &str) -> Option<Submitted> {
    let config = world.config().await;
    let submitted = world
        .store
        .submit_diffs(config, "6".into(), diffs.into(), world.now());
    submitted.await.unwrap()
}

async fn unapproved(world: &World) -> Vec<RunId> {
    let list = world.store.unapproved_runs(world.project, first_page());
    let list = list.await.unwrap();
    assert_eq!(list.total, Some(list.items.len() as u64));
    list.items.iter().map(|run| run.run_id).collect()
}

#[tokio::test]
async fn nothing_of_a_held_run_starts() {
    let world = World::new().await;
    let hold = for_diffs(&world);
    let run = world.create_for("a1", hold).await;
    assert_eq!(run.status, Status::Created);
    assert_eq!(world.statuses(run.id).await, [("test".into(), "created")]);
    assert!(world.store.claim(world.any_job()).await.unwrap().is_none());
    assert_eq!(world.pull_request(run.id).await.hold, hold);
    // Its creation is an event like that of others.
    let events = world.store.events(run.id, 0, 10).await.unwrap();
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn a_run_without_jobs_waits_for_nobody() {
    let world = World::new().await;
    let mut new = world.new_pull_request_run(&[], "a1").await;
    new.pull_request.as_mut().unwrap().hold = for_diffs(&world);
    let run = created(world.store.create_run(new).await.unwrap()).run;
    assert_eq!(run.status, Status::Success);
    assert_eq!(world.pull_request(run.id).await.hold, None);
    assert_eq!(world.store.next_overdue_hold().await.unwrap(), None);
}

#[tokio::test]
async fn a_submission_lets_the_run_go_that_waits_for_it() {
    let world = World::new().await;
    let run = world.create_for("a1", for_diffs(&world)).await.id;
    let submitted = submit(&world, PAIRS).await.unwrap();
    assert_eq!(submitted.run_id, run);
    let released = submitted.released.unwrap();
    assert_eq!(released.run.status, Status::Pending);
    assert_eq!(released.changed[0].status, Status::Pending);
    assert_eq!(world.pull_request(run).await.hold, None);
    assert_eq!(world.store.next_overdue_hold().await.unwrap(), None);

    let assignment = world.take().await.pull_request.unwrap();
    assert_eq!(assignment.diffs.as_deref(), Some(PAIRS));
}

#[tokio::test]
async fn a_run_that_goes_already_gets_the_pairs_for_the_jobs_to_come() {
    let world = World::new().await;
    let jobs = [job("build"), job("test").stage(1)];
    let new = world.new_pull_request_run(&jobs, "a1").await;
    let run = created(world.store.create_run(new).await.unwrap()).run.id;
    let build = world.take().await;
    assert_eq!(build.pull_request.unwrap().diffs, None);
    let submitted = submit(&world, "[]").await.unwrap();
    assert_eq!((submitted.run_id, submitted.released), (run, None));
    submit(&world, PAIRS).await.unwrap();
    world
        .job_event(build.attempt.id, JobEvent::Success)
        .await
        .unwrap();
    let test = world.take().await.pull_request.unwrap();
    assert_eq!(test.diffs.as_deref(), Some(PAIRS), "the last one counts");
}

#[tokio::test]
async fn a_submission_is_for_the_newest_active_run() {
    let world = World::new().await;
    assert_eq!(submit(&world, PAIRS).await, None);
    let older = world.create_for("a1", for_diffs(&world)).await.id;
    let newer = world.create_for("a2", for_diffs(&world)).await.id;
    assert_eq!(submit(&world, PAIRS).await.unwrap().run_id, newer);
    assert_eq!(world.pull_request(older).await.diffs, None);

    let config = world.config().await;
    let other = world
        .store
        .submit_diffs(config, "7".into(), PAIRS.into(), world.now());
    assert_eq!(other.await.unwrap(), None);
    world.run_event(newer, RunEvent::Cancel).await.unwrap();
    assert_eq!(submit(&world, PAIRS).await, None);
}

#[tokio::test]
async fn an_upload_lets_the_waiting_runs_of_its_commit_go() {
    let world = World::new().await;
    let waiting = world.create_for("a1", for_diffs(&world)).await.id;
    let release = async |head: &str| {
        let config = world.config().await;
        let released = world.store.release_head(config, head.into(), world.now());
        let released: Vec<_> = released.await.unwrap();
        released.iter().map(|one| one.run.id).collect::<Vec<_>>()
    };
    assert_eq!(release("a2").await, []);
    assert_eq!(release("a1").await, [waiting]);
    assert_eq!(status(&world, waiting).await, Status::Pending);
    assert_eq!(release("a1").await, []);

    let unapproved = world.create_for("a3", FOR_APPROVAL).await.id;
    assert_eq!(release("a3").await, []);
    assert_eq!(status(&world, unapproved).await, Status::Created);
}

#[tokio::test]
async fn a_run_that_waited_for_too_long_fails() {
    let world = World::new().await;
    let jobs = [job("test").allow_failure(tappet_model::plan::AllowFailure::Yes)];
    let mut new = world.new_pull_request_run(&jobs, "a1").await;
    let until = Timestamp(world.now().0 + HOUR);
    new.pull_request.as_mut().unwrap().hold = Some(Hold::Diffs { until });
    let run = created(world.store.create_run(new).await.unwrap()).run.id;
    let next = world.store.next_overdue_hold().await.unwrap();
    assert_eq!(next, Some((run, until)));

    let early = world.store.fail_overdue_hold(run, Timestamp(until.0 - 1));
    assert_eq!(early.await.unwrap(), None);
    let failed = world.store.fail_overdue_hold(run, until).await.unwrap();
    assert_eq!(failed.unwrap().run.status, Status::Failed);
    let attempt = world.store.run_attempts(run).await.unwrap().remove(0);
    assert_eq!(
        (attempt.status, attempt.failure_reason),
        (Status::Failed, Some(FailureReason::StuckOrTimeoutFailure))
    );
    let known = world.pull_request(run).await;
    assert_eq!((known.hold, known.is_overdue), (None, true));
    assert_eq!(world.store.next_overdue_hold().await.unwrap(), None);
    let twice = world.store.fail_overdue_hold(run, AGES).await.unwrap();
    assert_eq!(twice, None);

    // Whoever repeats it does not want to wait again.
    let world = world.reopen();
    let retried = world.run_event(run, RunEvent::Retry).await.unwrap();
    assert_eq!(retried.run.status, Status::Running);
    assert!(!world.pull_request(run).await.is_overdue);
}

#[tokio::test]
async fn the_hold_that_ends_first_is_next() {
    let world = World::new().await;
    let later = Timestamp(world.now().0 + 2 * HOUR);
    let sooner = Timestamp(world.now().0 + HOUR);
    let mut ids = Vec::new();
    for (number, until) in [("6", later), ("7", sooner)] {
        let mut new = world.new_pull_request_run(&[job("test")], "a1").await;
        let of = new.pull_request.as_mut().unwrap();
        of.pull_request.number = number.into();
        of.hold = Some(Hold::Diffs { until });
        ids.push(created(world.store.create_run(new).await.unwrap()).run.id);
    }
    let next = async || world.store.next_overdue_hold().await.unwrap();
    assert_eq!(next().await, Some((ids[1], sooner)));
    world.run_event(ids[1], RunEvent::Cancel).await.unwrap();
    assert_eq!(next().await, Some((ids[0], later)));
}

#[tokio::test]
async fn a_canceled_run_that_is_retried_waits_for_pairs_no_more() {
    let world = World::new().await;
    let run = world.create_for("a1", for_diffs(&world)).await.id;
    let canceled = world.run_event(run, RunEvent::Cancel).await.unwrap();
    assert_eq!(canceled.run.status, Status::Canceled);
    let late = world.store.fail_overdue_hold(run, AGES).await.unwrap();
    assert_eq!(late, None);
    let retried = world.run_event(run, RunEvent::Retry).await.unwrap();
    assert_eq!(retried.run.status, Status::Running);
}

#[tokio::test]
async fn an_approval_lets_a_run_go() {
    let world = World::new().await;
    let run = world.create_for("a1", FOR_APPROVAL).await.id;
    assert_eq!(unapproved(&world).await, [run]);
    let approved = world.store.approve_run(run, world.now()).await.unwrap();
    assert_eq!(approved.run.status, Status::Pending);
    assert_eq!(unapproved(&world).await, []);
    world.take().await;
}

#[tokio::test]
async fn only_what_waits_for_it_can_be_approved() {
    let world = World::new().await;
    let approve = async |run| world.store.approve_run(run, world.now()).await.unwrap_err();
    let going = world.create_for("a1", None).await.id;
    assert!(matches!(approve(going).await, StoreError::Refused(_)));
    let waiting = world.create_for("a2", for_diffs(&world)).await.id;
    assert!(matches!(approve(waiting).await, StoreError::Refused(_)));
    let canceled = world.create_for("a3", FOR_APPROVAL).await.id;
    world.run_event(canceled, RunEvent::Cancel).await.unwrap();
    assert!(matches!(approve(canceled).await, StoreError::Refused(_)));
    let other = world.create(&[job("test")]).await.run.id;
    assert!(matches!(approve(other).await, StoreError::NotFound("run")));
}

#[tokio::test]
async fn nobody_gets_around_an_approval_by_repeating_the_run() {
    let world = World::new().await;
    let run = world.create_for("a1", FOR_APPROVAL).await.id;
    world.run_event(run, RunEvent::Cancel).await.unwrap();
    assert_eq!(unapproved(&world).await, []);
    let world = world.reopen();
    let retried = world.run_event(run, RunEvent::Retry).await.unwrap();
    assert_eq!(retried.run.status, Status::Created);
    assert_eq!(unapproved(&world).await, [run]);
    assert!(world.store.claim(world.any_job()).await.unwrap().is_none());
    let approved = world.store.approve_run(run, world.now()).await.unwrap();
    assert_eq!(approved.run.status, Status::Pending);
}

#[rstest]
#[case::retry(JobEvent::Retry)]
#[case::play(JobEvent::Play)]
#[case::enqueue(JobEvent::Enqueue)]
#[tokio::test]
async fn nobody_gets_around_an_approval_by_way_of_a_job(#[case] event: JobEvent) {
    let world = World::new().await;
    let jobs = [job("test"), job("deploy").manual()];
    let mut new = world.new_pull_request_run(&jobs, "a1").await;
    new.pull_request.as_mut().unwrap().hold = FOR_APPROVAL;
    let run = created(world.store.create_run(new).await.unwrap()).run.id;
    for attempt in world.store.run_attempts(run).await.unwrap() {
        let refused = world.job_event(attempt.id, event.clone()).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))));
    }
}

#[rstest]
#[case::nothing_yet(false)]
#[case::submitted_before(true)]
#[tokio::test]
async fn an_approved_run_waits_for_pairs_unless_it_has_them(#[case] is_submitted: bool) {
    let world = World::new().await;
    let hold = Hold::Approval {
        then_diffs_s: Some(60),
    };
    let run = world.create_for("a1", Some(hold)).await.id;
    if is_submitted {
        let submitted = submit(&world, PAIRS).await.unwrap();
        assert_eq!(submitted.released, None, "it is not approved yet");
    }
    let now = world.now();
    let approved = world.store.approve_run(run, now).await.unwrap();
    if is_submitted {
        assert_eq!(approved.run.status, Status::Pending);
        return;
    }
    assert_eq!(approved.run.status, Status::Created);
    let until = Timestamp(now.0 + 60 * SECOND);
    let waits = world.pull_request(run).await.hold;
    assert_eq!(waits, Some(Hold::Diffs { until }));
    assert_eq!(
        world.store.next_overdue_hold().await.unwrap(),
        Some((run, until))
    );
    assert_eq!(unapproved(&world).await, []);
    let submitted = submit(&world, PAIRS).await.unwrap();
    assert_eq!(submitted.released.unwrap().run.status, Status::Pending);
}

#[tokio::test]
async fn holds_outlive_the_process() {
    let world = World::new().await;
    let run = world.create_for("a1", for_diffs(&world)).await.id;
    let before = world.pull_request(run).await;
    let world = world.reopen();
    assert_eq!(world.pull_request(run).await, before);
    let attempt = world.store.run_attempts(run).await.unwrap()[0].id;
    let refused = world.job_event(attempt, JobEvent::Enqueue).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))));
    let released = submit(&world, PAIRS).await.unwrap().released;
    assert_eq!(released.unwrap().run.status, Status::Pending);
    let world = world.reopen();
    assert_eq!(status(&world, run).await, Status::Pending);
    world.take().await;
}
