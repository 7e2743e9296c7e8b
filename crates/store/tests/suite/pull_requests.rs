//! Runs of pull requests: one for the same commits, a newer one in place of older
//! ones, and the lists of them.

use std::collections::HashSet;
use std::sync::Arc;

use rstest::rstest;
use tappet_engine::{JobEvent, RunEvent};
use tappet_model::{CiConfigId, FailureReason, RunId, Status};
use tappet_store::*;

use crate::world::*;

async fn replayed(world: &World, new: NewRun) -> RunId {
    match world.store.create_run(new).await.unwrap() {
        Creation::Replayed(run) => run.id,
        Creation::Created { advance, .. } => panic!("run {} was made", advance.run.id),
    }
}

async fn superseded_by(world: &World, new: NewRun) -> (RunId, Vec<Advance>) {
    match world.store.create_run(new).await.unwrap() {
        Creation::Created {
            advance,
            superseded,
        } => (advance.run.id, superseded),
        Creation::Replayed(run) => panic!("run {} existed already", run.id),
    }
}

async fn list(world: &World, filter: CiRunFilter, limit: u32, offset: u64) -> Vec<RunId> {
    let config = world.config().await;
    let runs = world.store.ci_runs(config, filter, limit, offset);
    runs.await.unwrap().iter().map(|run| run.id).collect()
}

/// Another CI config of the project.
async fn other_config(world: &World) -> CiConfigId {
    let settings = CiConfigSettings {
        name: "nightly".into(),
        ..CiConfigSettings::default()
    };
    let added = world
        .store
        .add_ci_config(world.project, settings, 10, world.now());
    added.await.unwrap().id
}

#[tokio::test]
async fn a_run_knows_its_pull_request() {
    let world = World::new().await;
    let new = world.new_pull_request_run(&[job("test")], "a1").await;
    let told = new.pull_request.clone().unwrap();
    let run = created(world.store.create_run(new).await.unwrap()).run;
    assert_eq!(run.status, Status::Pending);
    let known = world.pull_request(run.id).await;
    assert_eq!(
        known,
        PullRequestRun {
            run_id: run.id,
            config_id: told.config_id,
            project_id: world.project,
            pull_request: told.pull_request,
            is_from_forge: false,
            hold: None,
            is_overdue: false,
            is_repeated: false,
            superseded_by: None,
            diffs: None,
        }
    );
    assert_eq!(world.take().await.pull_request, Some(known));
}

#[tokio::test]
async fn other_runs_have_no_pull_request() {
    let world = World::new().await;
    let run = world.create(&[job("test")]).await.run;
    let known = world.store.pull_request_run(run.id).await;
    assert_eq!(known.unwrap(), None);
    assert_eq!(world.take().await.pull_request, None);
}

#[tokio::test]
async fn the_ref_of_a_run_of_a_pull_request_says_so() {
    let world = World::new().await;
    let mut new = world.new_pull_request_run(&[job("test")], "a1").await;
    new.ref_kind = tappet_model::RefKind::Branch;
    let refused = world.store.create_run(new).await.unwrap_err();
    assert!(matches!(refused, StoreError::Database(_)), "{refused}");
}

#[tokio::test]
async fn the_same_commits_have_one_active_run() {
    let world = World::new().await;
    let first = world.create_for("a1", None).await.id;
    let again = world.new_pull_request_run(&[job("test")], "a1").await;
    assert_eq!(replayed(&world, again).await, first);

    let attempt = world.take().await.attempt.id;
    world.job_event(attempt, JobEvent::Success).await.unwrap();
    let second = world.create_for("a1", None).await.id;
    assert_ne!(second, first);
}

#[rstest]
#[case::head(|of: &mut NewPullRequestRun| of.pull_request.head_sha = "a2".into())]
#[case::base(|of: &mut NewPullRequestRun| of.pull_request.base_sha = "b2".into())]
#[case::number(|of: &mut NewPullRequestRun| of.pull_request.number = "7".into())]
#[tokio::test]
async fn other_commits_have_a_run_of_their_own(#[case] change: fn(&mut NewPullRequestRun)) {
    let world = World::new().await;
    let first = world.create_for("a1", None).await.id;
    let mut new = world.new_pull_request_run(&[job("test")], "a1").await;
    change(new.pull_request.as_mut().unwrap());
    let second = created(world.store.create_run(new).await.unwrap()).run.id;
    assert_ne!(second, first);
}

#[tokio::test]
async fn another_config_has_a_run_of_its_own() {
    let world = World::new().await;
    let first = world.create_for("a1", None).await.id;
    let mut new = world.new_pull_request_run(&[job("test")], "a2").await;
    new.pull_request.as_mut().unwrap().config_id = other_config(&world).await;
    let (second, superseded) = superseded_by(&world, new).await;
    assert_eq!(superseded, []);

    let newest = world
        .store
        .newest_pull_request_runs(world.project, "6".into());
    let newest: Vec<_> = newest.await.unwrap();
    let ids: Vec<_> = newest.iter().map(|run| run.run_id).collect();
    assert_eq!(ids, [first, second]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_at_once_start_one_run() {
    let world = Arc::new(World::new().await);
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let new = world.new_pull_request_run(&[job("test")], "a1").await;
                world.store.create_run(new).await.unwrap()
            })
        })
        .collect();
    let mut ids = HashSet::new();
    let mut made = 0;
    for caller in callers {
        match caller.await.unwrap() {
            Creation::Created { advance, .. } => {
                made += 1;
                ids.insert(advance.run.id);
            }
            Creation::Replayed(run) => {
                ids.insert(run.id);
            }
        }
    }
    assert_eq!((made, ids.len()), (1, 1));
    assert_eq!(list(&world, CiRunFilter::default(), 100, 0).await.len(), 1);
}

#[tokio::test]
async fn a_key_that_met_an_active_run_stands_for_it() {
    let world = World::new().await;
    let first = world.create_for("a1", None).await.id;
    let keyed = async || {
        let key = IdempotencyKey {
            project_id: world.project,
            credential: "token:1".into(),
            key: "k".into(),
        };
        let mut new = world.new_pull_request_run(&[job("test")], "a1").await;
        new.idempotency = Some((key, [1; 32]));
        new
    };
    assert_eq!(replayed(&world, keyed().await).await, first);
    world.run_event(first, RunEvent::Cancel).await.unwrap();
    assert_eq!(replayed(&world, keyed().await).await, first);
}

#[tokio::test]
async fn a_newer_commit_takes_the_place_of_older_ones() {
    let world = World::new().await;
    let pending = world.create_for("a1", None).await.id;
    let mut beside = world.new_pull_request_run(&[job("test")], "a2").await;
    beside.pull_request.as_mut().unwrap().supersedes = false;
    let running = created(world.store.create_run(beside).await.unwrap())
        .run
        .id;
    world.take().await;
    let claimed = world.take().await.attempt;
    assert_eq!(claimed.run_id, running);

    let new = world.new_pull_request_run(&[job("test")], "a3").await;
    let (newest, superseded) = superseded_by(&world, new).await;
    let stand: Vec<_> = superseded
        .iter()
        .map(|advance| (advance.run.id, advance.run.status))
        .collect();
    // Both runners stop gracefully.
    assert_eq!(
        stand,
        [(running, Status::Canceling), (pending, Status::Canceling)]
    );
    for older in [pending, running] {
        assert_eq!(world.pull_request(older).await.superseded_by, Some(newest));
    }
    let active = world
        .store
        .active_pull_request_runs(world.config().await, "6".into());
    let active: Vec<_> = active.await.unwrap();
    let ids: Vec<_> = active.iter().map(|run| run.run_id).collect();
    assert_eq!(ids, [newest]);

    world
        .job_event(claimed.id, JobEvent::ForceCancel)
        .await
        .unwrap();
    let run = world.store.run(running).await.unwrap().unwrap();
    assert_eq!(run.status, Status::Canceled);
    assert_eq!(
        world.pull_request(running).await.superseded_by,
        Some(newest)
    );
}

#[tokio::test]
async fn a_commit_whose_file_is_wrong_takes_the_place_of_older_ones_too() {
    let world = World::new().await;
    let older = world.create_for("a1", None).await.id;
    let mut new = world.new_pull_request_run(&[job("test")], "a2").await;
    new.content = NewRunContent::Invalid {
        errors: "jobs config should contain at least one visible job".into(),
        reason: FailureReason::ConfigError,
    };
    new.pull_request.as_mut().unwrap().hold = Some(Hold::Approval { then_diffs_s: None });
    let (newest, superseded) = superseded_by(&world, new).await;
    assert_eq!(superseded[0].run.id, older);
    assert_eq!(superseded[0].run.status, Status::Canceled);
    let known = world.pull_request(newest).await;
    assert_eq!(known.hold, None, "what failed waits for nobody");
    let run = world.store.run(newest).await.unwrap().unwrap();
    assert_eq!(run.status, Status::Failed);
}

#[tokio::test]
async fn a_superseded_run_that_is_retried_is_one_of_its_own_again() {
    let world = World::new().await;
    let older = world.create_for("a1", None).await.id;
    world.create_for("a2", None).await;
    let known = world.pull_request(older).await;
    assert!(!known.is_repeated);
    world.run_event(older, RunEvent::Retry).await.unwrap();
    let known = world.pull_request(older).await;
    assert_eq!((known.superseded_by, known.is_repeated), (None, true));
    let again = world.new_pull_request_run(&[job("test")], "a1").await;
    assert_eq!(replayed(&world, again).await, older);
}

#[tokio::test]
async fn a_run_that_repeats_a_job_by_itself_was_not_repeated_by_hand() {
    let world = World::new().await;
    let new = world
        .new_pull_request_run(&[job("test").retry(1)], "a1")
        .await;
    let run = created(world.store.create_run(new).await.unwrap()).run.id;
    for is_repeated in [false, false, true] {
        let attempt = world.take().await.attempt.id;
        world.job_event(attempt, failure()).await.unwrap();
        if is_repeated {
            break;
        }
        assert!(!world.pull_request(run).await.is_repeated);
        if world.store.run(run).await.unwrap().unwrap().status == Status::Failed {
            world.job_event(attempt, JobEvent::Retry).await.unwrap();
        }
    }
    assert!(world.pull_request(run).await.is_repeated);
}

#[tokio::test]
async fn the_list_is_newest_first() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for head in ["a1", "a2", "a1", "a3"] {
        ids.insert(0, world.create_for(head, None).await.id);
    }
    let mut seventh = world.new_pull_request_run(&[job("test")], "a3").await;
    seventh.pull_request.as_mut().unwrap().pull_request.number = "7".into();
    let seventh = created(world.store.create_run(seventh).await.unwrap())
        .run
        .id;
    world.create(&[job("test")]).await;

    let of = |head: Option<&str>, number: Option<&str>| CiRunFilter {
        head_sha: head.map(str::to_owned),
        number: number.map(str::to_owned),
    };
    let all = [&[seventh], &*ids].concat();
    assert_eq!(list(&world, of(None, None), 100, 0).await, all);
    assert_eq!(list(&world, of(None, None), 2, 1).await, all[1..3]);
    assert_eq!(list(&world, of(None, None), 1, 9).await, []);
    assert_eq!(list(&world, of(None, Some("6")), 100, 0).await, ids);
    assert_eq!(
        list(&world, of(Some("a1"), None), 100, 0).await,
        [ids[1], ids[3]]
    );
    assert_eq!(
        list(&world, of(Some("a3"), None), 1, 0).await,
        [seventh],
        "pull requests share a head"
    );
    assert_eq!(
        list(&world, of(Some("a3"), Some("6")), 1, 0).await,
        [ids[0]]
    );
    assert_eq!(list(&world, of(Some("a2"), Some("7")), 1, 0).await, []);
}

#[tokio::test]
async fn a_line_of_the_list_says_where_the_run_stands() {
    let world = World::new().await;
    let mut new = world.new_pull_request_run(&[job("test")], "a1").await;
    let of = new.pull_request.as_mut().unwrap();
    of.is_from_forge = true;
    of.hold = Some(Hold::Approval { then_diffs_s: None });
    let mut brief = of.pull_request.clone();
    brief.details = tappet_model::PullRequestDetails::default();
    let run = created(world.store.create_run(new).await.unwrap()).run.id;
    let config = world.config().await;
    let line = async || {
        let lines = world.store.ci_runs(config, CiRunFilter::default(), 1, 0);
        lines.await.unwrap().remove(0)
    };
    assert_eq!(
        line().await,
        CiRun {
            id: run,
            pull_request: brief,
            status: Status::Created,
            is_from_forge: true,
            is_repeated: false,
            hold: Some(Hold::Approval { then_diffs_s: None }),
        }
    );
    world.run_event(run, RunEvent::Cancel).await.unwrap();
    let canceled = line().await;
    assert_eq!((canceled.status, canceled.hold), (Status::Canceled, None));
}

#[tokio::test]
async fn all_of_it_is_there_after_a_restart() {
    let world = World::new().await;
    let older = world.create_for("a1", None).await.id;
    let newest = world.create_for("a2", None).await.id;
    let before = (
        world.pull_request(older).await,
        world.pull_request(newest).await,
    );
    let world = world.reopen();
    let after = (
        world.pull_request(older).await,
        world.pull_request(newest).await,
    );
    assert_eq!(before, after);
    let again = world.new_pull_request_run(&[job("test")], "a2").await;
    assert_eq!(replayed(&world, again).await, newest);
}

#[tokio::test]
async fn a_deleted_run_is_in_no_list() {
    let world = World::new().await;
    let older = world.create_for("a1", None).await.id;
    let newest = world.create_for("a2", None).await.id;
    world.store.delete_run(newest).await.unwrap();
    let known = world.store.pull_request_run(newest).await;
    assert_eq!(known.unwrap(), None);
    assert_eq!(list(&world, CiRunFilter::default(), 9, 0).await, [older]);
}
