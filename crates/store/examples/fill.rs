//! Fills the database of a stopped server, which has a project and no run yet,
//! with a long history of ended runs of three jobs.
//!
//! `cargo run --release -p tappet-store --example fill -- DATABASE RUNS`

#[path = "support/history.rs"]
mod history;
#[path = "support/runs.rs"]
mod runs;
#[path = "support/sample.rs"]
mod sample;

use std::path::Path;

use runs::Failure;

/// Runs made one by one, the pattern of all others.
const SAMPLE: i64 = 1000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(database), Some(count)) = (arguments.next(), arguments.next()) else {
        return Err("usage: fill DATABASE RUNS".into());
    };
    history::fill(Path::new(&database), count.parse()?, SAMPLE).await
}
