//! Bare copies of remote repositories, kept under one directory.
//!
//! A mirror is made on first use and brought up to date for the ref that is
//! asked for. Fetches of one mirror follow each other; callers that arrive while
//! one runs share the next, so each sees the remote as it stood when it asked or later.

mod fetch;
mod upkeep;

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tappet_model::{CommitSha, RefName};
use tokio::sync::oneshot;

use crate::address::RemoteUrl;
use crate::command;
use crate::config::Git;
use crate::error::ReadError;
use crate::repositories::Repositories;
use crate::repository::{OpenError, Repository};

pub use upkeep::Upkeep;

/// The most mirrors open at once.
const OPEN_MIRRORS: usize = 16;
/// The most refs asked for in one fetch.
const REFS_PER_FETCH: usize = 64;

/// How long the network may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FetchLimits {
    /// For bringing a ref up to date.
    pub fetch: Duration,
    /// For the first copy of a repository.
    pub first: Duration,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            fetch: Duration::from_secs(10),
            first: Duration::from_secs(600),
        }
    }
}

/// A remote repository that could not be brought here. No text holds a password.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FetchError {
    /// The remote is too slow, or silent.
    #[error("{url} did not answer within {limit:?}: try again later")]
    Timeout {
        /// The address.
        url: RemoteUrl,
        /// How long it had.
        limit: Duration,
    },
    /// The remote refused, or cannot be reached.
    #[error("cannot fetch from {url}: {detail}")]
    Unreachable {
        /// The address.
        url: RemoteUrl,
        /// What git said.
        detail: String,
    },
    /// The copy on this machine cannot be written.
    #[error("cannot write the local copy: {detail}")]
    Local {
        /// What went wrong.
        detail: String,
    },
    /// The copy on this machine cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The copy on this machine cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The mirrors. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Mirrors {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    git: Git,
    dir: PathBuf,
    limits: FetchLimits,
    upkeep: Upkeep,
    /// Held by the one that is repacked.
    upkeep_turn: tokio::sync::Mutex<()>,
    open: Repositories,
    mirrors: Mutex<HashMap<String, Arc<Mirror>>>,
}

#[derive(Debug, Default)]
struct Mirror {
    creation: tokio::sync::Mutex<()>,
    queue: Mutex<Queue>,
    /// Since the start of the server.
    fetches: AtomicU32,
    upkeep: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Queue {
    running: bool,
    waiting: Vec<Waiter>,
}

/// What a fetch brings up to date.
#[derive(Clone, Debug)]
enum Wanted {
    Ref(RefName),
    Everything,
    /// Everything, and what the forge keeps for the pull request of this number.
    PullRequest(u64),
}

#[derive(Debug)]
struct Waiter {
    url: RemoteUrl,
    wanted: Wanted,
    reply: oneshot::Sender<Result<(), FetchError>>,
}

impl Mirrors {
    /// Mirrors under `dir`, which is made when needed.
    pub fn new(git: Git, dir: PathBuf) -> Self {
        Self::with_limits(git, dir, FetchLimits::default(), Upkeep::default())
    }

    /// [`Mirrors::new`] with other time limits and upkeep.
    pub fn with_limits(git: Git, dir: PathBuf, limits: FetchLimits, upkeep: Upkeep) -> Self {
        let git = git.with_protocols(&["git", "http", "https", "ssh"]);
        Self {
            inner: Arc::new(Inner {
                open: Repositories::new(git.clone(), OPEN_MIRRORS),
                git,
                dir,
                limits,
                upkeep,
                upkeep_turn: tokio::sync::Mutex::default(),
                mirrors: Mutex::default(),
            }),
        }
    }

    /// The mirror of `url` under `key` (letters, digits, `-`, `_`: a project's id),
    /// copied now if it is not there yet.
    pub async fn ensure(&self, key: &str, url: &RemoteUrl) -> Result<Arc<Repository>, FetchError> {
        self.ensure_fresh(key, url).await.map(|(mirror, _)| mirror)
    }

    /// The mirror with branch or tag `name` (both, for a short name that is both)
    /// as it stands in the remote now; a ref deleted there is gone here too.
    pub async fn fetch_ref(
        &self,
        key: &str,
        url: &RemoteUrl,
        name: &RefName,
    ) -> Result<Arc<Repository>, FetchError> {
        self.refreshed(key, url, Wanted::Ref(name.clone())).await
    }

    /// The mirror with all branches and tags as they stand in the remote now.
    pub async fn fetch_everything(
        &self,
        key: &str,
        url: &RemoteUrl,
    ) -> Result<Arc<Repository>, FetchError> {
        self.refreshed(key, url, Wanted::Everything).await
    }

    /// [`Mirrors::fetch_everything`], and the commits of pull request `number`, which
    /// lie in no branch of the remote when it comes from a fork.
    pub async fn fetch_pull_request(
        &self,
        key: &str,
        url: &RemoteUrl,
        number: u64,
    ) -> Result<Arc<Repository>, FetchError> {
        // A fresh copy has branches and tags only.
        self.ensure(key, url).await?;
        self.refreshed(key, url, Wanted::PullRequest(number)).await
    }

    async fn refreshed(
        &self,
        key: &str,
        url: &RemoteUrl,
        wanted: Wanted,
    ) -> Result<Arc<Repository>, FetchError> {
        let (repository, just_copied) = self.ensure_fresh(key, url).await?;
        if just_copied {
            return Ok(repository);
        }
        let (reply, done) = oneshot::channel();
        let waiter = Waiter {
            url: url.clone(),
            wanted,
            reply,
        };
        let start = {
            let mirror = self.mirror(key);
            let mut queue = locked(&mirror.queue);
            queue.waiting.push(waiter);
            !std::mem::replace(&mut queue.running, true)
        };
        if start {
            // A task of its own: the fetch goes on for the others when this caller leaves.
            tokio::spawn(self.clone().work_off(key.to_owned()));
        }
        let stopped = || FetchError::Local {
            detail: "the server is shutting down".to_owned(),
        };
        done.await.map_err(|_| stopped())??;
        Ok(repository)
    }

    /// Keeps commit `sha` in the mirror, whatever happens to its branch, until
    /// [`Mirrors::release`].
    pub async fn keep(&self, key: &str, sha: &CommitSha) -> Result<(), FetchError> {
        let name = keep_ref(sha);
        self.local(key, &["update-ref", &name, sha.as_str()]).await
    }

    /// Lets go of a commit that was kept.
    pub async fn release(&self, key: &str, sha: &CommitSha) -> Result<(), FetchError> {
        self.local(key, &["update-ref", "-d", &keep_ref(sha)]).await
    }

    async fn local(&self, key: &str, arguments: &[&str]) -> Result<(), FetchError> {
        let mut command = self.inner.git.command();
        command.env("GIT_DIR", self.path(key)?).args(arguments);
        let finished = command::run(command, self.inner.limits.fetch)
            .await
            .map_err(local_failure)?;
        if finished.status.success() {
            Ok(())
        } else {
            Err(local_failure(finished.complaint()))
        }
    }

    /// The mirror, and whether this call copied it.
    async fn ensure_fresh(
        &self,
        key: &str,
        url: &RemoteUrl,
    ) -> Result<(Arc<Repository>, bool), FetchError> {
        let path = self.path(key)?;
        let mirror = self.mirror(key);
        let creation = mirror.creation.lock().await;
        let copied = !path.exists();
        if copied {
            self.copy(key, url, &path).await?;
        }
        drop(creation);
        Ok((self.inner.open.get(&path).await?, copied))
    }

    /// Fetches for those who wait until nobody does.
    async fn work_off(self, key: String) {
        let mirror = self.mirror(&key);
        loop {
            let (url, group) = {
                let mut queue = locked(&mirror.queue);
                let Some(first) = queue.waiting.first() else {
                    queue.running = false;
                    return;
                };
                let url = first.url.clone();
                let group = take_group(&mut queue.waiting, &url, REFS_PER_FETCH);
                (url, group)
            };
            let wanted: Vec<Wanted> = group.iter().map(|waiter| waiter.wanted.clone()).collect();
            let outcome = self.fetch(&key, &url, &wanted).await;
            let late = match &outcome {
                Ok(()) => Vec::new(),
                // The remote failed while they waited: that is their answer as well.
                Err(_) => take_group(&mut locked(&mirror.queue).waiting, &url, usize::MAX),
            };
            for waiter in group.into_iter().chain(late) {
                // A caller that gave up needs no answer.
                let _ = waiter.reply.send(outcome.clone());
            }
            self.fetched(&key, &mirror);
        }
    }

    fn mirror(&self, key: &str) -> Arc<Mirror> {
        let mut mirrors = locked(&self.inner.mirrors);
        Arc::clone(mirrors.entry(key.to_owned()).or_default())
    }

    fn path(&self, key: &str) -> Result<PathBuf, FetchError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if key.is_empty() || key.len() > 64 || !key.chars().all(plain) {
            return Err(local_failure(format!("{key:?} cannot name a mirror")));
        }
        Ok(self.inner.dir.join(format!("{key}.git")))
    }
}

fn keep_ref(sha: &CommitSha) -> String {
    format!("refs/tappet/keep/{sha}")
}

fn take_group(waiting: &mut Vec<Waiter>, url: &RemoteUrl, most: usize) -> Vec<Waiter> {
    let mut left = most;
    let due = |waiter: &mut Waiter| {
        let taken = left > 0 && waiter.url == *url;
        left -= usize::from(taken);
        taken
    };
    waiting.extract_if(.., due).collect()
}

fn local_failure(error: impl ToString) -> FetchError {
    FetchError::Local {
        detail: error.to_string(),
    }
}

impl From<io::Error> for FetchError {
    fn from(error: io::Error) -> Self {
        local_failure(error)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
