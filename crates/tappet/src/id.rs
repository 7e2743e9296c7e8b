//! Ids as people type them. A letter tells the kind, as in Depot's API: `r7` is
//! a run, `j12` a job, `a15` one attempt of a job. A bare number is a run.

use std::fmt;
use std::str::FromStr;

use anyhow::Context;
use serde_json::Value;

use crate::api::{Api, ApiError};

/// A run, a job or an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Id {
    /// A run (GitLab: pipeline).
    Run(i64),
    /// A job: its newest attempt. The number is that of any of its attempts.
    Job(i64),
    /// One attempt (GitLab: job).
    Attempt(i64),
}

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, number): (fn(i64) -> Self, &str) = match text.as_bytes() {
            [b'r', ..] => (Self::Run, &text[1..]),
            [b'j', ..] => (Self::Job, &text[1..]),
            [b'a', ..] => (Self::Attempt, &text[1..]),
            _ => (Self::Run, text.strip_prefix('#').unwrap_or(text)),
        };
        match number.parse() {
            Ok(number) if number > 0 => Ok(kind(number)),
            _ => Err("an id is a run (7 or r7), a job (j12) or an attempt (a15)".to_owned()),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(number) => write!(f, "r{number}"),
            Self::Job(number) => write!(f, "j{number}"),
            Self::Attempt(number) => write!(f, "a{number}"),
        }
    }
}

/// Where something stands: its project, its run, and the attempt if it is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// `/projects/1`.
    pub project: String,
    /// The run's number.
    pub run: i64,
    /// The attempt's number.
    pub attempt: Option<i64>,
}

impl Place {
    /// Asks the server where an id belongs; with the name of a job, that job of
    /// the run.
    pub async fn find(api: &Api, id: Id, job: Option<&str>) -> anyhow::Result<Self> {
        let found = api.get(&format!("/-/lookup/{id}")).await?;
        let number = |key: &str| found[key].as_i64();
        let (Some(project), Some(run)) = (number("project_id"), number("pipeline_id")) else {
            return Err(ApiError::unexpected(format!("the place of {id}, but got {found}")).into());
        };
        let mut place = Self {
            project: format!("/projects/{project}"),
            run,
            attempt: number("job_id"),
        };
        if let Some(name) = job {
            place.attempt = Some(place.job_named(api, name).await?);
        }
        Ok(place)
    }

    /// The run's address.
    pub fn run_path(&self, rest: &str) -> String {
        format!("{}/pipelines/{}{rest}", self.project, self.run)
    }

    /// An attempt's address.
    pub fn attempt_path(&self, attempt: i64, rest: &str) -> String {
        format!("{}/jobs/{attempt}{rest}", self.project)
    }

    /// The newest attempts of all jobs of the run, in the order of the file.
    pub async fn jobs(&self, api: &Api) -> Result<Vec<Value>, ApiError> {
        let mut jobs = api.list(&self.run_path("/jobs"), usize::MAX).await?.items;
        jobs.sort_by_key(|job| job["id"].as_i64());
        Ok(jobs)
    }

    async fn job_named(&self, api: &Api, name: &str) -> anyhow::Result<i64> {
        let jobs = self.jobs(api).await?;
        let found = jobs
            .iter()
            .find(|job| job["name"].as_str() == Some(name))
            .and_then(|job| job["id"].as_i64());
        found.with_context(|| {
            let names: Vec<_> = jobs.iter().filter_map(|job| job["name"].as_str()).collect();
            format!(
                "run {} has no job `{name}`; its jobs are: {}",
                self.run,
                names.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("7", Id::Run(7))]
    #[case("#7", Id::Run(7))]
    #[case("r7", Id::Run(7))]
    #[case("j12", Id::Job(12))]
    #[case("a15", Id::Attempt(15))]
    fn a_letter_tells_the_kind(#[case] text: &str, #[case] expected: Id) {
        assert_eq!(text.parse(), Ok(expected));
    }

    #[rstest]
    #[case("")]
    #[case("r")]
    #[case("x7")]
    #[case("r-7")]
    #[case("0")]
    #[case("99999999999999999999")]
    fn anything_else_is_no_id(#[case] text: &str) {
        assert!(text.parse::<Id>().is_err());
    }
}
