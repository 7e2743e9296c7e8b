//! From a project to the repository that its commits are read from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tappet_git::{Git, Mirrors, RemoteUrl, Repositories, Repository, RepositoryAddress};
use tappet_model::{ProjectId, RefName};
use tappet_store::{Project, RepositorySource};

/// How long clients are asked to wait when a remote does not answer.
pub const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Local repositories kept open, each with two idle git processes at most.
const OPEN_REPOSITORIES: usize = 32;

/// Repositories of all projects.
pub struct ProjectRepositories {
    local: Repositories,
    mirrors: Mirrors,
    git: Git,
    allow_local: bool,
    /// Why nothing can be read.
    problem: OnceLock<String>,
    /// Default branches as read, since they are asked for at each trigger.
    default_branches: Mutex<HashMap<ProjectId, String>>,
}

/// A repository that cannot be read now.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct RepositoryUnavailable {
    /// What was tried and what to do.
    pub message: String,
}

impl ProjectRepositories {
    /// Mirrors lie under `data_dir`.
    pub fn new(git: Git, data_dir: &Path, allow_local: bool) -> Self {
        Self {
            local: Repositories::new(git.clone(), OPEN_REPOSITORIES),
            mirrors: Mirrors::new(git.clone(), data_dir.join("repositories")),
            git,
            allow_local,
            problem: OnceLock::new(),
            default_branches: Mutex::default(),
        }
    }

    /// The repository of a project, opened once and kept.
    pub async fn of(&self, project: &Project) -> Result<Arc<Repository>, RepositoryUnavailable> {
        match &project.source {
            RepositorySource::Local(path) => {
                self.local
                    .get(Path::new(path))
                    .await
                    .map_err(|error| RepositoryUnavailable {
                        message: error.to_string(),
                    })
            }
            RepositorySource::Remote(url) => {
                let url = parse_remote(url)?;
                self.mirrors
                    .ensure(&mirror_key(&url), &url)
                    .await
                    .map_err(|error| RepositoryUnavailable {
                        message: error.to_string(),
                    })
            }
        }
    }

    /// Brings a ref of a remote project up to date; local ones always are.
    pub async fn refresh(
        &self,
        project: &Project,
        name: &RefName,
    ) -> Result<(), RepositoryUnavailable> {
        let RepositorySource::Remote(url) = &project.source else {
            return Ok(());
        };
        let url = parse_remote(url)?;
        self.mirrors
            .fetch_ref(&mirror_key(&url), &url, name)
            .await
            .map(|_| ())
            .map_err(|error| RepositoryUnavailable {
                message: error.to_string(),
            })
    }

    /// Brings all branches and tags of a remote project up to date; local ones
    /// always are.
    pub async fn refresh_everything(&self, project: &Project) -> Result<(), RepositoryUnavailable> {
        let RepositorySource::Remote(url) = &project.source else {
            return Ok(());
        };
        let url = parse_remote(url)?;
        self.mirrors
            .fetch_everything(&mirror_key(&url), &url)
            .await
            .map(|_| ())
            .map_err(|error| RepositoryUnavailable {
                message: error.to_string(),
            })
    }

    /// Brings branches, tags and the commits of a pull request of a remote project up
    /// to date; local ones always are.
    pub async fn refresh_pull_request(
        &self,
        project: &Project,
        number: Option<u64>,
    ) -> Result<(), RepositoryUnavailable> {
        let (RepositorySource::Remote(url), Some(number)) = (&project.source, number) else {
            return self.refresh_everything(project).await;
        };
        let url = parse_remote(url)?;
        self.mirrors
            .fetch_pull_request(&mirror_key(&url), &url, number)
            .await
            .map(|_| ())
            .map_err(|error| RepositoryUnavailable {
                message: error.to_string(),
            })
    }

    /// Keeps a commit of a mirror while runs use it.
    pub async fn keep(&self, project: &Project, sha: &tappet_model::CommitSha) {
        if let RepositorySource::Remote(url) = &project.source
            && let Ok(url) = parse_remote(url)
            && let Err(error) = self.mirrors.keep(&mirror_key(&url), sha).await
        {
            tracing::warn!(project = %project.id, %sha, %error, "cannot pin a commit");
        }
    }

    /// The project's default branch: as set, else the repository's HEAD.
    pub async fn default_branch(
        &self,
        project: &Project,
        repository: &Repository,
    ) -> Option<String> {
        if let Some(branch) = &project.default_branch {
            return Some(branch.clone());
        }
        if let Some(branch) = self.remembered(project.id) {
            return Some(branch);
        }
        let branch = repository.default_branch().await.ok().flatten()?;
        self.default_branches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(project.id, branch.clone());
        Some(branch)
    }

    /// Like [`Self::default_branch`], for lists of projects: nothing is fetched for
    /// them, so that of a remote repository is known only once it was used.
    pub async fn default_branch_at_hand(&self, project: &Project) -> Option<String> {
        let set = project.default_branch.clone();
        let known = set.or_else(|| self.remembered(project.id));
        if known.is_some() || matches!(project.source, RepositorySource::Remote(_)) {
            return known;
        }
        let repository = self.of(project).await.ok()?;
        self.default_branch(project, &repository).await
    }

    fn remembered(&self, id: ProjectId) -> Option<String> {
        self.default_branches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    /// Checks the address of a project to be: where it is, and that it can be
    /// read. The error is a message about `import_url`.
    pub async fn check(
        &self,
        address: &str,
    ) -> Result<(RepositorySource, Arc<Repository>), String> {
        match RepositoryAddress::parse(address).map_err(|error| error.to_string())? {
            RepositoryAddress::Local(_) if !self.allow_local => Err(
                "repositories on this machine are not allowed, since this server does not \
                 listen on loopback only; give an https, ssh or git address"
                    .to_owned(),
            ),
            RepositoryAddress::Local(path) => {
                let path = absolute(&path)?;
                let repository = self
                    .local
                    .get(&path)
                    .await
                    .map_err(|error| error.to_string())?;
                let text = path.to_str().ok_or("the path is not valid UTF-8")?;
                Ok((RepositorySource::Local(text.to_owned()), repository))
            }
            RepositoryAddress::Remote(url) => {
                let repository = self
                    .mirrors
                    .ensure(&mirror_key(&url), &url)
                    .await
                    .map_err(|error| error.to_string())?;
                Ok((
                    RepositorySource::Remote(url.as_str().to_owned()),
                    repository,
                ))
            }
        }
    }

    /// Why no repository can be read, when git itself is at fault.
    pub fn problem(&self) -> Option<&str> {
        self.problem.get().map(String::as_str)
    }

    /// Nothing can be read from now on.
    pub fn give_up(&self, problem: String) {
        let _ = self.problem.set(problem);
    }

    /// The git program with its clean environment.
    pub fn git(&self) -> &Git {
        &self.git
    }
}

/// Projects of the same address share a mirror.
fn mirror_key(url: &RemoteUrl) -> String {
    let digest = Sha256::digest(url.as_str().as_bytes());
    digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|error| {
        format!(
            "there is no readable repository at {}: {error}",
            path.display()
        )
    })
}

fn parse_remote(url: &str) -> Result<RemoteUrl, RepositoryUnavailable> {
    match RepositoryAddress::parse(url) {
        Ok(RepositoryAddress::Remote(url)) => Ok(url),
        Ok(RepositoryAddress::Local(_)) => Err(RepositoryUnavailable {
            message: "the project's address changed its kind".to_owned(),
        }),
        Err(error) => Err(RepositoryUnavailable {
            message: error.to_string(),
        }),
    }
}
