//! However a list is read, it holds what a look at every run finds.

use std::cmp::Ordering;
use std::collections::HashMap;

use rstest::rstest;
use tappet_model::{RefKind, Source, Status, Timestamp};
use tappet_store::*;

use crate::filled::filled;
use crate::world::*;

type Part = (&'static str, fn(&mut RunFilter));

/// Filters with the same first letter exclude each other.
const PARTS: [Part; 20] = [
    ("", |_| ()),
    ("status failed", |f| f.status = Some(Status::Failed)),
    ("status canceled", |f| f.status = Some(Status::Canceled)),
    ("scope finished", |f| f.scope = Some(RunScope::Finished)),
    ("scope branches", |f| f.scope = Some(RunScope::Branches)),
    ("scope tags", |f| f.scope = Some(RunScope::Tags)),
    ("ref main", |f| f.ref_name = Some("main".into())),
    ("ref branch-7", |f| f.ref_name = Some("branch-7".into())),
    ("origin push", |f| f.source = Some(Source::Push)),
    ("origin web", |f| f.source = Some(Source::Web)),
    ("who root", |f| f.username = Some("root".into())),
    ("who bob", |f| f.username = Some("bob".into())),
    ("name", |f| f.name = Some("nightly".into())),
    ("sha", |f| f.sha = Some(format!("{:040x}", 30))),
    ("yaml wrong", |f| f.yaml_errors = Some(true)),
    ("yaml right", |f| f.yaml_errors = Some(false)),
    ("updated after", |f| f.updated_after = Some(Timestamp(0))),
    ("updated before", |f| f.updated_before = Some(Timestamp(0))),
    ("created after", |f| f.created_after = Some(Timestamp(0))),
    ("created before", |f| f.created_before = Some(Timestamp(0))),
];

const ORDERS: [RunOrder; 5] = [
    RunOrder::Id,
    RunOrder::Status,
    RunOrder::Ref,
    RunOrder::UpdatedAt,
    RunOrder::UserId,
];

async fn all(world: &World) -> Vec<Run> {
    let mut runs = Vec::new();
    for number in 1.. {
        let filter = RunFilter::default();
        let list = world.store.runs(world.project, filter, page(number, 100));
        let list = list.await.unwrap();
        runs.extend(list.items);
        if !list.has_next {
            break;
        }
    }
    runs
}

/// Users by name: the first person has id 1 and bob was made next.
fn fits(run: &Run, filter: &RunFilter, newest: &HashMap<(bool, &str), i64>) -> bool {
    let is = |wanted: bool, of: bool| !wanted || of;
    let finished = [Status::Success, Status::Failed, Status::Canceled];
    let is_tag = run.ref_kind == RefKind::Tag;
    let is_newest = newest[&(is_tag, run.ref_name.as_str())] == run.id.0;
    let in_scope = match filter.scope {
        Some(RunScope::Finished) => finished.contains(&run.status),
        Some(RunScope::Branches) => run.ref_kind == RefKind::Branch && is_newest,
        Some(RunScope::Tags) => is_tag && is_newest,
        _ => true,
    };
    let root = filter.username.as_deref() == Some("root");
    let bob = filter.username.as_deref() == Some("bob");
    let user = run.user_id.unwrap().0;
    in_scope
        && filter.status.is_none_or(|status| run.status == status)
        && filter
            .ref_name
            .as_ref()
            .is_none_or(|name| run.ref_name == *name)
        && filter.source.is_none_or(|source| run.source == source)
        && is(root, user == 1)
        && is(bob, user == 2)
        && filter
            .name
            .as_ref()
            .is_none_or(|name| run.name.as_ref() == Some(name))
        && filter
            .sha
            .as_ref()
            .is_none_or(|sha| run.sha.as_str() == sha)
        && filter
            .yaml_errors
            .is_none_or(|wrong| run.yaml_errors.is_some() == wrong)
        && filter
            .updated_after
            .is_none_or(|time| run.updated_at > time)
        && filter
            .updated_before
            .is_none_or(|time| run.updated_at < time)
        && filter
            .created_after
            .is_none_or(|time| run.created_at > time)
        && filter
            .created_before
            .is_none_or(|time| run.created_at < time)
}

fn order(one: &Run, other: &Run, order: RunOrder) -> Ordering {
    match order {
        RunOrder::Id => Ordering::Equal,
        RunOrder::Status => one.status.as_str().cmp(other.status.as_str()),
        RunOrder::Ref => one.ref_name.cmp(&other.ref_name),
        RunOrder::UpdatedAt => one.updated_at.cmp(&other.updated_at),
        RunOrder::UserId => one.user_id.cmp(&other.user_id),
    }
    .then(one.id.cmp(&other.id))
}

/// Among many, totals that take long to count are left out.
#[rstest]
#[case::among_few(120, &ORDERS)]
#[case::among_many(4000, &[RunOrder::Id, RunOrder::UpdatedAt, RunOrder::Status, RunOrder::Ref])]
#[tokio::test]
async fn every_pair_of_filters_in_every_order_finds_what_fits(
    #[case] count: i64,
    #[case] orders: &[RunOrder],
) {
    let world = filled(count).await;
    let runs = all(&world).await;
    let middle = runs[runs.len() / 2].updated_at;
    let mut newest = HashMap::new();
    for run in runs.iter().rev() {
        newest.insert(
            (run.ref_kind == RefKind::Tag, run.ref_name.as_str()),
            run.id.0,
        );
    }
    let mut left_out = 0;
    for (at, (name, set)) in PARTS.into_iter().enumerate() {
        for (other_name, set_other) in PARTS[at + 1..].iter().copied() {
            if name.chars().next() == other_name.chars().next() {
                continue;
            }
            let mut filter = RunFilter::default();
            set(&mut filter);
            set_other(&mut filter);
            let times = [
                &mut filter.updated_after,
                &mut filter.updated_before,
                &mut filter.created_after,
                &mut filter.created_before,
            ];
            times.into_iter().flatten().for_each(|time| *time = middle);
            for (order_by, ascending) in orders
                .iter()
                .copied()
                .flat_map(|by| [(by, true), (by, false)])
            {
                filter.order_by = order_by;
                filter.ascending = ascending;
                let mut expected: Vec<&Run> = runs
                    .iter()
                    .filter(|run| fits(run, &filter, &newest))
                    .collect();
                expected.sort_by(|one, other| order(one, other, order_by));
                if !ascending {
                    expected.reverse();
                }
                let list = world
                    .store
                    .runs(world.project, filter.clone(), page(1, 100));
                let list = list.await.unwrap();
                let ids = |runs: &[&Run]| runs.iter().map(|run| run.id.0).collect::<Vec<_>>();
                let what = format!("{name}, {other_name}, {order_by:?}, {ascending}");
                let shown = &expected[..expected.len().min(100)];
                assert_eq!(
                    ids(&list.items.iter().collect::<Vec<_>>()),
                    ids(shown),
                    "{what}"
                );
                match list.total {
                    Some(total) => assert_eq!(total, expected.len() as u64, "{what}"),
                    None => left_out += 1,
                }
            }
        }
    }
    assert_eq!(left_out > 0, count > 2000, "{left_out} totals");
}
