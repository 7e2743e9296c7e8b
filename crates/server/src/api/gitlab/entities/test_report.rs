//! Test results of a run.

use serde::{Serialize, Serializer};
use tappet_reports::{Counts, TestCase as Case, TestSuite as Suite, suite_name};
use tappet_store::{Project, TestSummary};
use utoipa::ToSchema;

use crate::config::Config;

/// GitLab: `TestReportEntity` with details.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TestReport<'a> {
    #[serde(serialize_with = "seconds")]
    total_time: f64,
    total_count: u64,
    success_count: u64,
    failed_count: u64,
    skipped_count: u64,
    error_count: u64,
    test_suites: Vec<TestSuite<'a>>,
}

/// GitLab: `TestSuiteEntity` with details.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TestSuite<'a> {
    name: &'a str,
    #[serde(serialize_with = "seconds")]
    total_time: f64,
    total_count: u64,
    success_count: u64,
    failed_count: u64,
    skipped_count: u64,
    error_count: u64,
    suite_error: Option<&'a str>,
    test_cases: Vec<TestCase<'a>>,
}

/// GitLab: `TestCaseEntity`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TestCase<'a> {
    #[schema(value_type = String)]
    status: tappet_reports::Outcome,
    name: Option<&'a str>,
    classname: Option<&'a str>,
    file: Option<&'a str>,
    execution_time: f64,
    system_output: Option<&'a str>,
    /// Always null, as in GitLab.
    stack_trace: Option<&'a str>,
    /// Null, as where GitLab counts none.
    #[schema(value_type = Option<Object>)]
    recent_failures: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachment_url: Option<String>,
}

/// GitLab: `TestReportSummaryEntity`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TestReportSummary {
    total: Total,
    test_suites: Vec<TestSuiteSummary>,
}

/// All suites together.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Total {
    #[serde(serialize_with = "seconds")]
    time: f64,
    count: u64,
    success: u64,
    failed: u64,
    skipped: u64,
    error: u64,
    suite_error: Option<String>,
}

/// GitLab: `TestSuiteSummaryEntity`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TestSuiteSummary {
    name: String,
    #[serde(serialize_with = "seconds")]
    total_time: f64,
    total_count: u64,
    success_count: u64,
    failed_count: u64,
    skipped_count: u64,
    error_count: u64,
    build_ids: Vec<i64>,
    suite_error: Option<String>,
}

/// A sum of nothing is a whole number in GitLab.
fn seconds<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if *value == 0.0 {
        serializer.serialize_u64(0)
    } else {
        serializer.serialize_f64(*value)
    }
}

impl<'a> TestReport<'a> {
    /// Shows the suites of a run.
    pub fn of(config: &Config, project: &Project, suites: &'a [Suite]) -> Self {
        let mut counts = Counts::default();
        for suite in suites {
            counts += suite.counts();
        }
        Self {
            total_time: suites.iter().map(Suite::total_time).sum(),
            total_count: counts.total(),
            success_count: counts.success,
            failed_count: counts.failed,
            skipped_count: counts.skipped,
            error_count: counts.error,
            test_suites: suites
                .iter()
                .map(|suite| TestSuite::of(config, project, suite))
                .collect(),
        }
    }
}

impl<'a> TestSuite<'a> {
    fn of(config: &Config, project: &Project, suite: &'a Suite) -> Self {
        let counts = suite.counts();
        Self {
            name: suite.name(),
            total_time: suite.total_time(),
            total_count: counts.total(),
            success_count: counts.success,
            failed_count: counts.failed,
            skipped_count: counts.skipped,
            error_count: counts.error,
            suite_error: suite.error(),
            test_cases: suite
                .sorted_cases()
                .into_iter()
                .map(|case| TestCase::of(config, project, case))
                .collect(),
        }
    }
}

impl<'a> TestCase<'a> {
    fn of(config: &Config, project: &Project, case: &'a Case) -> Self {
        let attachment_url = case.attachment.as_ref().map(|path| {
            let job = case.job_id;
            config.url(&format!(
                "/{}/-/jobs/{job}/artifacts/file/{path}",
                project.path
            ))
        });
        Self {
            status: case.outcome,
            name: case.name.as_deref(),
            classname: case.classname.as_deref(),
            file: case.file.as_deref(),
            execution_time: case.execution_time,
            system_output: case.system_output.as_deref(),
            stack_trace: None,
            recent_failures: None,
            attachment_url,
        }
    }
}

impl TestReportSummary {
    /// Adds up the counts of a run's attempts, by suite in the order of the attempts.
    pub fn of(summaries: &[TestSummary]) -> Self {
        let mut total = Total::default();
        let mut test_suites: Vec<TestSuiteSummary> = Vec::new();
        for TestSummary {
            attempt_id,
            job,
            counts,
        } in summaries
        {
            let all = counts.success + counts.failed + counts.skipped + counts.error;
            total.time += counts.total_time;
            total.count += all;
            total.success += counts.success;
            total.failed += counts.failed;
            total.skipped += counts.skipped;
            total.error += counts.error;
            total.suite_error = total.suite_error.or_else(|| counts.suite_error.clone());
            let name = suite_name(job);
            let place = test_suites.iter().position(|suite| suite.name == name);
            let place = place.unwrap_or_else(|| {
                test_suites.push(TestSuiteSummary::empty(name));
                test_suites.len() - 1
            });
            let suite = &mut test_suites[place];
            suite.total_time += counts.total_time;
            suite.total_count += all;
            suite.success_count += counts.success;
            suite.failed_count += counts.failed;
            suite.skipped_count += counts.skipped;
            suite.error_count += counts.error;
            suite.build_ids.push(attempt_id.0);
            if suite.suite_error.is_none() {
                suite.suite_error.clone_from(&counts.suite_error);
            }
        }
        Self { total, test_suites }
    }
}

impl TestSuiteSummary {
    fn empty(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            total_time: 0.0,
            total_count: 0,
            success_count: 0,
            failed_count: 0,
            skipped_count: 0,
            error_count: 0,
            build_ids: Vec::new(),
            suite_error: None,
        }
    }
}
