//! A status of a commit: a job's, or one that a foreign system set.

use serde::Serialize;
use tappet_store::{Attempt, CommitStatus as CommitStatusRecord, Run, User};
use utoipa::ToSchema;

use super::Time;
use super::user_basic::UserBasic;
use crate::config::Config;

/// GitLab: `API::Entities::CommitStatus`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommitStatus<'a> {
    id: i64,
    sha: &'a str,
    #[serde(rename = "ref")]
    ref_name: &'a str,
    status: &'static str,
    name: &'a str,
    target_url: Option<&'a str>,
    description: Option<&'a str>,
    created_at: Time,
    started_at: Option<Time>,
    finished_at: Option<Time>,
    allow_failure: bool,
    coverage: Option<f64>,
    pipeline_id: i64,
    author: Option<UserBasic<'a>>,
}

impl<'a> CommitStatus<'a> {
    /// Shows a foreign status.
    pub fn of(
        config: &Config,
        run: &'a Run,
        status: &'a CommitStatusRecord,
        author: Option<&'a User>,
    ) -> Self {
        Self {
            id: status.id.0,
            sha: run.sha.as_str(),
            ref_name: &status.ref_name,
            status: status.status.as_str(),
            name: &status.name,
            target_url: status.target_url.as_deref(),
            description: status.description.as_deref(),
            created_at: Time(status.created_at),
            started_at: status.started_at.map(Time),
            finished_at: status.finished_at.map(Time),
            allow_failure: false,
            coverage: status.coverage,
            pipeline_id: run.id.0,
            author: author.map(|author| UserBasic::of(config, author)),
        }
    }

    /// Shows a job as a status of its commit.
    pub fn of_job(
        config: &Config,
        run: &'a Run,
        attempt: &'a Attempt,
        author: Option<&'a User>,
    ) -> Self {
        Self {
            id: attempt.id.0,
            sha: run.sha.as_str(),
            ref_name: &run.ref_name,
            status: attempt.status.as_str(),
            name: &attempt.name,
            target_url: None,
            description: None,
            created_at: Time(attempt.created_at),
            started_at: attempt.started_at.map(Time),
            finished_at: attempt.finished_at.map(Time),
            allow_failure: attempt.allow_failure,
            coverage: attempt.coverage,
            pipeline_id: run.id.0,
            author: author.map(|author| UserBasic::of(config, author)),
        }
    }
}
