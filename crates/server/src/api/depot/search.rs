//! What the lists of runs and of workflows are narrowed by.

use tappet_model::{Source, Status};
use tappet_store::RunSearch;

use super::caller::Caller;
use super::errors::{RpcError, RpcResult};
use super::{opening, words};
use crate::app::App;
use crate::rights::{self, Right};

/// What a client asked for, as it came.
pub struct Criteria<'a> {
    /// Words of Depot's.
    pub statuses: Vec<&'a str>,
    /// Path of a project, or empty.
    pub repo: &'a str,
    /// The first digits of a commit id, or empty.
    pub sha: &'a str,
    /// A trigger's word, or empty.
    pub trigger: &'a str,
    /// The number of a pull request, or empty.
    pub pr: &'a str,
}

impl Criteria<'_> {
    /// Checked and looked up, without a limit; `None` when nothing can match.
    pub async fn search(&self, app: &App, caller: &Caller) -> RpcResult<Option<RunSearch>> {
        let statuses = statuses(&self.statuses)?;
        let sha_prefix = sha_prefix(self.sha)?;
        let pull_request = pull_request(self.pr, self.repo)?;
        let mut sources = (!self.trigger.is_empty()).then(|| words::sources_of(self.trigger));
        let refs = pull_request.map(|number| {
            let of_requests = [Source::MergeRequestEvent, Source::ExternalPullRequestEvent];
            match &mut sources {
                Some(sources) => sources.retain(|source| of_requests.contains(source)),
                None => sources = Some(of_requests.to_vec()),
            }
            refs_of(number)
        });
        if sources.as_ref().is_some_and(Vec::is_empty) {
            return Ok(None);
        }
        let project = match self.repo {
            "" => None,
            path => {
                let (project, standing) = opening::project(app, caller, path).await?;
                if !standing.may(Right::ReadPipelines, &project) {
                    return Err(RpcError::denied(format!(
                        "your role in `{path}` does not let you see its runs"
                    )));
                }
                Some(project.id)
            }
        };
        Ok(Some(RunSearch {
            viewer: rights::viewer(Some(&caller.user)),
            project,
            statuses,
            sources,
            sha_prefix,
            refs,
            before: None,
            limit: 0,
        }))
    }
}

/// The statuses meant by Depot's words; empty for none.
fn statuses(words: &[&str]) -> RpcResult<Vec<Status>> {
    let mut statuses = Vec::new();
    for word in words {
        let found = words::statuses_of(word).ok_or_else(|| {
            RpcError::invalid(format!(
                "`{word}` is no status; use queued, running, finished, failed or cancelled"
            ))
        })?;
        statuses.extend(found);
    }
    statuses.sort_unstable();
    statuses.dedup();
    Ok(statuses)
}

fn sha_prefix(sha: &str) -> RpcResult<Option<String>> {
    let is_hex = sha.bytes().all(|byte| byte.is_ascii_hexdigit());
    match sha {
        "" => Ok(None),
        sha if is_hex && sha.len() <= 64 => Ok(Some(sha.to_ascii_lowercase())),
        _ => Err(RpcError::invalid(
            "sha must be a commit id or its first hexadecimal digits",
        )),
    }
}

fn pull_request(pr: &str, repo: &str) -> RpcResult<Option<u32>> {
    if pr.is_empty() {
        return Ok(None);
    }
    if repo.is_empty() {
        return Err(RpcError::invalid(
            "pr needs repo: numbers of pull requests belong to one repository",
        ));
    }
    match pr.parse() {
        Ok(number) if number > 0 => Ok(Some(number)),
        _ => Err(RpcError::invalid("pr must be the number of a pull request")),
    }
}

/// The refs that forges keep for a pull request.
fn refs_of(number: u32) -> Vec<String> {
    vec![
        format!("refs/pull/{number}/head"),
        format!("refs/pull/{number}/merge"),
        format!("refs/merge-requests/{number}/head"),
        format!("refs/merge-requests/{number}/merge"),
    ]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", Ok(None))]
    #[case("AB12", Ok(Some("ab12")))]
    #[case("main", Err(()))]
    fn a_commit_is_told_by_its_first_digits(
        #[case] sha: &str,
        #[case] expected: Result<Option<&str>, ()>,
    ) {
        let found = sha_prefix(sha).map_err(|_| ());
        assert_eq!(found, expected.map(|sha| sha.map(str::to_owned)));
    }

    #[rstest]
    #[case("", "", Ok(None))]
    #[case("7", "acme/web", Ok(Some(7)))]
    #[case("7", "", Err(()))]
    #[case("0", "acme/web", Err(()))]
    #[case("x", "acme/web", Err(()))]
    fn a_pull_request_belongs_to_a_repository(
        #[case] pr: &str,
        #[case] repo: &str,
        #[case] expected: Result<Option<u32>, ()>,
    ) {
        assert_eq!(pull_request(pr, repo).map_err(|_| ()), expected);
    }
}
