//! Lists of runs: filters, orders, pages.

use rstest::rstest;
use tappet_engine::{JobEvent, RunEvent};
use tappet_model::{FailureReason, RefKind, Source, Status, Timestamp};
use tappet_store::*;

use crate::world::*;

async fn iids(world: &World, filter: RunFilter) -> Vec<i64> {
    let list = world
        .store
        .runs(world.project, filter, first_page())
        .await
        .unwrap();
    let iids: Vec<i64> = list.items.iter().map(|run| run.iid).collect();
    assert_eq!(list.total, Some(iids.len() as u64));
    assert!(!list.has_next);
    iids
}

/// 1 main success, 2 topic failed, 3 tag v1 running, 4 main canceled,
/// 5 main pending, 6 topic invalid file.
async fn six_runs() -> World {
    let world = World::new().await;
    let other = new_project("acme/other", world.user, world.now());
    let other = world.store.create_project(other).await.unwrap().id;

    world.create(&[job("test")]).await;
    let attempt = world.take().await.attempt.id;
    world.job_event(attempt, JobEvent::Success).await.unwrap();

    world
        .create_with(|new| {
            new.ref_name = "topic".into();
            new.source = Source::Web;
            new.sha = sha('b');
        })
        .await;
    let attempt = world.take().await.attempt.id;
    world.job_event(attempt, failure()).await.unwrap();

    world
        .create_with(|new| {
            new.ref_name = "v1".into();
            new.ref_kind = RefKind::Tag;
            if let NewRunContent::Planned(workflow) = &mut new.content {
                workflow.name = Some("release".into());
            }
        })
        .await;
    world.take().await;

    let run = world.create(&[job("test")]).await.run;
    world.run_event(run.id, RunEvent::Cancel).await.unwrap();

    world.create(&[job("test")]).await;
    world
        .create_with(|new| {
            new.ref_name = "topic".into();
            new.content = NewRunContent::Invalid {
                errors: "wrong".into(),
                reason: FailureReason::ConfigError,
            };
        })
        .await;
    world.create_with(|new| new.project_id = other).await;
    world
}

#[tokio::test]
async fn each_filter_finds_its_runs() {
    let world = six_runs().await;
    let all = RunFilter::default;
    let status = |status| RunFilter {
        status: Some(status),
        ..all()
    };
    let scope = |scope| RunFilter {
        scope: Some(scope),
        ..all()
    };
    let cases = [
        ("nothing asked", all(), vec![6, 5, 4, 3, 2, 1]),
        ("success", status(Status::Success), vec![1]),
        ("failed", status(Status::Failed), vec![6, 2]),
        ("running", scope(RunScope::Running), vec![3]),
        ("pending", scope(RunScope::Pending), vec![5]),
        ("finished", scope(RunScope::Finished), vec![6, 4, 2, 1]),
        ("branches", scope(RunScope::Branches), vec![6, 5]),
        ("tags", scope(RunScope::Tags), vec![3]),
        (
            "ref",
            RunFilter {
                ref_name: Some("topic".into()),
                ..all()
            },
            vec![6, 2],
        ),
        (
            "sha",
            RunFilter {
                sha: Some(sha('b').as_str().into()),
                ..all()
            },
            vec![2],
        ),
        (
            "something that is no sha",
            RunFilter {
                sha: Some("main".into()),
                ..all()
            },
            vec![],
        ),
        (
            "source",
            RunFilter {
                source: Some(Source::Web),
                ..all()
            },
            vec![2],
        ),
        (
            "name",
            RunFilter {
                name: Some("release".into()),
                ..all()
            },
            vec![3],
        ),
        (
            "username",
            RunFilter {
                username: Some("Root".into()),
                ..all()
            },
            vec![6, 5, 4, 3, 2, 1],
        ),
        (
            "unknown username",
            RunFilter {
                username: Some("nobody".into()),
                ..all()
            },
            vec![],
        ),
        (
            "invalid",
            RunFilter {
                yaml_errors: Some(true),
                ..all()
            },
            vec![6],
        ),
        (
            "valid, oldest first",
            RunFilter {
                yaml_errors: Some(false),
                ascending: true,
                ..all()
            },
            vec![1, 2, 3, 4, 5],
        ),
        (
            "ref and status",
            RunFilter {
                ref_name: Some("main".into()),
                status: Some(Status::Canceled),
                ..all()
            },
            vec![4],
        ),
        (
            "scope and ref",
            RunFilter {
                scope: Some(RunScope::Branches),
                ref_name: Some("main".into()),
                ..all()
            },
            vec![5],
        ),
        (
            "everything that no run is",
            RunFilter {
                status: Some(Status::Success),
                scope: Some(RunScope::Tags),
                source: Some(Source::Web),
                ..all()
            },
            vec![],
        ),
    ];
    for (name, filter, expected) in cases {
        assert_eq!(iids(&world, filter).await, expected, "{name}");
    }
}

#[rstest]
#[case::by_status(RunOrder::Status, true, &[4, 2, 6, 5, 3, 1])]
#[case::by_ref(RunOrder::Ref, true, &[1, 4, 5, 2, 6, 3])]
#[case::by_ref_backwards(RunOrder::Ref, false, &[3, 6, 2, 5, 4, 1])]
#[case::by_change(RunOrder::UpdatedAt, false, &[6, 5, 4, 3, 2, 1])]
#[case::by_user(RunOrder::UserId, true, &[1, 2, 3, 4, 5, 6])]
#[case::by_id(RunOrder::Id, true, &[1, 2, 3, 4, 5, 6])]
#[tokio::test]
async fn orders(#[case] order_by: RunOrder, #[case] ascending: bool, #[case] expected: &[i64]) {
    let world = six_runs().await;
    let filter = RunFilter {
        order_by,
        ascending,
        ..RunFilter::default()
    };
    assert_eq!(iids(&world, filter.clone()).await, expected);
    let only_main = RunFilter {
        ref_name: Some("main".into()),
        ..filter
    };
    let on_main: Vec<i64> = expected
        .iter()
        .copied()
        .filter(|iid| [1, 4, 5].contains(iid))
        .collect();
    assert_eq!(iids(&world, only_main).await, on_main);
}

#[tokio::test]
async fn bounds_on_times_leave_out_the_bound_itself() {
    let world = World::new().await;
    let mut times = Vec::new();
    for _ in 0..4 {
        times.push(world.create(&[job("test")]).await.run.created_at);
    }
    let between = |after: Timestamp, before: Timestamp| RunFilter {
        created_after: Some(after),
        created_before: Some(before),
        ..RunFilter::default()
    };
    assert_eq!(iids(&world, between(times[0], times[3])).await, [3, 2]);
    let changed = RunFilter {
        updated_after: Some(times[1]),
        updated_before: Some(times[3]),
        order_by: RunOrder::UpdatedAt,
        ..RunFilter::default()
    };
    assert_eq!(iids(&world, changed).await, [3]);
}

#[tokio::test]
async fn bounds_on_times_are_found_among_gaps() {
    let world = World::new().await;
    let mut runs = Vec::new();
    for _ in 0..12 {
        runs.push(world.create(&[job("test")]).await.run);
    }
    for gone in [0, 3, 4, 5, 8, 11] {
        world.store.delete_run(runs[gone].id).await.unwrap();
    }
    let left: Vec<i64> = vec![11, 10, 8, 7, 3, 2];
    for run in &runs {
        let time = run.created_at;
        for time in [Timestamp(time.0 - 1), time, Timestamp(time.0 + 1)] {
            let after = RunFilter {
                created_after: Some(time),
                ..RunFilter::default()
            };
            let before = RunFilter {
                created_before: Some(time),
                ..RunFilter::default()
            };
            let at = |iid: &i64| runs[usize::try_from(*iid).unwrap() - 1].created_at;
            let mut expected = left.clone();
            expected.retain(|iid| at(iid) > time);
            assert_eq!(iids(&world, after).await, expected);
            let mut expected = left.clone();
            expected.retain(|iid| at(iid) < time);
            assert_eq!(iids(&world, before).await, expected);
        }
    }
}

#[tokio::test]
async fn pages_cover_the_list_once() {
    let world = World::new().await;
    for _ in 0..5 {
        world.create(&[job("test")]).await;
    }
    let mut seen = Vec::new();
    for number in 1..=3 {
        let list = world
            .store
            .runs(world.project, RunFilter::default(), page(number, 2))
            .await
            .unwrap();
        assert_eq!(list.total, Some(5));
        assert_eq!(list.has_next, number < 3);
        seen.extend(list.items.iter().map(|run| run.iid));
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let beyond = world
        .store
        .runs(world.project, RunFilter::default(), page(9, 2))
        .await
        .unwrap();
    assert!(beyond.items.is_empty() && !beyond.has_next);
    assert_eq!(beyond.total, Some(5));
}

#[tokio::test]
async fn a_new_commit_takes_the_place_of_the_branch_s_newest_run() {
    let world = World::new().await;
    let branches = || RunFilter {
        scope: Some(RunScope::Branches),
        ..RunFilter::default()
    };
    world.create(&[job("test")]).await;
    world
        .create_with(|new| {
            new.ref_kind = RefKind::Tag;
        })
        .await;
    assert_eq!(iids(&world, branches()).await, [1], "a tag is no branch");
    world.create(&[job("test")]).await;
    assert_eq!(iids(&world, branches()).await, [3]);
}

#[tokio::test]
async fn bounds_on_creation_hold_with_every_other_filter() {
    let world = World::new().await;
    let mut times = Vec::new();
    for index in 0..6 {
        let run = world
            .create_with(|new| {
                if index % 2 == 0 {
                    new.ref_name = "topic".into();
                }
            })
            .await;
        times.push(run.run.created_at);
    }
    let on_topic = |after: Option<Timestamp>, before: Option<Timestamp>| RunFilter {
        ref_name: Some("topic".into()),
        status: Some(Status::Pending),
        created_after: after,
        created_before: before,
        ..RunFilter::default()
    };
    assert_eq!(iids(&world, on_topic(Some(times[0]), None)).await, [5, 3]);
    assert_eq!(iids(&world, on_topic(None, Some(times[2]))).await, [1]);
    let late = on_topic(Some(times[5]), None);
    assert_eq!(iids(&world, late).await, Vec::<i64>::new());
}

#[tokio::test]
async fn a_clock_that_was_set_back_hides_no_run() {
    let world = World::new().await;
    let wrong = world.now();
    let future = Timestamp(wrong.0 + 48 * HOUR);
    world.create_with(|new| new.now = future).await;
    let moment = world.create_with(|new| new.now = Timestamp(future.0 - SECOND));
    assert_eq!(moment.await.run.created_at, future, "moved up by a moment");
    let back = world.create(&[job("test")]).await.run.created_at;
    assert!(back < future);
    let after = |time: Timestamp| RunFilter {
        created_after: Some(time),
        ..RunFilter::default()
    };
    assert_eq!(iids(&world, after(back)).await, [2, 1]);
    assert_eq!(iids(&world, after(wrong)).await, [3, 2, 1]);
    let before = RunFilter {
        created_before: Some(future),
        ..RunFilter::default()
    };
    assert_eq!(iids(&world, before).await, [3]);
}

#[tokio::test]
async fn children_of_other_runs_are_listed_only_when_asked_for() {
    let world = World::new().await;
    world.create(&[job("test")]).await;
    let source = |source| {
        let filter = RunFilter {
            source,
            ..RunFilter::default()
        };
        iids(&world, filter)
    };
    world
        .create_with(|new| new.source = Source::ParentPipeline)
        .await;
    assert_eq!(source(None).await, [1]);
    assert_eq!(source(Some(Source::ParentPipeline)).await, [2]);
}
