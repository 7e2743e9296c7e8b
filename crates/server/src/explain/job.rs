//! Why a job waits, does not run, or ended as it did.

use tappet_model::{Status, tags};
use tappet_store::{Attempt, Runner};

use super::{Reason, names};
use crate::failure_text::failure_text;

/// What counts beside the job itself.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The newest attempts of all jobs of its run.
    pub jobs: &'a [Attempt],
    /// Runners that can get jobs at all.
    pub runners: &'a [Runner],
    /// The server hands out nothing any more.
    pub is_draining: bool,
    /// Jobs that runners have in their hands.
    pub running: usize,
    /// Jobs that wait for a runner.
    pub pending: usize,
}

/// Why an attempt stands where it stands.
pub fn job(attempt: &Attempt, around: &Surroundings<'_>) -> Reason {
    match attempt.status {
        Status::Created => not_begun(attempt, around.jobs),
        Status::Pending | Status::Preparing => pending(attempt, around),
        Status::Running => {
            let runner = around
                .runners
                .iter()
                .find(|runner| Some(runner.id) == attempt.runner_id)
                .map_or("a runner", |runner| &runner.description);
            Reason::new("running", format!("It runs on {runner}."))
        }
        Status::Canceling => Reason::new("canceling", "It was canceled and is cleaning up."),
        Status::Manual => manual(attempt),
        Status::Scheduled => delayed(attempt),
        Status::WaitingForResource => Reason::new(
            "waits_for_resource",
            "As many jobs of its matrix as `max-parallel` allows are on their way.",
        ),
        Status::WaitingForCallback => Reason::new(
            "waits_for_callback",
            "The jobs that it needs are over, and whether it starts is being decided.",
        ),
        Status::Skipped => skipped(attempt, around.jobs),
        Status::Failed => failed(attempt),
        Status::Canceled => Reason::new("canceled", "It was canceled."),
        Status::Success => Reason::new("success", "It did what it should."),
    }
}

/// The jobs whose end decides whether this one starts.
fn predecessors<'a>(
    attempt: &'a Attempt,
    jobs: &'a [Attempt],
) -> impl Iterator<Item = &'a Attempt> {
    jobs.iter().filter(|other| match &attempt.needs {
        Some(needs) => needs.contains(&other.name),
        None => other.stage_index < attempt.stage_index,
    })
}

/// A manual job that may be left alone holds up nobody.
fn holds_up(attempt: &Attempt) -> bool {
    let is_optional = attempt.status == Status::Manual && attempt.allow_failure;
    !attempt.status.is_completed() && !is_optional
}

fn not_begun(attempt: &Attempt, jobs: &[Attempt]) -> Reason {
    let open: Vec<&Attempt> = predecessors(attempt, jobs)
        .filter(|other| holds_up(other))
        .collect();
    if open.is_empty() {
        return Reason::new("starting", "It is about to start.");
    }
    let manual = open.iter().filter(|other| other.status == Status::Manual);
    let manual: Vec<&str> = manual.map(|other| other.name.as_str()).collect();
    let because = match attempt.needs {
        Some(_) => "which it needs",
        None => "of earlier stages",
    };
    let mut text = format!(
        "It waits for {} {because}.",
        names(open.iter().map(|other| other.name.as_str()))
    );
    if !manual.is_empty() {
        text.push_str(&format!(" A person has to start {} first.", names(manual)));
    }
    Reason::new("waits_for_jobs", text)
}

fn pending(attempt: &Attempt, around: &Surroundings<'_>) -> Reason {
    if around.is_draining {
        let text = "The server is stopping and hands out nothing until it is started again.";
        return Reason::new("server_stopping", text);
    }
    let fits = |runner: &&Runner| tags::fit(&runner.tags, runner.run_untagged, &attempt.tags);
    let mut fitting = around.runners.iter().filter(fits).peekable();
    if fitting.peek().is_none() {
        return Reason::new("no_runner", no_runner(attempt, around.runners));
    }
    if fitting.all(|runner| runner.is_paused) {
        return Reason::new(
            "runners_paused",
            "Every runner that fits is paused. Let one of them go on.",
        );
    }
    let text = format!(
        "It waits for a free runner: {} running, {} waiting on this server.",
        around.running, around.pending
    );
    Reason::new("runners_busy", text)
}

fn no_runner(attempt: &Attempt, runners: &[Runner]) -> String {
    if runners.is_empty() {
        return "There is no runner. Start the server with --slots 1 or more.".to_owned();
    }
    if attempt.tags.is_empty() {
        return "No runner takes jobs without tags. Give the job tags of a runner.".to_owned();
    }
    let wanted = names(attempt.tags.iter().map(String::as_str));
    let mut known: Vec<&str> = runners
        .iter()
        .flat_map(|runner| runner.tags.iter().map(String::as_str))
        .collect();
    known.sort_unstable();
    known.dedup();
    let there_are = if known.is_empty() {
        "no runner has any tag".to_owned()
    } else {
        format!("runners have {}", names(known))
    };
    format!(
        "No runner has all of its tags: it asks for {wanted}, and {there_are}. \
         Add such a runner or change `tags`."
    )
}

fn manual(attempt: &Attempt) -> Reason {
    let go = format!("`tappet play a{}` starts it", attempt.id);
    let text = if attempt.allow_failure {
        format!("It waits for a person: {go}. The run goes on without it.")
    } else {
        format!("It waits for a person: {go}. What comes after it waits, too.")
    };
    Reason::new("manual", text)
}

fn delayed(attempt: &Attempt) -> Reason {
    let when = match attempt.starts_at {
        Some(at) => format!("starts at {}", at.to_seconds_text()),
        None => "starts when its delay is over".to_owned(),
    };
    let text = format!("It {when}. `tappet play a{}` starts it now.", attempt.id);
    Reason::new("delayed", text)
}

fn skipped(attempt: &Attempt, jobs: &[Attempt]) -> Reason {
    let blamed: Vec<&str> = predecessors(attempt, jobs)
        .filter(|other| match other.status {
            Status::Failed | Status::Canceled => !other.allow_failure,
            Status::Skipped => attempt.needs.is_some(),
            _ => false,
        })
        .map(|other| other.name.as_str())
        .collect();
    if blamed.is_empty() {
        let text = "It runs only after a failure, and nothing before it failed.";
        return Reason::new("nothing_failed", text);
    }
    let text = format!("It was skipped because {} did not succeed.", names(blamed));
    Reason::new("earlier_job_failed", text)
}

fn failed(attempt: &Attempt) -> Reason {
    let (code, mut text) = match attempt.failure_reason {
        Some(reason) => (reason.as_str(), failure_text(reason, attempt.exit_code)),
        None => (
            "unknown_failure",
            "It failed without saying why.".to_owned(),
        ),
    };
    if attempt.allow_failure {
        text.push_str(" It may fail: the run goes on.");
    }
    Reason::new(code, text)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::{AttemptId, FailureReason, RunnerId, Timestamp};

    use super::*;

    fn attempt(name: &str, stage_index: usize, status: Status) -> Attempt {
        Attempt {
            id: AttemptId(15),
            name: name.into(),
            stage_index,
            status,
            ..Attempt::example()
        }
    }

    fn runner(tags: &[&str], run_untagged: bool) -> Runner {
        Runner {
            id: RunnerId(1),
            description: "embedded".into(),
            is_embedded: true,
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            run_untagged,
            is_paused: false,
            created_at: Timestamp(0),
        }
    }

    fn why(attempt: &Attempt, jobs: &[Attempt], runners: &[Runner]) -> String {
        let around = Surroundings {
            jobs,
            runners,
            is_draining: false,
            running: 2,
            pending: 5,
        };
        let reason = job(attempt, &around);
        format!("{}: {}", reason.code, reason.text)
    }

    #[rstest]
    #[case(&[("build", 0, Status::Running)], "waits_for_jobs: It waits for `build` of earlier stages.")]
    #[case(&[("build", 0, Status::Success), ("lint", 0, Status::Pending)], "waits_for_jobs: It waits for `lint` of earlier stages.")]
    #[case(&[("approve", 0, Status::Manual)], "waits_for_jobs: It waits for `approve` of earlier stages. A person has to start `approve` first.")]
    #[case(&[("build", 0, Status::Success), ("beside", 1, Status::Running)], "starting: It is about to start.")]
    fn a_job_waits_for_earlier_stages(
        #[case] jobs: &[(&str, usize, Status)],
        #[case] expected: &str,
    ) {
        let jobs: Vec<_> = jobs
            .iter()
            .map(|&(name, stage, status)| attempt(name, stage, status))
            .collect();
        let waiting = attempt("test", 1, Status::Created);
        assert_eq!(why(&waiting, &jobs, &[]), expected);
    }

    #[test]
    fn needs_take_the_place_of_stages() {
        let mut waiting = attempt("test", 2, Status::Created);
        waiting.needs = Some(vec!["build".into()]);
        let jobs = [
            attempt("build", 0, Status::Pending),
            attempt("lint", 0, Status::Running),
        ];
        assert_eq!(
            why(&waiting, &jobs, &[]),
            "waits_for_jobs: It waits for `build` which it needs."
        );
    }

    #[rstest]
    #[case::nobody(&[], &[], "no_runner: There is no runner. Start the server with --slots 1 or more.")]
    #[case::no_tags(&["arm"], &[runner(&[], true)], "no_runner: No runner has all of its tags: it asks for `arm`, and no runner has any tag. Add such a runner or change `tags`.")]
    #[case::other_tags(&["arm"], &[runner(&["x86", "big"], true)], "no_runner: No runner has all of its tags: it asks for `arm`, and runners have `big` and `x86`. Add such a runner or change `tags`.")]
    #[case::only_tagged(&[], &[runner(&["x86"], false)], "no_runner: No runner takes jobs without tags. Give the job tags of a runner.")]
    #[case::busy(&["x86"], &[runner(&["x86"], false)], "runners_busy: It waits for a free runner: 2 running, 5 waiting on this server.")]
    #[case::paused(&[], &[Runner { is_paused: true, ..runner(&[], true) }], "runners_paused: Every runner that fits is paused. Let one of them go on.")]
    fn a_pending_job_waits_for_a_runner(
        #[case] wanted: &[&str],
        #[case] runners: &[Runner],
        #[case] expected: &str,
    ) {
        let mut waiting = attempt("test", 0, Status::Pending);
        waiting.tags = wanted.iter().map(|&tag| tag.to_owned()).collect();
        assert_eq!(why(&waiting, &[], runners), expected);
    }

    #[rstest]
    #[case(
        Status::Failed,
        false,
        "earlier_job_failed: It was skipped because `build` did not succeed."
    )]
    #[case(
        Status::Failed,
        true,
        "nothing_failed: It runs only after a failure, and nothing before it failed."
    )]
    #[case(
        Status::Success,
        false,
        "nothing_failed: It runs only after a failure, and nothing before it failed."
    )]
    fn a_skipped_job_names_who_is_to_blame(
        #[case] earlier: Status,
        #[case] may_fail: bool,
        #[case] expected: &str,
    ) {
        let mut build = attempt("build", 0, earlier);
        build.allow_failure = may_fail;
        let skipped = attempt("test", 1, Status::Skipped);
        assert_eq!(why(&skipped, &[build], &[]), expected);
    }

    #[test]
    fn a_delayed_job_says_when_it_starts() {
        let mut delayed = attempt("deploy", 0, Status::Scheduled);
        delayed.starts_at = Timestamp::parse("2026-02-01T10:20:30Z");
        assert_eq!(
            why(&delayed, &[], &[]),
            "delayed: It starts at 2026-02-01T10:20:30Z. `tappet play a15` starts it now."
        );
    }

    #[test]
    fn a_failure_says_what_failed_and_whether_it_matters() {
        let mut failed = attempt("lint", 0, Status::Failed);
        failed.failure_reason = Some(FailureReason::ScriptFailure);
        failed.exit_code = Some(3);
        failed.allow_failure = true;
        assert_eq!(
            why(&failed, &[], &[]),
            "script_failure: A command of the script ended with exit code 3. \
             It may fail: the run goes on."
        );
    }

    #[rstest]
    #[case(
        true,
        "manual: It waits for a person: `tappet play a15` starts it. The run goes on without it."
    )]
    #[case(
        false,
        "manual: It waits for a person: `tappet play a15` starts it. What comes after it waits, too."
    )]
    fn a_manual_job_says_how_to_start_it(#[case] may_fail: bool, #[case] expected: &str) {
        let mut manual = attempt("deploy", 0, Status::Manual);
        manual.allow_failure = may_fail;
        assert_eq!(why(&manual, &[], &[]), expected);
    }
}
