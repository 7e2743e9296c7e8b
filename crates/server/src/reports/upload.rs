//! Reports as they come from a runner.

use std::io::{self, BufReader, Read};

use tappet_model::{AttemptId, Variable};
use tappet_reports::{TestSuite, dotenv, junit, suite_name};
use tappet_store::{NewReport, TestCounts};

use super::handed_on;
use crate::app::App;
use crate::artifact_files::ReceivedFile;

/// How each kind of file is packed (GitLab: `Enums::Ci::JobArtifact`). Kinds that
/// GitLab does not know may come in any format.
pub fn has_right_format(kind: &str, format: &str) -> bool {
    match kind {
        "archive" | "lsif" => format == "zip",
        "metadata"
        | "metrics"
        | "metrics_referee"
        | "network_referee"
        | "junit"
        | "dotenv"
        | "cobertura"
        | "jacoco"
        | "cluster_applications"
        | "cyclonedx"
        | "annotations" => format == "gzip",
        "trace"
        | "codequality"
        | "sast"
        | "secret_detection"
        | "dependency_scanning"
        | "container_scanning"
        | "cluster_image_scanning"
        | "dast"
        | "license_scanning"
        | "performance"
        | "browser_performance"
        | "load_performance"
        | "terraform"
        | "requirements"
        | "requirements_v2"
        | "coverage_fuzzing"
        | "api_fuzzing"
        | "accessibility" => format == "raw",
        _ => true,
    }
}

/// Why a report is not taken.
#[derive(Debug, thiserror::Error)]
pub enum RefusedReport {
    /// Its content, in GitLab's words.
    #[error(transparent)]
    Dotenv(#[from] dotenv::DotenvError),
    /// The disk or the store.
    #[error("cannot read the uploaded report: {0}")]
    Io(#[from] io::Error),
}

/// Reads a report before it is kept; `None` for files that are none. A JUnit
/// report is never refused: what is wrong with it is shown with the run.
///
/// # Errors
/// See [`RefusedReport`].
pub async fn read(
    app: &App,
    attempt: AttemptId,
    kind: &str,
    received: &ReceivedFile,
) -> Result<Option<NewReport>, RefusedReport> {
    match kind {
        "dotenv" => {
            if received.size_bytes >= dotenv::SIZE_LIMIT {
                return Err(dotenv::DotenvError::TooBig.into());
            }
            let mut packed = Vec::new();
            received.open()?.read_to_end(&mut packed)?;
            let variables: Vec<Variable> = dotenv::parse(&packed)?
                .into_iter()
                .map(|(key, value)| Variable::new(key, value))
                .collect();
            let sealed = handed_on::seal(&app.secrets, &variables);
            Ok(Some(NewReport::Variables(sealed)))
        }
        "junit" => {
            let name = app.store.attempt(attempt).await.map_err(io::Error::other)?;
            let name = name.map(|attempt| attempt.name).unwrap_or_default();
            let packed = BufReader::new(received.open()?);
            let counts = tokio::task::spawn_blocking(move || {
                let mut suite = TestSuite::new(suite_name(&name));
                junit::read_upload(packed, attempt.0, &mut suite);
                counts(&suite)
            });
            let counts = counts.await.map_err(io::Error::other)?;
            Ok(Some(NewReport::Tests(counts)))
        }
        _ => Ok(None),
    }
}

fn counts(suite: &TestSuite) -> TestCounts {
    let counts = suite.counts();
    TestCounts {
        total_time: suite.total_time(),
        success: counts.success,
        failed: counts.failed,
        skipped: counts.skipped,
        error: counts.error,
        suite_error: suite.error().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("archive", "zip", true)]
    #[case("archive", "gzip", false)]
    #[case("junit", "gzip", true)]
    #[case("dotenv", "raw", false)]
    #[case("sast", "raw", true)]
    #[case("sast", "gzip", false)]
    #[case("something_new", "any", true)]
    fn each_kind_has_its_format(#[case] kind: &str, #[case] format: &str, #[case] right: bool) {
        assert_eq!(has_right_format(kind, format), right);
    }
}
