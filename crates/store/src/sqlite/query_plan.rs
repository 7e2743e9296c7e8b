//! How SQLite runs a statement, for tests that hold it to an index.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::connection;

/// The steps of a statement on a new database.
pub(super) fn steps(sql: &str) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let database = connection::open_writer(&directory.path().join("tappet.db"));
    let conn = database.expect("a new database opens").conn;
    let explained = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}"));
    let mut explained = explained.expect("the statement is valid");
    let values = vec![Value::Null; explained.parameter_count()];
    let steps = explained.query_map(params_from_iter(values), |row| row.get("detail"));
    let steps = steps.expect("a plan is given");
    steps.map(|step| step.expect("steps are texts")).collect()
}
