//! Changes of status and what follows from them.

use rstest::rstest;
use tappet_engine::{JobEvent, RunEvent, Transition};
use tappet_model::plan::AllowFailure;
use tappet_model::{AttemptId, FailureReason, RunId, Status};
use tappet_store::*;

use crate::world::*;

#[tokio::test]
async fn a_run_goes_through_its_stages() {
    let world = World::new().await;
    let run = world
        .create(&[job("build"), job("test").stage(1), job("deploy").stage(2)])
        .await
        .run;
    for name in ["build", "test", "deploy"] {
        let attempt = world.take().await.attempt;
        assert_eq!(attempt.name, name);
        world
            .job_event(attempt.id, JobEvent::Success)
            .await
            .unwrap();
    }
    let run = world.store.run(run.id).await.unwrap().unwrap();
    assert_eq!(run.status, Status::Success);
    assert_eq!(run.finished_at, Some(run.updated_at));
    // Three jobs of two ticks of the clock each, with pauses between them.
    assert!(run.busy_micros.unwrap() >= 3 * SECOND);
    assert!(run.busy_micros.unwrap() < run.finished_at.unwrap().0 - run.started_at.unwrap().0);
    assert!(world.store.executing_attempts().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_advance_tells_what_changed() {
    let world = World::new().await;
    world
        .create(&[job("build"), job("test").stage(1).tags(&["arm"])])
        .await;
    let build = world.take().await.attempt;
    let advance = world.job_event(build.id, JobEvent::Success).await.unwrap();
    let changed: Vec<_> = advance
        .changed
        .iter()
        .map(|attempt| (attempt.name.as_str(), attempt.status, attempt.tags.len()))
        .collect();
    assert_eq!(
        changed,
        [("build", Status::Success, 0), ("test", Status::Pending, 1)]
    );
    assert_eq!(advance.run.status, Status::Running);
    assert!(matches!(
        advance.transitions[0],
        Transition::Job {
            from: Status::Running,
            to: Status::Success,
            ..
        }
    ));
}

#[tokio::test]
async fn a_failure_keeps_its_reason_and_skips_the_rest() {
    let world = World::new().await;
    let run = world
        .create(&[job("build"), job("test").stage(1)])
        .await
        .run;
    let build = world.take().await.attempt;
    let advance = world.job_event(build.id, failure()).await.unwrap();
    assert_eq!(advance.run.status, Status::Failed);
    assert_eq!(
        world.statuses(run.id).await,
        [("build".into(), "failed"), ("test".into(), "skipped")]
    );
    let build = world.store.attempt(build.id).await.unwrap().unwrap();
    assert_eq!(build.failure_reason, Some(FailureReason::ScriptFailure));
    assert_eq!(build.exit_code, Some(1));
    assert!(build.finished_at.is_some());
}

#[rstest]
#[case::of_any_kind(AllowFailure::Yes, Status::Success, true)]
#[case::of_this_code(AllowFailure::ExitCodes(vec![1]), Status::Success, true)]
#[case::of_another_code(AllowFailure::ExitCodes(vec![2]), Status::Failed, false)]
#[tokio::test]
async fn an_allowed_failure_is_a_warning(
    #[case] allowed: AllowFailure,
    #[case] status: Status,
    #[case] warns: bool,
) {
    let world = World::new().await;
    let run = world
        .create(&[job("lint").allow_failure(allowed)])
        .await
        .run;
    assert!(!run.has_warnings);
    let lint = world.take().await.attempt;
    world.job_event(lint.id, failure()).await.unwrap();
    let run = world.store.run(run.id).await.unwrap().unwrap();
    assert_eq!((run.status, run.has_warnings), (status, warns));
    let lint = world.store.attempt(lint.id).await.unwrap().unwrap();
    assert_eq!(lint.allow_failure, warns);
}

#[tokio::test]
async fn a_retry_by_policy_makes_a_new_attempt_in_the_same_step() {
    let world = World::new().await;
    let run = world.create(&[job("flaky").retry(1)]).await.run;
    let first = world.take().await.attempt;
    let advance = world.job_event(first.id, failure()).await.unwrap();
    let changed: Vec<_> = advance
        .changed
        .iter()
        .map(|attempt| (attempt.status, attempt.is_new))
        .collect();
    assert_eq!(changed, [(Status::Failed, false), (Status::Pending, true)]);

    let second = world.take().await.attempt;
    assert_eq!((second.number, second.job_id), (2, first.job_id));
    let advance = world.job_event(second.id, failure()).await.unwrap();
    assert_eq!(advance.run.status, Status::Failed, "the policy allows one");
    let first = world.store.attempt(first.id).await.unwrap().unwrap();
    assert!(first.is_retried);
    assert_eq!(first.status, Status::Failed);
    assert_eq!(world.statuses(run.id).await.len(), 1);
}

#[tokio::test]
async fn a_retry_by_hand_reopens_the_run() {
    let world = World::new().await;
    let run = world
        .create(&[job("build"), job("test").stage(1)])
        .await
        .run;
    let build = world.take().await.attempt;
    world.job_event(build.id, failure()).await.unwrap();
    let advance = world.run_event(run.id, RunEvent::Retry).await.unwrap();
    assert_eq!(advance.run.finished_at, None);
    assert_eq!(advance.run.busy_micros, None);
    for _ in 0..2 {
        let attempt = world.take().await.attempt;
        world
            .job_event(attempt.id, JobEvent::Success)
            .await
            .unwrap();
    }
    let run = world.store.run(run.id).await.unwrap().unwrap();
    assert_eq!(run.status, Status::Success);
    assert!(run.finished_at.is_some());
    // The failed attempt kept a runner busy too.
    assert!(run.busy_micros.unwrap() >= 3 * SECOND);
}

#[tokio::test]
async fn a_played_job_is_queued() {
    let world = World::new().await;
    let run = world.create(&[job("deploy").manual()]).await;
    let advance = world
        .job_event(run.changed[0].id, JobEvent::Play)
        .await
        .unwrap();
    assert_eq!(advance.changed[0].status, Status::Pending);
    assert!(world.take().await.attempt.is_manual);
}

#[rstest]
#[case::finished_twice(JobEvent::Success)]
#[case::failed_after_its_end(failure())]
#[case::played(JobEvent::Play)]
#[case::forced(JobEvent::ForceCancel)]
#[case::taken_without_a_claim(JobEvent::Run { cancels_gracefully: true })]
#[tokio::test]
async fn a_refused_act_changes_nothing(#[case] event: JobEvent) {
    let world = World::new().await;
    let run = world
        .create(&[job("build"), job("test").stage(1)])
        .await
        .run;
    let build = world.take().await.attempt;
    world.job_event(build.id, JobEvent::Success).await.unwrap();
    let before = (
        world.store.run(run.id).await.unwrap(),
        world.store.run_attempts(run.id).await.unwrap(),
        world.store.events(run.id, 0, 100).await.unwrap(),
    );
    let error = world.job_event(build.id, event).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    let after = (
        world.store.run(run.id).await.unwrap(),
        world.store.run_attempts(run.id).await.unwrap(),
        world.store.events(run.id, 0, 100).await.unwrap(),
    );
    assert_eq!(before, after);
}

#[rstest]
#[case(JobEvent::Success)]
#[case(failure())]
#[case(JobEvent::Cancel)]
#[case(JobEvent::Retry)]
#[tokio::test]
async fn an_attempt_that_was_repeated_is_closed_for_good(#[case] event: JobEvent) {
    let world = World::new().await;
    world.create(&[job("flaky").retry(1)]).await;
    let first = world.take().await.attempt;
    world.job_event(first.id, failure()).await.unwrap();
    let second = world.take().await.attempt;
    let error = world.job_event(first.id, event).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    let second = world.store.attempt(second.id).await.unwrap().unwrap();
    assert_eq!(second.status, Status::Running);
}

#[tokio::test]
async fn the_unknown_is_not_found() {
    let world = World::new().await;
    let attempt = world.job_event(AttemptId(99), JobEvent::Cancel).await;
    assert!(matches!(attempt, Err(StoreError::NotFound("attempt"))));
    let run = world.run_event(RunId(99), RunEvent::Cancel).await;
    assert!(matches!(run, Err(StoreError::NotFound("run"))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_cancel_and_finish_race_one_end_wins() {
    let world = World::new().await;
    for _ in 0..20 {
        let run = world.create(&[job("test")]).await.run;
        let attempt = world.take().await.attempt;
        let (finish, cancel) = tokio::join!(
            world.job_event(attempt.id, JobEvent::Success),
            world.run_event(run.id, RunEvent::Cancel),
        );
        let (finish, cancel) = (finish.unwrap(), cancel.unwrap());
        let run = world.store.run(run.id).await.unwrap().unwrap();
        // Finished first: the cancel finds nothing to do. Canceled first: the
        // end of the script ends the cancel.
        let expected = if cancel.changed.is_empty() {
            Status::Success
        } else {
            Status::Canceled
        };
        assert_eq!(run.status, expected);
        assert_eq!(finish.run.finished_at, run.finished_at);
        let again = world.job_event(attempt.id, JobEvent::Success).await;
        assert!(matches!(again, Err(StoreError::Refused(_))));
    }
}

#[tokio::test]
async fn a_canceled_run_leaves_nothing_in_the_queue() {
    let world = World::new().await;
    let run = world
        .create(&[job("a"), job("b"), job("c").stage(1)])
        .await
        .run;
    let advance = world.run_event(run.id, RunEvent::Cancel).await.unwrap();
    assert_eq!(advance.run.status, Status::Canceled);
    assert_eq!(advance.run.busy_micros, Some(0));
    let claim = world.any_job();
    assert!(world.store.claim(claim).await.unwrap().is_none());
}
