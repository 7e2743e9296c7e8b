//! The comment on a pull request: what passed and what failed, with the lines of the
//! logs that tell why. Pure: [`findings`](super::findings) gathers what it says.
//!
//! It has to be read by people in a hurry: what failed comes first, what is long is
//! folded, and where a forge's limit is near, logs go before tests and tests before
//! names of jobs.

mod markdown;

use std::time::Duration;

use tappet_model::{ForgeKind, Status};

use crate::durations::duration_text;
use markdown::{fence, link, name, sentence};

/// What a comment says.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// By which it is found again.
    pub marker: String,
    /// The newest run of each CI config, in the order of the configs.
    pub sections: Vec<Section>,
}

/// What came of one CI config.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Section {
    /// Name of the CI config.
    pub config: String,
    /// Number of the run, for people.
    pub number: String,
    /// Page of the run.
    pub url: String,
    /// Its commit.
    pub sha: String,
    /// Where it stands.
    pub status: Option<Status>,
    /// In a sentence.
    pub reason: String,
    /// How long its jobs took.
    pub took: Option<Duration>,
    /// What is wrong with the files, when there are no jobs.
    pub errors: Option<String>,
    /// Its jobs in the order of their stages.
    pub jobs: Vec<Job>,
    /// Those that failed.
    pub failures: Vec<Failure>,
    /// What its tests say.
    pub tests: Option<Tests>,
    /// Pairs of tables that were submitted.
    pub diffs: usize,
}

/// One job.
#[derive(Clone, PartialEq, Debug)]
pub struct Job {
    /// Stage, or workflow.
    pub stage: String,
    /// Its name.
    pub name: String,
    /// Its page.
    pub url: String,
    /// How it ended.
    pub status: Status,
    /// Its failure does not count.
    pub may_fail: bool,
    /// How long it took.
    pub took: Option<Duration>,
}

/// Why a job failed.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure {
    /// Its name.
    pub job: String,
    /// Its page.
    pub url: String,
    /// In a sentence.
    pub why: String,
    /// Its failure does not count.
    pub may_fail: bool,
    /// The lines of its log that tell most, in order.
    pub lines: Vec<String>,
}

/// What tests say.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tests {
    /// Passed.
    pub passed: u64,
    /// Failed, or could not be carried out.
    pub failed: u64,
    /// Left out.
    pub skipped: u64,
    /// Names of those that fail here and not on the base branch.
    pub newly_failing: Vec<String>,
    /// The run that they are compared with.
    pub base: Option<Base>,
    /// The base branch.
    pub base_branch: String,
    /// Jobs whose reports could not be read.
    pub unreadable: Vec<String>,
}

/// A run of the base branch.
#[derive(Clone, PartialEq, Debug)]
pub struct Base {
    /// Its number, for people.
    pub number: String,
    /// Its page.
    pub url: String,
}

/// How much is told.
#[derive(Clone, Copy, Debug)]
struct Detail {
    logs: usize,
    lines: usize,
    tests: usize,
    jobs: usize,
}

/// From everything to hardly anything; the first that fits is taken.
const DETAILS: [Detail; 5] = [
    Detail {
        logs: 10,
        lines: 20,
        tests: 50,
        jobs: 400,
    },
    Detail {
        logs: 5,
        lines: 10,
        tests: 20,
        jobs: 200,
    },
    Detail {
        logs: 3,
        lines: 5,
        tests: 10,
        jobs: 60,
    },
    Detail {
        logs: 0,
        lines: 0,
        tests: 10,
        jobs: 20,
    },
    Detail {
        logs: 0,
        lines: 0,
        tests: 0,
        jobs: 0,
    },
];

/// So many jobs are shown without having to be unfolded.
const UNFOLDED_JOBS: usize = 8;
/// So many lines of a log are.
const UNFOLDED_LINES: usize = 8;

/// How long a comment may be, in bytes, with room to spare. GitHub: 65,536
/// characters; Bitbucket: 32,768.
fn size_limit(kind: ForgeKind) -> usize {
    match kind {
        ForgeKind::Bitbucket => 32_000,
        ForgeKind::Github | ForgeKind::Gitlab | ForgeKind::Gitea => 64_000,
    }
}

/// The text, in Markdown that the forge shows.
pub fn render(kind: ForgeKind, report: &Report) -> String {
    let limit = size_limit(kind);
    let texts = DETAILS.iter().map(|detail| {
        let writer = Writer {
            folds: kind != ForgeKind::Bitbucket,
            detail: *detail,
        };
        writer.report(report)
    });
    let mut last = String::new();
    for text in texts {
        if text.len() <= limit {
            return text;
        }
        last = text;
    }
    // Only hundreds of CI configs come here: whole lines stay.
    let mut end = 0;
    for line in last.split_inclusive('\n') {
        if end + line.len() > limit {
            break;
        }
        end += line.len();
    }
    last.truncate(end);
    last
}

struct Writer {
    folds: bool,
    detail: Detail,
}

impl Writer {
    fn report(&self, report: &Report) -> String {
        let sections = report.sections.iter().map(|section| self.section(section));
        let sections: Vec<String> = sections.collect();
        format!("{}\n\n{}\n", report.marker, sections.join("\n\n---\n\n"))
    }

    fn section(&self, section: &Section) -> String {
        let mut parts = vec![heading(section), facts(section)];
        if let Some(errors) = &section.errors {
            parts.push(fence(errors.lines().take(20)));
        }
        parts.extend(self.failures(&section.failures));
        parts.extend(section.tests.as_ref().map(|tests| self.tests(tests)));
        parts.extend(self.jobs(&section.jobs));
        parts.join("\n\n")
    }

    fn failures(&self, failures: &[Failure]) -> Vec<String> {
        let shown = failures.iter().take(self.detail.logs);
        let mut parts: Vec<String> = shown.map(|failure| self.failure(failure)).collect();
        let left = failures.len().saturating_sub(self.detail.logs);
        if left > 0 && self.detail.jobs > 0 {
            let all = failures[failures.len() - left..].iter().take(20);
            let names: Vec<String> = all.map(|one| link(&one.job, &one.url)).collect();
            let more = match left.saturating_sub(names.len()) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let also = if parts.is_empty() {
                "Failed"
            } else {
                "Failed, too"
            };
            parts.push(format!("{also}: {}{more}", names.join(", ")));
        }
        parts
    }

    fn failure(&self, failure: &Failure) -> String {
        let mark = if failure.may_fail { "⚠️" } else { "❌" };
        let head = format!(
            "{mark} **{}**: {}",
            link(&failure.job, &failure.url),
            sentence(&failure.why)
        );
        let from = failure.lines.len().saturating_sub(self.detail.lines);
        let lines = &failure.lines[from..];
        if lines.is_empty() {
            return head;
        }
        let log = fence(lines.iter().map(String::as_str));
        if lines.len() <= UNFOLDED_LINES {
            format!("{head}\n\n{log}")
        } else {
            let summary = format!("{} lines of its log", lines.len());
            format!("{head}\n\n{}", self.folded(&summary, &log))
        }
    }

    fn tests(&self, tests: &Tests) -> String {
        let mut text = format!("**Tests:** {} passed", tests.passed);
        if tests.failed > 0 {
            text.push_str(&format!(", {} failed", tests.failed));
        }
        if tests.skipped > 0 {
            text.push_str(&format!(", {} skipped", tests.skipped));
        }
        text.push('.');
        let branch = name(&tests.base_branch);
        match &tests.base {
            _ if tests.failed == 0 => {}
            None => text.push_str(&format!(
                " No run of {branch} has ended that they could be compared with."
            )),
            Some(base) if tests.newly_failing.is_empty() => text.push_str(&format!(
                " All that fail do so on {branch}, too ([run {}]({})).",
                base.number, base.url
            )),
            Some(base) => text.push_str(&format!(
                " {} of them did not fail on {branch} ([run {}]({})):",
                tests.newly_failing.len(),
                base.number,
                base.url
            )),
        }
        if tests.base.is_some() && !tests.newly_failing.is_empty() {
            let shown = tests.newly_failing.iter().take(self.detail.tests);
            let mut lines: Vec<String> = shown.map(|test| format!("- {}", name(test))).collect();
            match tests.newly_failing.len() - lines.len() {
                0 => {}
                more => lines.push(format!("- and {more} more")),
            }
            text.push_str("\n\n");
            text.push_str(&lines.join("\n"));
        }
        if !tests.unreadable.is_empty() {
            let names: Vec<String> = tests
                .unreadable
                .iter()
                .take(5)
                .map(|job| name(job))
                .collect();
            text.push_str(&format!(
                "\n\nTest reports that could not be read: {}.",
                names.join(", ")
            ));
        }
        text
    }

    fn jobs(&self, jobs: &[Job]) -> Option<String> {
        if jobs.is_empty() || self.detail.jobs == 0 {
            return None;
        }
        let mut table = "| | Job | Stage | Time |\n|---|---|---|---|\n".to_owned();
        for job in jobs.iter().take(self.detail.jobs) {
            let took = job.took.map(duration_text).unwrap_or_default();
            table.push_str(&format!(
                "| {} | {} | {} | {took} |\n",
                mark(job),
                link(&job.name, &job.url),
                name(&job.stage),
            ));
        }
        let left = jobs.len().saturating_sub(self.detail.jobs);
        if left > 0 {
            table.push_str(&format!("| | and {left} more | | |\n"));
        }
        let table = table.trim_end();
        if jobs.len() <= UNFOLDED_JOBS {
            Some(table.to_owned())
        } else {
            Some(self.folded(&format!("All {} jobs", jobs.len()), table))
        }
    }

    /// Behind a click, where the forge can do that.
    fn folded(&self, summary: &str, content: &str) -> String {
        if self.folds {
            format!("<details><summary>{summary}</summary>\n\n{content}\n\n</details>")
        } else {
            format!("{summary}:\n\n{content}")
        }
    }
}

fn heading(section: &Section) -> String {
    let (mark, what) = match section.status {
        Some(Status::Success) => ("✅", "passed"),
        Some(Status::Failed) => ("❌", "failed"),
        Some(Status::Canceled) => ("⛔", "was canceled"),
        Some(Status::Skipped) => ("⏭️", "had nothing to do"),
        Some(Status::Manual) => ("⏸️", "waits for a person"),
        _ => ("⏳", "is on its way"),
    };
    format!("### {mark} {} {what}", name(&section.config))
}

/// The line under the heading.
fn facts(section: &Section) -> String {
    let short = section.sha.get(..8).unwrap_or(&section.sha);
    let mut text = format!(
        "[Run {}]({}) of {}",
        section.number,
        section.url,
        name(short)
    );
    if let Some(took) = section.took {
        text.push_str(&format!(", {} of work", duration_text(took)));
    }
    match section.diffs {
        0 => {}
        1 => text.push_str(", 1 pair of tables submitted"),
        pairs => text.push_str(&format!(", {pairs} pairs of tables submitted")),
    }
    format!("{text}. {}", sentence(&section.reason))
}

fn mark(job: &Job) -> &'static str {
    match job.status {
        Status::Success => "✅",
        Status::Failed if job.may_fail => "⚠️",
        Status::Failed => "❌",
        Status::Canceled | Status::Canceling => "⛔",
        Status::Skipped => "⏭️",
        Status::Manual => "⏸️",
        _ => "⏳",
    }
}

#[cfg(test)]
mod tests;
