//! A pull request (GitLab: merge request), as far as a run of it has to know it.

use serde::{Deserialize, Serialize};

use crate::CommitSha;

/// Jobs find in this variable the path of a file with the pairs of tables that were
/// submitted to their run, a JSON array; it is not set while nothing was.
pub const DIFFS_VARIABLE: &str = "DATAFOLD_DIFFS";

/// What a run knows of its pull request. The first five fields are what Datafold's
/// API is told; they are kept as they came, so they may name nothing that exists.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PullRequest {
    /// Its number in its project, in decimal digits; clients may send any integer.
    pub number: String,
    /// The branch with the changes.
    pub head_branch: String,
    /// The newest commit of it, as told.
    pub head_sha: String,
    /// The branch that is to get the changes.
    pub base_branch: String,
    /// The commit of it to compare with, as told: its head or the common ancestor.
    pub base_sha: String,
    /// Where the branches parted, once both commits are known.
    #[serde(default)]
    pub merge_base: Option<CommitSha>,
    /// What only a forge can tell.
    #[serde(default)]
    pub details: PullRequestDetails,
}

/// What a forge tells of a pull request; empty when nobody told.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PullRequestDetails {
    /// Its id beside its number, where the forge has one.
    pub id: Option<i64>,
    /// Its title.
    pub title: String,
    /// Its text.
    pub description: String,
    /// Its page.
    pub url: String,
    /// Login of who opened it. For people: nothing is allowed on account of it.
    pub author: String,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// Logins of those it is assigned to.
    pub assignees: Vec<String>,
    /// Title of its milestone.
    pub milestone: Option<String>,
    /// Not ready to be merged yet.
    pub is_draft: bool,
    /// Full name of the repository that it comes from, when that is another one
    /// than it goes to.
    pub fork: Option<String>,
    /// What happened to it, in GitHub's words: `opened`, `synchronize`, `reopened`, …
    pub action: String,
}

impl PullRequest {
    /// The name of its head in GitLab's repositories, which is what a run of it has
    /// for its ref: `refs/merge-requests/6/head`.
    pub fn ref_name(&self) -> String {
        format!("refs/merge-requests/{}/head", self.number)
    }

    /// It comes from another repository, whose owners nobody here has vouched for.
    pub fn is_from_fork(&self) -> bool {
        self.details.fork.is_some()
    }
}
