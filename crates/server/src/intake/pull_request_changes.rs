//! What there is to know of a pull request before a run of it starts.

use tappet_model::{CommitSha, PullRequest, RefName};
use tappet_store::Project;

use super::pull_request_commits::find_commits;
use super::refusal::unavailable;
use super::{Refusal, repository, resolve_ref};
use crate::app::App;

/// The files that a pull request changes, from where the branches parted; `None` where
/// that cannot be known, which a run of it will tell better.
pub async fn changed_paths(
    app: &App,
    project: &Project,
    pull_request: &PullRequest,
) -> Result<Option<Vec<String>>, Refusal> {
    let repository = repository(app, project).await?;
    let Ok(commits) = find_commits(app, project, &repository, pull_request).await? else {
        return Ok(None);
    };
    let paths = repository
        .changed_paths(&commits.merge_base, &commits.head)
        .await
        .map_err(|error| unavailable(error.to_string()))?;
    Ok(paths.map(|paths| paths.to_vec()))
}

/// Where a branch stands now; `None` when there is none of this name.
pub async fn head_of_branch(
    app: &App,
    project: &Project,
    branch: &str,
) -> Result<Option<CommitSha>, Refusal> {
    let Ok(name) = RefName::new(format!("refs/heads/{branch}")) else {
        return Ok(None);
    };
    let repository = repository(app, project).await?;
    let resolved = resolve_ref(app, project, name.as_str(), &repository).await?;
    Ok(resolved.map(|resolved| resolved.sha))
}
