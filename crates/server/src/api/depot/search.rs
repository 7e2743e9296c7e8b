//! What the lists of runs and of workflows are narrowed by.

use tappet_model::{ProjectId, Source, Status};
use tappet_store::{PageRequest, ProjectFilter, Run};

use super::caller::Caller;
use super::errors::{RpcError, RpcResult};
use super::{opening, words};
use crate::app::App;
use crate::clock;
use crate::rights::{self, Right};

/// Projects that are read at once.
const PROJECTS_AT_ONCE: u32 = 500;

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

/// What is to be searched for, checked and looked up.
pub struct Wanted {
    /// Only of these; `None`: of all.
    pub projects: Option<Vec<ProjectId>>,
    /// One of these; empty: any.
    pub statuses: Vec<Status>,
    /// One of these; empty: any.
    pub sources: Vec<Source>,
    /// First digits of the commit.
    pub sha_prefix: Option<String>,
    /// One of these; `None`: any.
    refs: Option<Vec<String>>,
}

impl Wanted {
    /// Whether a run that was found is of a ref that was asked for.
    pub fn has_ref_of(&self, run: &Run) -> bool {
        let refs = self.refs.as_ref();
        refs.is_none_or(|refs| refs.contains(&run.ref_name))
    }
}

impl Criteria<'_> {
    /// `None` when nothing can match.
    pub async fn wanted(&self, app: &App, caller: &Caller) -> RpcResult<Option<Wanted>> {
        let statuses = statuses(&self.statuses)?;
        let sha_prefix = sha_prefix(self.sha)?;
        let pull_request = pull_request(self.pr, self.repo)?;
        let mut sources = match self.trigger {
            "" => Source::ALL.to_vec(),
            word => words::sources_of(word),
        };
        let refs = pull_request.map(refs_of);
        if refs.is_some() {
            let of_requests = [Source::MergeRequestEvent, Source::ExternalPullRequestEvent];
            sources.retain(|source| of_requests.contains(source));
        }
        let projects = match self.repo {
            "" => readable_projects(app, caller).await?,
            path => Some(vec![readable_project(app, caller, path).await?]),
        };
        if sources.is_empty() || projects.as_ref().is_some_and(Vec::is_empty) {
            return Ok(None);
        }
        if sources.len() == Source::ALL.len() {
            sources.clear();
        }
        Ok(Some(Wanted {
            projects,
            statuses,
            sources,
            sha_prefix,
            refs,
        }))
    }
}

async fn readable_project(app: &App, caller: &Caller, path: &str) -> RpcResult<ProjectId> {
    let (project, standing) = opening::project(app, caller, path).await?;
    if standing.may(Right::ReadPipelines, &project) {
        return Ok(project.id);
    }
    Err(RpcError::denied(format!(
        "your role in `{path}` does not let you see its runs"
    )))
}

/// The projects whose runs somebody may see; `None`: all.
async fn readable_projects(app: &App, caller: &Caller) -> RpcResult<Option<Vec<ProjectId>>> {
    if caller.user.is_admin {
        return Ok(None);
    }
    let mut readable = Vec::new();
    for page in 1.. {
        let filter = ProjectFilter {
            viewer: rights::viewer(Some(&caller.user)),
            ..ProjectFilter::default()
        };
        let request = PageRequest {
            page,
            per_page: PROJECTS_AT_ONCE,
        };
        let listing = app
            .store
            .visible_projects(filter, clock::now(), request)
            .await?;
        for project in listing.items {
            let standing = app.standing(Some(&caller.user), &project).await?;
            if standing.may(Right::ReadPipelines, &project) {
                readable.push(project.id);
            }
        }
        if !listing.has_next {
            break;
        }
    }
    Ok(Some(readable))
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
