//! The test cases of a run, out of the files that its jobs uploaded.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;

use tappet_model::RunId;
use tappet_reports::{TestSuite, junit, suite_name};
use tappet_store::{StoreError, StoreResult};

use crate::app::App;

/// The suites of a run's newest attempts, in the order of the attempts. Jobs of
/// the same name but for their number share one.
///
/// # Errors
/// The store cannot serve. Files that cannot be read are errors of their suite.
pub async fn tests_of_run(app: &App, run: RunId) -> StoreResult<Vec<TestSuite>> {
    let mut attempts = app.store.run_attempts(run).await?;
    attempts.sort_by_key(|attempt| attempt.id);
    let mut uploads = Vec::new();
    for attempt in attempts {
        if let Some(file) = attempt.artifacts.iter().find(|file| file.kind == "junit") {
            uploads.push((
                attempt.id,
                attempt.name.clone(),
                app.artifact_files.path(file),
            ));
        }
    }
    let read = tokio::task::spawn_blocking(move || {
        let mut suites: Vec<TestSuite> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (attempt, job, path) in uploads {
            let name = suite_name(&job);
            let place = *places.entry(name.to_owned()).or_insert_with(|| {
                suites.push(TestSuite::new(name));
                suites.len() - 1
            });
            let suite = &mut suites[place];
            match File::open(path) {
                Ok(file) => junit::read_upload(BufReader::new(file), attempt.0, suite),
                Err(error) => suite.fail(format!(
                    "JUnit data parsing failed: cannot open the uploaded report: {error}"
                )),
            }
        }
        suites
    });
    read.await
        .map_err(|error| StoreError::Database(format!("cannot read test reports: {error}")))
}
