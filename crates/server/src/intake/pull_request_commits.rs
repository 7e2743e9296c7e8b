//! The commits of a pull request, as they stand in its repository.

use tappet_git::{ReadError, Repository};
use tappet_model::{CommitSha, PullRequest};
use tappet_store::Project;

use super::Refusal;
use super::refusal::unavailable;
use crate::app::App;

/// Commits that are there and belong together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Commits {
    /// The newest one of the pull request.
    pub head: CommitSha,
    /// Where it parted from the branch that it goes to.
    pub merge_base: CommitSha,
}

/// Finds the commits that a pull request names; the inner error is for whoever named
/// them. A remote is asked only for what is not here yet.
pub(super) async fn find_commits(
    app: &App,
    project: &Project,
    repository: &Repository,
    pull_request: &PullRequest,
) -> Result<Result<Commits, String>, Refusal> {
    let named = [&pull_request.head_sha, &pull_request.base_sha];
    if let Some(text) = named.iter().find(|text| !is_commit_id(text)) {
        return Ok(Err(format!(
            "`{text}` is no commit id: give the 40 hex digits of a commit"
        )));
    }
    let mut found = look(repository, named).await?;
    if found.iter().any(Option::is_none) {
        let number = pull_request.number.parse().ok();
        app.repositories
            .refresh_pull_request(project, number)
            .await
            .map_err(|error| unavailable(error.message))?;
        found = look(repository, named).await?;
    }
    let (head, base) = match found {
        [Some(head), Some(base)] => (head, base),
        [None, _] => return Ok(Err(missing(project, named[0]))),
        [_, None] => return Ok(Err(missing(project, named[1]))),
    };
    let merge_base = repository.merge_base(&base, &head).await;
    Ok(match merge_base.map_err(unreadable)? {
        Some(merge_base) => Ok(Commits { head, merge_base }),
        None => Err(format!(
            "commits {head} and {base} have nothing in common: give the base that the pull \
             request goes to"
        )),
    })
}

async fn look(
    repository: &Repository,
    named: [&String; 2],
) -> Result<[Option<CommitSha>; 2], Refusal> {
    let mut found = [None, None];
    for (place, text) in found.iter_mut().zip(named) {
        let commit = repository.resolve_commit(text).await.map_err(unreadable)?;
        *place = commit.map(|commit| commit.sha);
    }
    Ok(found)
}

/// Bitbucket tells the first 12 digits only.
fn is_commit_id(text: &str) -> bool {
    (7..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn missing(project: &Project, text: &str) -> String {
    format!(
        "commit {text} is not in the repository of {}: push it first, then trigger again",
        project.path
    )
}

fn unreadable(error: ReadError) -> Refusal {
    unavailable(error.to_string())
}
