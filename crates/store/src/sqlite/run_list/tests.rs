//! Every supported filter walks an index in order: nothing is scanned whole,
//! nothing is sorted.

use rstest::rstest;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tappet_model::{Source, Status, Timestamp};
use tempfile::TempDir;

use super::super::connection;
use super::super::content::Contents;
use super::*;
use crate::RunScope;

/// How SQLite reads the ids of a list and counts them.
fn plans(filter: &RunFilter) -> Vec<String> {
    let directory = TempDir::new().unwrap();
    let conn = connection::open_writer(&directory.path().join("tappet.db"))
        .unwrap()
        .conn;
    conn.execute_batch(
        "PRAGMA foreign_keys = OFF;
         INSERT INTO users (username, name, email, is_admin, is_blocked, created_at)
         VALUES ('ann', '', '', 0, 0, 0);
         INSERT INTO runs (id, project_id, iid, source, ref_name, ref_kind, sha, commit_title,
         status, has_warnings, user_id, created_at, updated_at)
         VALUES (1, 1, 1, 'api', 'main', 'branch', x'00', '', 'failed', 0, 1, 50, 50);",
    )
    .unwrap();
    let db = Db {
        conn: &conn,
        contents: &Contents::new(),
    };
    let query = Query::of(&db, ProjectId(1), filter).unwrap().unwrap();
    let order = Order {
        by: query.order(filter.order_by),
        ascending: filter.ascending,
    };
    let walk = choice::choose(&db, &query, order).unwrap();
    let (sql, _) = walk.select(&query, order);
    let counts = walk.branches.iter().map(|branch| {
        let (matching, _) = walk.matching(&query, *branch);
        format!("SELECT count(*) FROM (SELECT 1{matching} LIMIT ?)")
    });
    counts
        .chain([sql])
        .flat_map(|sql| plan(&conn, &sql))
        .collect()
}

fn plan(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let count = statement.parameter_count();
    let steps = statement
        .query_map(params_from_iter(vec![Value::Null; count]), |row| row.get(3))
        .unwrap();
    steps.map(Result::unwrap).collect()
}

fn all() -> RunFilter {
    RunFilter::default()
}

fn status(status: Status) -> RunFilter {
    RunFilter {
        status: Some(status),
        ..all()
    }
}

fn scope(scope: RunScope) -> RunFilter {
    RunFilter {
        scope: Some(scope),
        ..all()
    }
}

fn on_main(filter: RunFilter) -> RunFilter {
    RunFilter {
        ref_name: Some("main".into()),
        ..filter
    }
}

fn by_api(filter: RunFilter) -> RunFilter {
    RunFilter {
        source: Some(Source::Api),
        ..filter
    }
}

fn created(filter: RunFilter) -> RunFilter {
    RunFilter {
        created_after: Some(Timestamp(10)),
        created_before: Some(Timestamp(90)),
        ..filter
    }
}

fn ordered(order_by: RunOrder) -> RunFilter {
    RunFilter { order_by, ..all() }
}

#[rstest]
#[case::nothing(all())]
#[case::status(status(Status::Failed))]
#[case::finished(scope(RunScope::Finished))]
#[case::running(scope(RunScope::Running))]
#[case::by_ref(on_main(all()))]
#[case::source(by_api(all()))]
#[case::ref_and_status(on_main(status(Status::Failed)))]
#[case::ref_and_finished(on_main(scope(RunScope::Finished)))]
#[case::ref_and_source(on_main(by_api(all())))]
#[case::status_and_source(by_api(status(Status::Failed)))]
#[case::finished_by_source(by_api(scope(RunScope::Finished)))]
#[case::sha(RunFilter { sha: Some("a".repeat(40)), ..all() })]
#[case::name(RunFilter { name: Some("x".into()), ..all() })]
#[case::username(RunFilter { username: Some("ann".into()), ..all() })]
#[case::invalid(RunFilter { yaml_errors: Some(true), ..all() })]
#[case::valid(RunFilter { yaml_errors: Some(false), ..all() })]
#[case::created(created(all()))]
#[case::created_and_status(created(status(Status::Failed)))]
#[case::created_and_ref_and_status(created(on_main(status(Status::Failed))))]
#[case::updated_in_its_order(RunFilter {
    updated_after: Some(Timestamp(1)),
    order_by: RunOrder::UpdatedAt,
    ..all()
})]
#[case::by_update(ordered(RunOrder::UpdatedAt))]
#[case::in_order_of_status(ordered(RunOrder::Status))]
#[case::created_in_order_of_status(created(ordered(RunOrder::Status)))]
#[case::in_order_of_ref(ordered(RunOrder::Ref))]
#[case::in_order_of_user(ordered(RunOrder::UserId))]
#[case::ref_in_order_of_ref(on_main(ordered(RunOrder::Ref)))]
fn nothing_is_scanned_or_sorted(#[case] filter: RunFilter) {
    for ascending in [false, true] {
        let filter = RunFilter {
            ascending,
            ..filter.clone()
        };
        for step in plans(&filter) {
            let reads_runs = step.contains(" runs");
            assert!(!step.contains("TEMP B-TREE"), "{step}");
            assert!(!(reads_runs && step.starts_with("SCAN")), "{step}");
            assert!(!reads_runs || step.contains("INDEX"), "{step}");
        }
    }
}

#[test]
fn many_of_a_status_are_read_in_order_of_ref() {
    let directory = TempDir::new().unwrap();
    let conn = connection::open_writer(&directory.path().join("tappet.db"))
        .unwrap()
        .conn;
    let db = Db {
        conn: &conn,
        contents: &Contents::new(),
    };
    let filter = status(Status::Failed);
    let query = Query::of(&db, ProjectId(1), &filter).unwrap().unwrap();
    let order = Order {
        by: RunOrder::Ref,
        ascending: false,
    };
    let (sql, _) = Walk::by_ref_of_status().select(&query, order);
    assert_eq!(
        plan(&conn, &sql),
        ["SEARCH runs USING COVERING INDEX runs_by_ref_status (project_id=?)"]
    );
}

#[test]
fn a_setback_of_the_clock_turns_bounds_on_ids_off() {
    let query = |filter: &RunFilter, setbacks: &str| {
        let directory = TempDir::new().unwrap();
        let conn = connection::open_writer(&directory.path().join("tappet.db"))
            .unwrap()
            .conn;
        conn.execute_batch(setbacks).unwrap();
        let db = Db {
            conn: &conn,
            contents: &Contents::new(),
        };
        Query::of(&db, ProjectId(1), filter).unwrap()
    };
    let filter = created(all());
    assert!(query(&filter, "").is_none(), "no run is in bounds");
    let fallback = query(&filter, "INSERT INTO clock_setbacks VALUES (7)").unwrap();
    assert_eq!(
        fallback.conditions[0].sql,
        "created_at > ? AND created_at < ?"
    );
}
