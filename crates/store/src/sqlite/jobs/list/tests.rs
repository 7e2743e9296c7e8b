//! The list of a project's jobs walks indexes in order.

use rstest::rstest;
use tempfile::TempDir;

use super::*;
use crate::sqlite::connection;

fn with(statuses: &[Status]) -> ProjectAttempts {
    ProjectAttempts {
        statuses: statuses.to_vec(),
        limit: 20,
        ..ProjectAttempts::default()
    }
}

fn on_main(wanted: ProjectAttempts) -> ProjectAttempts {
    ProjectAttempts {
        ref_name: Some("main".into()),
        ..wanted
    }
}

#[rstest]
#[case::all(with(&[]))]
#[case::one_that_settled(with(&[Status::Failed]))]
#[case::several(with(&[Status::Success, Status::Pending, Status::Running, Status::Manual]))]
#[case::after_a_cursor(ProjectAttempts { before: Some(AttemptId(9)), ..with(&[Status::Failed]) })]
#[case::of_a_common_ref(on_main(with(&[Status::Failed])))]
fn nothing_is_scanned_or_sorted(#[case] wanted: ProjectAttempts) {
    let directory = TempDir::new().unwrap();
    let conn = connection::open_writer(&directory.path().join("tappet.db"))
        .unwrap()
        .conn;
    let (sql, _) = select(ProjectId(1), &wanted);
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let count = statement.parameter_count();
    let steps: Vec<String> = statement
        .query_map(params_from_iter(vec![Value::Null; count]), |row| row.get(3))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for step in &steps {
        assert!(!step.contains("TEMP B-TREE"), "{steps:#?}");
        // The tables of what waits and runs are small; they are read in order.
        let is_small =
            step.starts_with("SCAN a") && !step.contains("attempts") || step.starts_with("SCAN h");
        assert!(is_small || !step.starts_with("SCAN"), "{steps:#?}");
    }
}
