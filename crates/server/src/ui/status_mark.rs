//! A status as people see it: a colour, a sign and a word.

use askama::Template;
use askama::filters::HtmlSafe;
use tappet_engine::StatusSet;
use tappet_model::Status;
use tappet_store::{Attempt, Run};

/// Shown as a small badge.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Template)]
#[template(
    source = r#"<span class="status is-{{ group }}"><span class="mark" aria-hidden="true">{{ sign }}</span>{{ word }}</span>"#,
    ext = "html"
)]
pub struct StatusMark {
    /// Decides the colour.
    pub group: &'static str,
    /// One character.
    pub sign: char,
    /// In plain words.
    pub word: &'static str,
}

/// Its texts are all our own.
impl HtmlSafe for StatusMark {}

impl StatusMark {
    /// Of a run or stage.
    pub fn new(status: Status, has_warnings: bool) -> Self {
        let (group, sign, word) = match status {
            Status::Success if has_warnings => ("warning", '!', "Passed with warnings"),
            Status::Success => ("success", '✓', "Passed"),
            Status::Failed => ("failed", '✕', "Failed"),
            Status::Running => ("running", '▸', "Running"),
            Status::Pending => ("pending", '⋯', "Pending"),
            Status::Preparing => ("pending", '⋯', "Preparing"),
            Status::WaitingForResource => ("pending", '⋯', "Waiting for its resource"),
            Status::WaitingForCallback => ("pending", '⋯', "Waiting for an answer"),
            Status::Canceling => ("canceled", '–', "Canceling"),
            Status::Canceled => ("canceled", '–', "Canceled"),
            Status::Skipped => ("skipped", '»', "Skipped"),
            Status::Manual => ("manual", '▷', "Waits for you"),
            Status::Scheduled => ("manual", '◷', "Delayed"),
            Status::Created => ("created", '○', "Waiting"),
        };
        Self { group, sign, word }
    }

    /// Of a run.
    pub fn of_run(run: &Run) -> Self {
        Self::new(run.status, run.has_warnings)
    }

    /// Of a job: an allowed failure is no failure of the run, but it is shown.
    pub fn of_attempt(attempt: &Attempt) -> Self {
        if attempt.status == Status::Failed && attempt.allow_failure {
            return Self {
                group: "warning",
                sign: '!',
                word: "Failed (allowed)",
            };
        }
        Self::new(attempt.status, false)
    }
}

/// A stage in small.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StageMark {
    /// Name of the stage.
    pub name: String,
    /// Of its jobs together.
    pub mark: StatusMark,
}

/// The stages of a run from the newest attempts of its jobs.
pub fn stages(run: &Run, attempts: &[Attempt]) -> Vec<StageMark> {
    let mut sets = vec![StatusSet::default(); run.stages.len()];
    for attempt in attempts {
        if let Some(set) = sets.get_mut(attempt.stage_index) {
            set.insert(attempt.status, attempt.allow_failure);
        }
    }
    let marks = sets.iter().enumerate().map(|(index, set)| {
        let mut jobs = attempts
            .iter()
            .filter(|attempt| attempt.stage_index == index);
        // GitLab calls such a stage skipped, but somebody can still start it.
        if jobs.all(|attempt| attempt.status == Status::Manual) {
            return StatusMark::new(Status::Manual, false);
        }
        let status = set.status(false).unwrap_or(Status::Success);
        StatusMark::new(status, set.has_warnings())
    });
    run.stages
        .iter()
        .cloned()
        .zip(marks)
        .map(|(name, mark)| StageMark { name, mark })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_own_look_and_word() {
        let mark = StatusMark::new(Status::Success, true);
        assert_eq!(
            mark.render().unwrap(),
            "<span class=\"status is-warning\"><span class=\"mark\" aria-hidden=\"true\">!</span>\
             Passed with warnings</span>"
        );
        let mut words: Vec<_> = Status::ALL
            .iter()
            .map(|status| StatusMark::new(*status, false).word)
            .collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Status::ALL.len());
    }
}
