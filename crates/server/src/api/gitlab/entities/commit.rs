//! A commit, alone and beside a job.

use serde::Serialize;
use serde_json::{Map, Value};
use tappet_git::{Commit as GitCommit, CommitStats};
use tappet_store::{Project, Run};
use utoipa::ToSchema;

use super::Time;
use super::pipeline_basic::PipelineBasic;
use crate::config::Config;

/// GitLab: `API::Entities::Commit`. Without the repository at hand only what the
/// run remembers is known; the rest is `null`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Commit<'a> {
    id: &'a str,
    short_id: &'a str,
    created_at: Option<Time>,
    parent_ids: Vec<&'a str>,
    title: &'a str,
    message: &'a str,
    author_name: Option<&'a str>,
    author_email: Option<&'a str>,
    authored_date: Option<Time>,
    committer_name: Option<&'a str>,
    committer_email: Option<&'a str>,
    committed_date: Option<Time>,
    trailers: Map<String, Value>,
    extended_trailers: Map<String, Value>,
    web_url: String,
}

impl<'a> Commit<'a> {
    /// Shows the commit of a run.
    pub fn of(
        config: &Config,
        project: &Project,
        run: &'a Run,
        commit: Option<&'a GitCommit>,
    ) -> Self {
        match commit {
            Some(commit) => Self::in_project(config, project, commit),
            None => Self {
                id: run.sha.as_str(),
                short_id: run.sha.short(),
                created_at: None,
                parent_ids: Vec::new(),
                title: &run.commit_title,
                message: &run.commit_title,
                author_name: None,
                author_email: None,
                authored_date: None,
                committer_name: None,
                committer_email: None,
                committed_date: None,
                trailers: Map::new(),
                extended_trailers: Map::new(),
                web_url: web_url(config, project, run.sha.as_str()),
            },
        }
    }

    /// Shows a commit of a project's repository.
    pub fn in_project(config: &Config, project: &Project, commit: &'a GitCommit) -> Self {
        Self {
            id: commit.sha.as_str(),
            short_id: commit.sha.short(),
            created_at: Some(Time(commit.committed_at)),
            parent_ids: commit
                .parents
                .iter()
                .map(|parent| parent.as_str())
                .collect(),
            title: commit.title(),
            message: &commit.message,
            author_name: Some(&commit.author_name),
            author_email: Some(&commit.author_email),
            authored_date: Some(Time(commit.authored_at)),
            committer_name: Some(&commit.committer_name),
            committer_email: Some(&commit.committer_email),
            committed_date: Some(Time(commit.committed_at)),
            trailers: Map::new(),
            extended_trailers: Map::new(),
            web_url: web_url(config, project, commit.sha.as_str()),
        }
    }
}

fn web_url(config: &Config, project: &Project, sha: &str) -> String {
    config.url(&format!("/{}/-/commit/{sha}", project.path))
}

/// Changed lines.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
struct Stats {
    additions: u64,
    deletions: u64,
    total: u64,
}

impl Stats {
    fn of(stats: CommitStats) -> Self {
        Self {
            additions: stats.additions,
            deletions: stats.deletions,
            total: stats.additions + stats.deletions,
        }
    }
}

/// GitLab: `API::Entities::CommitWithStats`; without them `API::Entities::Commit`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommitWithStats<'a> {
    #[serde(flatten)]
    commit: Commit<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<Stats>,
}

impl<'a> CommitWithStats<'a> {
    /// Adds counts of changed lines to a commit.
    pub fn of(commit: Commit<'a>, stats: Option<CommitStats>) -> Self {
        Self {
            commit,
            stats: stats.map(Stats::of),
        }
    }
}

/// GitLab: `API::Entities::CommitDetail`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommitDetail<'a> {
    #[serde(flatten)]
    commit: CommitWithStats<'a>,
    status: Option<&'static str>,
    project_id: i64,
    last_pipeline: Option<PipelineBasic<'a>>,
}

impl<'a> CommitDetail<'a> {
    /// Shows a commit with its newest run, when the caller may see it.
    pub fn of(
        config: &Config,
        project: &'a Project,
        commit: &'a GitCommit,
        stats: Option<CommitStats>,
        run: Option<&'a Run>,
    ) -> Self {
        Self {
            commit: CommitWithStats::of(Commit::in_project(config, project, commit), stats),
            status: run.map(|run| run.status.as_str()),
            project_id: project.id.0,
            last_pipeline: run.map(|run| PipelineBasic::of(config, project, run)),
        }
    }
}
