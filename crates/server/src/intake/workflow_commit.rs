//! Which commit a run of workflows is for, and which ref it says it is on.

use tappet_git::{Repository, ResolvedRef};
use tappet_model::{CommitSha, RefKind};

use super::{Refusal, RunRequest, commit_named, resolve_ref};
use crate::app::App;

/// The commit of the request: as given, else where its ref stands, else the head of
/// the default branch.
pub(super) async fn resolve_commit(
    app: &App,
    request: &RunRequest,
    commit: Option<&CommitSha>,
    repository: &Repository,
) -> Result<ResolvedRef, Refusal> {
    let Some(sha) = commit else {
        return named(app, request, repository).await;
    };
    let found = commit_named(app, &request.project, repository, sha.as_str()).await?;
    let found = found.ok_or_else(|| {
        Refusal::WorkflowNotFound(format!(
            "commit {sha} is not in {}: push it first",
            request.project.path
        ))
    })?;
    Ok(on_default_branch(app, request, repository, found).await)
}

/// Where the ref of the request stands.
async fn named(
    app: &App,
    request: &RunRequest,
    repository: &Repository,
) -> Result<ResolvedRef, Refusal> {
    let missing = |name: &str| {
        Refusal::WorkflowNotFound(format!(
            "{} has no branch or tag `{name}`: push it first",
            request.project.path
        ))
    };
    let default_branch;
    let name = match request.ref_name.as_str() {
        "" => {
            default_branch = app
                .repositories
                .default_branch(&request.project, repository)
                .await
                .ok_or_else(|| missing("HEAD"))?;
            default_branch.as_str()
        }
        name => name,
    };
    match resolve_ref(app, &request.project, name, repository).await {
        Ok(Some(found)) => Ok(found),
        Ok(None) | Err(Refusal::NotStarted { .. }) => Err(missing(name)),
        Err(refusal) => Err(refusal),
    }
}

/// A commit says nothing of a branch, but workflows ask for one: it is the default
/// branch when that has the commit.
async fn on_default_branch(
    app: &App,
    request: &RunRequest,
    repository: &Repository,
    found: ResolvedRef,
) -> ResolvedRef {
    let project = &request.project;
    let default_branch = app.repositories.default_branch(project, repository).await;
    let Some(name) = default_branch else {
        return found;
    };
    let Ok(Some(head)) = resolve_ref(app, project, &name, repository).await else {
        return found;
    };
    let is_there = head.sha == found.sha
        || repository
            .is_ancestor(&found.sha, &head.sha)
            .await
            .unwrap_or(false);
    if is_there {
        ResolvedRef {
            sha: found.sha,
            ..head
        }
    } else {
        found
    }
}

/// `refs/heads/main`; empty for a commit on no known ref.
pub(super) fn full_ref(resolved: &ResolvedRef) -> String {
    match resolved.kind {
        RefKind::Branch => format!("refs/heads/{}", resolved.name),
        RefKind::Tag => format!("refs/tags/{}", resolved.name),
        RefKind::Commit | RefKind::PullRequest => String::new(),
    }
}
