//! What a forge is to say about the commit of a run. Pure: from what the run is now
//! follows what has to be told, whatever was told before.

use sha2::{Digest, Sha256};
use tappet_model::{CommitSha, Status};
use tappet_store::{Attempt, CiConfigSettings, Hold, PullRequestRun, Run};

use crate::durations::duration_text;

/// The longest description, in characters (GitHub).
const LONGEST_DESCRIPTION: usize = 140;

/// One status at a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub status: Status,
    /// In a few words.
    pub description: String,
    /// The page that tells more.
    pub url: String,
}

impl Said {
    /// The same for what says the same.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for part in [self.status.as_str(), &self.description, &self.url] {
            digest.update(part);
            digest.update([0]);
        }
        let digest: [u8; 32] = digest.finalize().into();
        digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// What a run is, beside itself.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The run.
    pub run: &'a Run,
    /// The newest attempts of its jobs.
    pub jobs: &'a [Attempt],
    /// When it is of a pull request: that, and its CI config.
    pub pull_request: Option<(&'a PullRequestRun, &'a CiConfigSettings)>,
}

impl Facts<'_> {
    /// The commit to speak of; none when what was told is no commit.
    pub fn commit(&self) -> Option<CommitSha> {
        match self.pull_request {
            Some((of, _)) => {
                let told = of.pull_request.head_sha.as_str();
                // Bitbucket tells the first digits only.
                let is_beginning = told.len() >= 7 && self.run.sha.as_str().starts_with(told);
                let found = is_beginning.then(|| self.run.sha.clone());
                found.or_else(|| told.parse().ok())
            }
            None => Some(self.run.sha.clone()),
        }
    }

    /// Everything to be said. `run_url` and `job_url` are the pages of run and jobs.
    pub fn wanted(&self, run_url: &str, job_url: impl Fn(&Attempt) -> String) -> Vec<Said> {
        let mut all = vec![Said {
            name: self.name(),
            status: self.status(),
            description: cut(&self.description()),
            url: run_url.to_owned(),
        }];
        if let Some((of, config)) = self.pull_request
            && config.reports_jobs
            && of.hold.is_none()
        {
            let jobs = self.jobs.iter().map(|job| Said {
                name: job_name(config, job),
                status: job_status(job),
                description: cut(&job_description(job)),
                url: job_url(job),
            });
            all.extend(jobs);
        }
        all
    }

    fn name(&self) -> String {
        match self.pull_request {
            Some((_, config)) => config.status_name.clone(),
            None => format!("tappet/{}", self.run.source),
        }
    }

    /// What the check says: a failure counts where the config wants that.
    fn status(&self) -> Status {
        let may_fail = self
            .pull_request
            .is_some_and(|(_, config)| !config.fails_check_on_errors);
        match self.run.status {
            Status::Failed if may_fail => Status::Success,
            status => status,
        }
    }

    fn description(&self) -> String {
        let hold = self.pull_request.and_then(|(of, _)| of.hold);
        let superseded = self.pull_request.and_then(|(of, _)| of.superseded_by);
        match (self.run.status, hold) {
            (Status::Success, _) => self.passed(),
            (Status::Failed, _) => self.failed(),
            (Status::Canceled, _) if superseded.is_some() => {
                "canceled: a newer commit has taken its place".to_owned()
            }
            (Status::Canceled, _) => "canceled".to_owned(),
            (Status::Skipped, _) => "no job had to run".to_owned(),
            (_, Some(Hold::Approval { .. })) => {
                "waits for a member of the project to approve it: it comes from a fork".to_owned()
            }
            (_, Some(Hold::Diffs { .. })) => "waits for pairs of tables".to_owned(),
            (Status::Manual, _) => {
                let blocking = |job: &&Attempt| job.status == Status::Manual && !job.allow_failure;
                format!("waits for a person to start {}", self.names(blocking))
            }
            (Status::Scheduled, _) => "waits for the delay of a job".to_owned(),
            (Status::Running | Status::Canceling, _) => {
                format!("{} under way", jobs_text(self.jobs.len()))
            }
            _ => format!("{} waiting", jobs_text(self.jobs.len())),
        }
    }

    fn passed(&self) -> String {
        let took = self.took();
        let failed = self.jobs.iter().filter(|job| job.status == Status::Failed);
        let jobs = jobs_text(self.done().saturating_sub(failed.count()));
        if self.run.has_warnings {
            let failed = self.names(|job| job.status == Status::Failed);
            format!("{jobs} passed{took}; {failed} failed, but may")
        } else {
            format!("{jobs} passed{took}")
        }
    }

    fn failed(&self) -> String {
        if let Some(errors) = &self.run.yaml_errors {
            return errors.lines().next().unwrap_or_default().to_owned();
        }
        if self.pull_request.is_some_and(|(of, _)| of.is_overdue) {
            return "nobody submitted pairs of tables in time".to_owned();
        }
        let failed = self.names(|job| job.status == Status::Failed && !job.allow_failure);
        let passed = self.jobs.iter().filter(|job| job.status == Status::Success);
        let counts = format!(
            "{} of {} passed",
            passed.count(),
            jobs_text(self.jobs.len())
        );
        format!("{failed} failed, {counts}{}", self.took())
    }

    /// Jobs that did something.
    fn done(&self) -> usize {
        let is_done = |job: &&Attempt| matches!(job.status, Status::Success | Status::Failed);
        self.jobs.iter().filter(is_done).count()
    }

    fn took(&self) -> String {
        let micros = self
            .run
            .busy_micros
            .and_then(|micros| u64::try_from(micros).ok());
        match micros {
            Some(micros) => {
                let took = std::time::Duration::from_micros(micros);
                format!(" in {}", duration_text(took))
            }
            None => String::new(),
        }
    }

    fn names(&self, wanted: impl Fn(&&Attempt) -> bool) -> String {
        let names: Vec<&str> = self
            .jobs
            .iter()
            .filter(wanted)
            .map(|job| job.name.as_str())
            .collect();
        match names.as_slice() {
            [] => "a job".to_owned(),
            [one] => (*one).to_owned(),
            [one, other] => format!("{one} and {other}"),
            [one, rest @ ..] => format!("{one} and {} more", rest.len()),
        }
    }
}

/// Jobs of different workflows may have one name.
fn job_name(config: &CiConfigSettings, job: &Attempt) -> String {
    match job.key {
        Some(_) => format!("{}/{}/{}", config.status_name, job.stage, job.name),
        None => format!("{}/{}", config.status_name, job.name),
    }
}

fn jobs_text(count: usize) -> String {
    match count {
        1 => "1 job".to_owned(),
        _ => format!("{count} jobs"),
    }
}

fn job_status(job: &Attempt) -> Status {
    match job.status {
        Status::Failed if job.allow_failure => Status::Success,
        // What may be left alone keeps nobody waiting.
        Status::Manual if job.allow_failure => Status::Skipped,
        status => status,
    }
}

fn job_description(job: &Attempt) -> String {
    let took = match (job.started_at, job.finished_at) {
        (Some(started), Some(ended)) => format!(" in {}", duration_text(ended.since(started))),
        _ => String::new(),
    };
    match job.status {
        Status::Success => format!("passed{took}"),
        Status::Failed => {
            let reason = job
                .failure_reason
                .map(|reason| reason.as_str().replace('_', " "));
            let why = match (reason, job.exit_code) {
                (_, Some(code)) => format!(", exit code {code}"),
                (Some(reason), None) => format!(", {reason}"),
                (None, None) => String::new(),
            };
            let may = if job.allow_failure { ", but may" } else { "" };
            format!("failed{took}{why}{may}")
        }
        Status::Canceled => "canceled".to_owned(),
        Status::Skipped => "did not have to run".to_owned(),
        Status::Running | Status::Canceling => "under way".to_owned(),
        Status::Manual => "waits for a person to start it".to_owned(),
        _ => "waiting".to_owned(),
    }
}

/// On one line, and not longer than forges take.
fn cut(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match text.char_indices().nth(LONGEST_DESCRIPTION) {
        Some(_) => {
            let kept: String = text.chars().take(LONGEST_DESCRIPTION - 1).collect();
            format!("{kept}…")
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::{CiConfigId, ProjectId, PullRequest, RunId, Source, Timestamp};

    use super::*;

    fn job(name: &str, status: Status) -> Attempt {
        Attempt {
            name: name.into(),
            status,
            ..Attempt::example()
        }
    }

    fn pull_request_run(hold: Option<Hold>) -> PullRequestRun {
        PullRequestRun {
            run_id: RunId(7),
            config_id: CiConfigId(1),
            project_id: ProjectId(1),
            pull_request: PullRequest {
                head_sha: "a".repeat(40),
                ..PullRequest::default()
            },
            is_from_forge: true,
            hold,
            is_overdue: false,
            is_repeated: false,
            superseded_by: None,
            diffs: None,
        }
    }

    fn wanted(facts: Facts<'_>) -> Vec<Said> {
        facts.wanted("https://ci/r7", |job| format!("https://ci/{}", job.name))
    }

    fn of(run: &Run, jobs: &[Attempt], config: &CiConfigSettings) -> (Status, String) {
        let of = pull_request_run(None);
        let facts = Facts {
            run,
            jobs,
            pull_request: Some((&of, config)),
        };
        let said = wanted(facts).remove(0);
        (said.status, said.description)
    }

    #[rstest]
    #[case(Status::Pending, &[("a", Status::Pending)], Status::Pending, "1 job waiting")]
    #[case(Status::Running, &[("a", Status::Success), ("b", Status::Running)], Status::Running, "2 jobs under way")]
    #[case(Status::Success, &[("a", Status::Success), ("b", Status::Success)], Status::Success, "2 jobs passed in 1m 23s")]
    #[case(Status::Failed, &[("a", Status::Success), ("b", Status::Failed)], Status::Failed, "b failed, 1 of 2 jobs passed in 1m 23s")]
    #[case(Status::Failed, &[("a", Status::Failed), ("b", Status::Failed), ("c", Status::Failed)], Status::Failed, "a and 2 more failed, 0 of 3 jobs passed in 1m 23s")]
    #[case(Status::Canceled, &[("a", Status::Canceled)], Status::Canceled, "canceled")]
    #[case(Status::Skipped, &[("a", Status::Skipped)], Status::Skipped, "no job had to run")]
    #[case(Status::Manual, &[("go", Status::Manual)], Status::Manual, "waits for a person to start go")]
    fn a_run_in_a_few_words(
        #[case] status: Status,
        #[case] jobs: &[(&str, Status)],
        #[case] told: Status,
        #[case] description: &str,
    ) {
        let run = Run {
            status,
            busy_micros: status.is_completed().then_some(83_000_000),
            ..Run::example()
        };
        let jobs: Vec<_> = jobs
            .iter()
            .map(|&(name, status)| job(name, status))
            .collect();
        let found = of(&run, &jobs, &CiConfigSettings::default());
        assert_eq!(found, (told, description.to_owned()));
    }

    #[test]
    fn errors_may_leave_the_check_alone_and_are_told_nevertheless() {
        let config = CiConfigSettings {
            fails_check_on_errors: false,
            ..CiConfigSettings::default()
        };
        let run = Run {
            status: Status::Failed,
            ..Run::example()
        };
        let found = of(&run, &[job("a", Status::Failed)], &config);
        assert_eq!(
            found,
            (Status::Success, "a failed, 0 of 1 job passed".to_owned())
        );
    }

    #[test]
    fn warnings_name_who_failed() {
        let run = Run {
            status: Status::Success,
            has_warnings: true,
            ..Run::example()
        };
        let jobs = [job("a", Status::Success), job("lint", Status::Failed)];
        let found = of(&run, &jobs, &CiConfigSettings::default());
        assert_eq!(found.1, "1 job passed; lint failed, but may");
    }

    #[test]
    fn a_refused_file_says_what_is_wrong_within_the_limit() {
        let run = Run {
            status: Status::Failed,
            yaml_errors: Some(format!("jobs:a {}\nmore", "x".repeat(200))),
            ..Run::example()
        };
        let (state, description) = of(&run, &[], &CiConfigSettings::default());
        assert_eq!(state, Status::Failed);
        assert!(description.starts_with("jobs:a xxx") && description.ends_with('…'));
        assert_eq!(description.chars().count(), LONGEST_DESCRIPTION);
    }

    #[rstest]
    #[case(Hold::Approval { then_diffs_s: None }, "waits for a member of the project to approve it: it comes from a fork")]
    #[case(Hold::Diffs { until: Timestamp(0) }, "waits for pairs of tables")]
    fn held_runs_say_for_whom_they_wait(#[case] hold: Hold, #[case] expected: &str) {
        let of = pull_request_run(Some(hold));
        let config = CiConfigSettings {
            reports_jobs: true,
            ..CiConfigSettings::default()
        };
        let facts = Facts {
            run: &Run::example(),
            jobs: &[job("a", Status::Created)],
            pull_request: Some((&of, &config)),
        };
        let said = wanted(facts);
        assert_eq!(said.len(), 1);
        assert_eq!(
            (said[0].status, said[0].description.as_str()),
            (Status::Created, expected)
        );
    }

    #[test]
    fn a_superseded_run_says_so() {
        let mut of = pull_request_run(None);
        of.superseded_by = Some(RunId(8));
        let run = Run {
            status: Status::Canceled,
            ..Run::example()
        };
        let facts = Facts {
            run: &run,
            jobs: &[],
            pull_request: Some((&of, &CiConfigSettings::default())),
        };
        let said = wanted(facts).remove(0);
        assert_eq!(
            said.description,
            "canceled: a newer commit has taken its place"
        );
    }

    #[test]
    fn jobs_are_told_where_the_config_asks() {
        let config = CiConfigSettings {
            reports_jobs: true,
            status_name: "ci".into(),
            ..CiConfigSettings::default()
        };
        let of = pull_request_run(None);
        let mut failed = job("lint", Status::Failed);
        failed.exit_code = Some(3);
        let mut may_fail = job("docs", Status::Failed);
        may_fail.allow_failure = true;
        let facts = Facts {
            run: &Run::example(),
            jobs: &[failed, may_fail],
            pull_request: Some((&of, &config)),
        };
        let said: Vec<_> = wanted(facts)
            .into_iter()
            .map(|said| (said.name, said.status, said.description, said.url))
            .collect();
        let expected = [
            ("ci", Status::Created, "2 jobs waiting", "https://ci/r7"),
            (
                "ci/lint",
                Status::Failed,
                "failed, exit code 3",
                "https://ci/lint",
            ),
            (
                "ci/docs",
                Status::Success,
                "failed, but may",
                "https://ci/docs",
            ),
        ]
        .map(|(name, state, text, url)| (name.into(), state, text.into(), url.into()));
        assert_eq!(said, expected);
    }

    #[rstest]
    #[case(Source::Push, "tappet/push")]
    #[case(Source::Schedule, "tappet/schedule")]
    fn other_runs_are_named_after_what_started_them(
        #[case] source: Source,
        #[case] expected: &str,
    ) {
        let run = Run {
            source,
            ..Run::example()
        };
        let facts = Facts {
            run: &run,
            jobs: &[],
            pull_request: None,
        };
        assert_eq!(wanted(facts)[0].name, expected);
        assert_eq!(facts.commit(), Some(run.sha.clone()));
    }

    #[test]
    fn what_is_no_commit_cannot_be_spoken_of() {
        let mut of = pull_request_run(None);
        of.pull_request.head_sha = "HEAD".into();
        let facts = Facts {
            run: &Run::example(),
            jobs: &[],
            pull_request: Some((&of, &CiConfigSettings::default())),
        };
        assert_eq!(facts.commit(), None);
    }
}
