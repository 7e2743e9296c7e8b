//! Why a run stands where it stands.

use tappet_model::Status;
use tappet_store::{Attempt, Run};

use super::{Reason, names};

/// The reason, from the run and the newest attempts of its jobs.
pub fn run(run: &Run, jobs: &[Attempt]) -> Reason {
    let named = |wanted: fn(&Attempt) -> bool| {
        let found = jobs.iter().filter(|job| wanted(job));
        found.map(|job| job.name.as_str()).collect::<Vec<_>>()
    };
    match run.status {
        Status::Failed if run.yaml_errors.is_some() => {
            Reason::new("config_error", "The pipeline file is not valid.")
        }
        Status::Failed => {
            let failed = named(|job| job.status == Status::Failed && !job.allow_failure);
            Reason::new("job_failed", format!("{} failed.", names(failed)))
        }
        Status::Success if run.has_warnings => {
            let failed = named(|job| job.status == Status::Failed);
            let text = format!("It succeeded; {} failed, but may.", names(failed));
            Reason::new("success_with_warnings", text)
        }
        Status::Success => Reason::new("success", "All jobs did what they should."),
        Status::Canceled => Reason::new("canceled", "It was canceled."),
        Status::Canceling => Reason::new("canceling", "It was canceled and is cleaning up."),
        Status::Skipped => Reason::new("skipped", "No job had to run."),
        Status::Manual => {
            let blocking = named(|job| job.status == Status::Manual && !job.allow_failure);
            let text = format!("It waits for a person to start {}.", names(blocking));
            Reason::new("manual", text)
        }
        Status::Scheduled => {
            let delayed = named(|job| job.status == Status::Scheduled);
            let mut text = format!("It waits for the delay of {}.", names(delayed));
            let first = jobs.iter().filter(|job| job.starts_at.is_some());
            if let Some(first) = first.min_by_key(|job| job.starts_at)
                && let Some(at) = first.starts_at
            {
                let name = names([first.name.as_str()]);
                text.push_str(&format!(" {name} starts at {}.", at.to_seconds_text()));
            }
            Reason::new("delayed", text)
        }
        Status::Created
        | Status::WaitingForResource
        | Status::Preparing
        | Status::WaitingForCallback
        | Status::Pending
        | Status::Running => under_way(jobs),
    }
}

fn under_way(jobs: &[Attempt]) -> Reason {
    let with = |wanted: &dyn Fn(Status) -> bool| {
        jobs.iter()
            .filter(|job| wanted(job.status))
            .map(|job| job.name.as_str())
            .collect::<Vec<_>>()
    };
    let done = with(&Status::is_completed).len();
    let running = with(&Status::is_executing);
    let mut text = format!("{done} of {} jobs are done", jobs.len());
    match running.len() {
        0 => text.push_str(", none is running"),
        1 => text.push_str(&format!(", {} is running", names(running))),
        _ => text.push_str(&format!(", {} are running", names(running))),
    }
    text.push('.');
    Reason::new("under_way", text)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn reason(status: Status, jobs: &[(&str, Status, bool)]) -> String {
        let record = Run {
            status,
            ..Run::example()
        };
        let jobs: Vec<_> = jobs
            .iter()
            .map(|&(name, status, allow_failure)| Attempt {
                name: name.into(),
                status,
                allow_failure,
                ..Attempt::example()
            })
            .collect();
        run(&record, &jobs).text
    }

    #[test]
    fn a_delayed_run_says_when_the_first_of_its_jobs_starts() {
        let at = |minute: i64| Some(tappet_model::Timestamp(minute * 60_000_000));
        let job = |name: &str, starts_at| Attempt {
            name: name.into(),
            status: Status::Scheduled,
            starts_at,
            ..Attempt::example()
        };
        let record = Run {
            status: Status::Scheduled,
            ..Run::example()
        };
        let reason = run(&record, &[job("late", at(90)), job("soon", at(30))]);
        assert_eq!(
            reason.text,
            "It waits for the delay of `late` and `soon`. `soon` starts at 1970-01-01T00:30:00Z."
        );
    }

    #[rstest]
    #[case(Status::Failed, &[("a", Status::Failed, false), ("b", Status::Failed, true)], "`a` failed.")]
    #[case(Status::Manual, &[("a", Status::Success, false), ("go", Status::Manual, false)], "It waits for a person to start `go`.")]
    #[case(Status::Running, &[("a", Status::Success, false), ("b", Status::Running, false), ("c", Status::Created, false)], "1 of 3 jobs are done, `b` is running.")]
    #[case(Status::Pending, &[("a", Status::Pending, false)], "0 of 1 jobs are done, none is running.")]
    fn a_run_is_explained_by_its_jobs(
        #[case] status: Status,
        #[case] jobs: &[(&str, Status, bool)],
        #[case] expected: &str,
    ) {
        assert_eq!(reason(status, jobs), expected);
    }
}
