//! A commit beside a job.

use serde::Serialize;
use serde_json::{Map, Value};
use tappet_git::Commit as GitCommit;
use tappet_store::{Project, Run};
use utoipa::ToSchema;

use super::Time;
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
        Self {
            id: run.sha.as_str(),
            short_id: run.sha.short(),
            created_at: commit.map(|commit| Time(commit.committed_at)),
            parent_ids: commit.map_or_else(Vec::new, |commit| {
                commit
                    .parents
                    .iter()
                    .map(|parent| parent.as_str())
                    .collect()
            }),
            title: commit.map_or(&run.commit_title, |commit| commit.title()),
            message: commit.map_or(&run.commit_title, |commit| &commit.message),
            author_name: commit.map(|commit| commit.author_name.as_str()),
            author_email: commit.map(|commit| commit.author_email.as_str()),
            authored_date: commit.map(|commit| Time(commit.authored_at)),
            committer_name: commit.map(|commit| commit.committer_name.as_str()),
            committer_email: commit.map(|commit| commit.committer_email.as_str()),
            committed_date: commit.map(|commit| Time(commit.committed_at)),
            trailers: Map::new(),
            extended_trailers: Map::new(),
            web_url: config.url(&format!("/{}/-/commit/{}", project.path, run.sha)),
        }
    }
}
