//! Gathers what a comment says of one CI config: its newest run, the jobs, why they
//! failed and what tests say.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use tappet_model::steps_payload::StepOutcome;
use tappet_model::{RunId, Source, Status};
use tappet_reports::{Counts, Outcome, TestCase, TestSuite};
use tappet_store::{
    Attempt, CiConfig, Hold, PageRequest, Project, PullRequestRun, Run, RunFilter, StoreResult,
};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::comment::{Base, Failure, Job, Section, Tests};
use crate::app::App;
use crate::diagnosis::cause;
use crate::diagnosis::evidence::Tail;
use crate::explain;
use crate::failure_text::failure_text;
use crate::logs::lines::LineReader;
use crate::reports::tests_of_run;

/// So much of the end of a log is read.
const TAIL_BYTES: u64 = 256 * 1024;
/// Logs of so many failed jobs are.
const MOST_LOGS: usize = 10;
/// So many runs of the base branch are looked at for one that has ended.
const BASE_RUNS: u32 = 20;

/// What there is to say of a run; `None` when it is gone.
pub async fn section(
    app: &App,
    project: &Project,
    config: &CiConfig,
    of: &PullRequestRun,
) -> StoreResult<Option<Section>> {
    let Some(run) = app.store.run(of.run_id).await? else {
        return Ok(None);
    };
    let mut section = Section {
        config: config.settings.name.clone(),
        number: run.id.to_string(),
        url: page(app, project, "pipelines", run.id.0),
        sha: of.pull_request.head_sha.clone(),
        status: Some(run.status),
        ..Section::default()
    };
    let jobs = app.store.run_attempts(run.id).await?;
    section.reason = reason(&run, of, &jobs);
    if !run.status.is_completed() {
        return Ok(Some(section));
    }
    section.took = micros(run.busy_micros).filter(|took| !took.is_zero());
    section.errors.clone_from(&run.yaml_errors);
    section.diffs = pairs(of);
    section.jobs = jobs.iter().map(|job| shown(app, project, job)).collect();
    section.failures = failures(app, project, &jobs).await?;
    section.tests = tests(app, project, &run, &of.pull_request.base_branch).await?;
    Ok(Some(section))
}

fn page(app: &App, project: &Project, what: &str, id: i64) -> String {
    app.config.url(&format!("/{}/-/{what}/{id}", project.path))
}

fn micros(micros: Option<i64>) -> Option<Duration> {
    Some(Duration::from_micros(u64::try_from(micros?).ok()?))
}

fn reason(run: &Run, of: &PullRequestRun, jobs: &[Attempt]) -> String {
    match (run.status, &of.hold) {
        (Status::Failed, _) if of.is_overdue => {
            "Nobody submitted pairs of tables in time.".to_owned()
        }
        (Status::Canceled, _) if of.superseded_by.is_some() => {
            "A newer commit has taken its place.".to_owned()
        }
        (_, Some(Hold::Approval { .. })) => {
            "It comes from a fork and waits for a member of the project to approve it.".to_owned()
        }
        (_, Some(Hold::Diffs { .. })) => "It waits for pairs of tables.".to_owned(),
        (status, None) if !status.is_completed() && status != Status::Manual => {
            "The result comes here when it is there.".to_owned()
        }
        _ => explain::run(run, jobs).text,
    }
}

/// How many pairs of tables were submitted.
fn pairs(of: &PullRequestRun) -> usize {
    let diffs = of.diffs.as_deref().unwrap_or("[]");
    let list: Result<Vec<serde::de::IgnoredAny>, _> = serde_json::from_str(diffs);
    list.map_or(0, |list| list.len())
}

fn shown(app: &App, project: &Project, job: &Attempt) -> Job {
    Job {
        stage: job.stage.clone(),
        name: job.name.clone(),
        url: page(app, project, "jobs", job.id.0),
        status: job.status,
        may_fail: job.allow_failure,
        took: job
            .started_at
            .zip(job.finished_at)
            .map(|(started, ended)| ended.since(started)),
    }
}

/// Those that count come first.
async fn failures(app: &App, project: &Project, jobs: &[Attempt]) -> StoreResult<Vec<Failure>> {
    let mut failed: Vec<&Attempt> = jobs
        .iter()
        .filter(|job| job.status == Status::Failed)
        .collect();
    failed.sort_by_key(|job| job.allow_failure);
    let mut failures = Vec::new();
    for (at, job) in failed.into_iter().enumerate() {
        let why = match (&job.error_message, job.failure_reason) {
            (Some(message), _) => message.clone(),
            (None, Some(reason)) => failure_text(reason, job.exit_code),
            (None, None) => "It failed without saying why.".to_owned(),
        };
        // Logs that show every variable are for members alone.
        let lines = if at < MOST_LOGS && !job.is_debugged {
            telling_lines(app, job).await?
        } else {
            Vec::new()
        };
        failures.push(Failure {
            job: job.name.clone(),
            url: page(app, project, "jobs", job.id.0),
            why,
            may_fail: job.allow_failure,
            lines,
        });
    }
    Ok(failures)
}

/// The lines of a log that tell most. A log that cannot be read is left out: its page
/// says why.
async fn telling_lines(app: &App, job: &Attempt) -> StoreResult<Vec<String>> {
    let report = app.store.steps_report(job.id).await?;
    let failed_step = report.as_ref().and_then(|report| {
        let mut steps = report.steps.iter();
        let step = steps.find(|step| step.conclusion == StepOutcome::Failure);
        step.map(|step| step.key.as_str())
    });
    let tail = match tail(app, job).await {
        Ok(tail) => tail,
        Err(error) => {
            tracing::warn!(attempt = %job.id, %error, "cannot read a log for a comment");
            return Ok(Vec::new());
        }
    };
    let cause = cause::of_attempt(job, report.as_ref());
    let evidence = tail.evidence(job.failure_reason, failed_step, cause);
    Ok(evidence.lines.into_iter().map(|line| line.text).collect())
}

async fn tail(app: &App, job: &Attempt) -> io::Result<Tail> {
    let mut tail = Tail::default();
    let Some((mut file, length)) = app.logs.open(job.id).await? else {
        return Ok(tail);
    };
    let from = length.saturating_sub(TAIL_BYTES);
    file.seek(io::SeekFrom::Start(from)).await?;
    let mut bytes = Vec::new();
    file.take(length - from).read_to_end(&mut bytes).await?;
    // In the middle of a line nothing can be told from its beginning.
    let begin = match from {
        0 => 0,
        _ => bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1),
    };
    let mut reader = LineReader::new(job.created_at);
    reader.feed(&bytes[begin..], |line, _| tail.push(line));
    reader.finish(|line, _| tail.push(line));
    Ok(tail)
}

/// What the tests of a run say; `None` when it has none.
async fn tests(
    app: &App,
    project: &Project,
    run: &Run,
    base_branch: &str,
) -> StoreResult<Option<Tests>> {
    let suites = tests_of_run(app, run.id).await?;
    if suites.is_empty() {
        return Ok(None);
    }
    let mut counts = Counts::default();
    for suite in &suites {
        counts += suite.counts();
    }
    let mut tests = Tests {
        passed: counts.success,
        failed: counts.failed + counts.error,
        skipped: counts.skipped,
        base_branch: base_branch.to_owned(),
        unreadable: suites
            .iter()
            .filter(|suite| suite.error().is_some())
            .map(|suite| suite.name().to_owned())
            .collect(),
        ..Tests::default()
    };
    if tests.failed > 0
        && let Some(base) = base_run(app, project, base_branch).await?
    {
        let known = failing(&tests_of_run(app, base).await?);
        let here = suites.iter().flat_map(failing_of);
        tests.newly_failing = here
            .filter(|test| !known.contains(test))
            .map(|(suite, class, name)| test_name(&suite, &class, &name))
            .collect();
        tests.base = Some(Base {
            number: base.to_string(),
            url: page(app, project, "pipelines", base.0),
        });
    }
    Ok(Some(tests))
}

/// The newest run of the base branch itself that has ended.
async fn base_run(app: &App, project: &Project, branch: &str) -> StoreResult<Option<RunId>> {
    let filter = RunFilter {
        ref_name: Some(branch.to_owned()),
        ..RunFilter::default()
    };
    let page = PageRequest {
        page: 1,
        per_page: BASE_RUNS,
    };
    let runs = app.store.runs(project.id, filter, page).await?;
    let has_ended = |run: &&Run| {
        matches!(run.status, Status::Success | Status::Failed)
            && run.source != Source::MergeRequestEvent
            && run.yaml_errors.is_none()
    };
    Ok(runs.items.iter().find(has_ended).map(|run| run.id))
}

/// Suite, class and name of a test.
type TestKey = (String, String, String);

fn failing(suites: &[TestSuite]) -> HashSet<TestKey> {
    suites.iter().flat_map(failing_of).collect()
}

fn failing_of(suite: &TestSuite) -> impl Iterator<Item = TestKey> {
    let is_failing = |case: &&TestCase| matches!(case.outcome, Outcome::Failed | Outcome::Error);
    let key = |case: &TestCase| {
        (
            suite.name().to_owned(),
            case.classname.clone().unwrap_or_default(),
            case.name.clone().unwrap_or_default(),
        )
    };
    suite
        .sorted_cases()
        .into_iter()
        .filter(is_failing)
        .map(key)
        .collect::<Vec<_>>()
        .into_iter()
}

fn test_name(suite: &str, class: &str, name: &str) -> String {
    let parts = [suite, class, name];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" › ")
}
