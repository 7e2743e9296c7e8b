//! One repository that refs, commits and files are read from.
//!
//! Everything comes out of git's object database; the work tree, if there is
//! one, is never looked at.

mod compare;
mod exact_ref;
mod file;
mod find_commit;
mod history;
mod open;
mod patched;
mod refs;
mod resolve;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tappet_model::CommitSha;
use tokio::process::Command;

use crate::batch::{Batch, ObjectKind, Query};
use crate::command::{self, Finished};
use crate::commit::Commit;
use crate::config::Git;
use crate::error::ReadError;
use crate::lru::Lru;
use compare::Listed;
use exact_ref::ExactRefs;

pub use compare::{MAX_PATHS, Paths};
pub use file::{FileAt, FileError};
pub use history::{CommitStats, HistoryFilter};
pub use open::OpenError;
pub use patched::{PatchError, PatchedCommit};
pub use refs::Ref;
pub use resolve::{ResolveError, ResolvedRef};

/// The largest commit or tag object read, in bytes.
const MAX_MESSAGE: u64 = 1 << 20;
/// What cached commits may weigh together, in bytes.
const COMMIT_CACHE: usize = 1 << 20;
/// What cached files may weigh together, in bytes.
const FILE_CACHE: usize = 4 << 20;
/// How many `(commit, path) → blob` answers are remembered.
const PATH_CACHE: usize = 512;
/// How many tag messages are remembered.
const TAG_CACHE: usize = 64;

/// Time limits of reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadLimits {
    /// How long git may take for one answer.
    pub reply: Duration,
    /// How long the `git cat-file` of a repository stays without requests; it
    /// starts again with the next.
    pub idle: Duration,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            reply: Duration::from_secs(10),
            idle: Duration::from_secs(60),
        }
    }
}

/// A repository open for reading. Share it in an [`Arc`]; dropping the last one
/// ends its git process.
#[derive(Debug)]
pub struct Repository {
    git: Git,
    git_dir: PathBuf,
    objects_dir: PathBuf,
    limits: ReadLimits,
    /// Answers which commit a name leads to.
    names: Batch,
    /// Answers what objects hold.
    objects: Batch,
    refs: ExactRefs,
    commits: Mutex<Lru<CommitSha, Arc<Commit>>>,
    tag_messages: Mutex<Lru<String, Arc<str>>>,
    blob_ids: Mutex<Lru<(CommitSha, String), String>>,
    blobs: Mutex<Lru<String, Arc<[u8]>>>,
    merge_bases: Mutex<Lru<(CommitSha, CommitSha), Option<CommitSha>>>,
    paths: Mutex<Lru<Listed, Paths>>,
}

impl Repository {
    /// The absolute git directory: `.git` of a work tree, or the bare repository itself.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The object store, for `objects/info/alternates`; a linked work tree's is
    /// that of its main repository.
    pub fn objects_dir(&self) -> PathBuf {
        self.objects_dir.clone()
    }

    /// The branch that `HEAD` names, even when it has no commit yet; `None` when
    /// `HEAD` is detached.
    pub async fn default_branch(&self) -> Result<Option<String>, ReadError> {
        let mut command = self.reading();
        command.args(["symbolic-ref", "--quiet", "HEAD"]);
        let finished = self.run(command).await?;
        if finished.status.code() == Some(1) {
            return Ok(None);
        }
        let target = String::from_utf8_lossy(&self.succeeded(finished)?.stdout).into_owned();
        Ok(target
            .trim_end()
            .strip_prefix("refs/heads/")
            .map(str::to_owned))
    }

    /// Whether there is neither a branch nor a tag.
    pub async fn is_empty(&self) -> Result<bool, ReadError> {
        let mut command = self.reading();
        command.args(["for-each-ref", "--count=1", "--format=%(refname)"]);
        command.args(["refs/heads/", "refs/tags/"]);
        let finished = self.run(command).await?;
        Ok(self.succeeded(finished)?.stdout.is_empty())
    }

    /// The commit `sha`.
    pub async fn commit(&self, sha: &CommitSha) -> Result<Arc<Commit>, ReadError> {
        if let Some(commit) = locked(&self.commits).get(sha) {
            return Ok(commit);
        }
        let unknown = || ReadError::NoCommit { sha: sha.clone() };
        let [found] = self.objects.ask([Query::Info(sha.to_string())]).await?;
        let found = found.ok_or_else(unknown)?;
        if found.kind != ObjectKind::Commit {
            return Err(unknown());
        }
        let content = self.contents(&found.id, found.size, MAX_MESSAGE).await?;
        let commit = Commit::parse(sha, &content)
            .ok_or_else(|| ReadError::corrupt(format!("commit {sha} has no valid header")))?;
        let commit = Arc::new(commit);
        locked(&self.commits).put(sha.clone(), Arc::clone(&commit), content.len() + 512);
        Ok(commit)
    }

    /// The content of object `id`, known to have `size` bytes.
    async fn contents(&self, id: &str, size: u64, limit: u64) -> Result<Vec<u8>, ReadError> {
        if size > limit {
            return Err(ReadError::corrupt(format!(
                "object {id} has {size} bytes, more than the {limit} that are read"
            )));
        }
        let [found] = self.objects.ask([Query::Contents(id.to_owned())]).await?;
        found
            .map(|object| object.content)
            .ok_or_else(|| ReadError::corrupt(format!("object {id} is missing")))
    }

    fn reading(&self) -> Command {
        self.git.reading(&self.git_dir)
    }

    async fn run(&self, command: Command) -> Result<Finished, ReadError> {
        if !self.objects_dir.is_dir() {
            return Err(ReadError::Gone {
                dir: self.git_dir.clone(),
            });
        }
        Ok(command::run(command, self.limits.reply).await?)
    }

    fn succeeded(&self, finished: Finished) -> Result<Finished, ReadError> {
        if finished.status.success() {
            Ok(finished)
        } else {
            Err(ReadError::corrupt(finished.complaint()))
        }
    }
}

/// A cache stays usable when a thread panicked while holding it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
