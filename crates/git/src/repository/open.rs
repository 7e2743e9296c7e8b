//! Opening a repository, and saying what is wrong with one that cannot be opened.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::compare::{BASES_CACHE, PATHS_CACHE};
use super::{COMMIT_CACHE, ExactRefs, FILE_CACHE, PATH_CACHE, ReadLimits, Repository, TAG_CACHE};
use crate::batch::{Answer, Batch, Query, Source, Tells};
use crate::command::{self, RunError};
use crate::config::Git;
use crate::error::ReadError;
use crate::lru::Lru;

/// A folder that cannot serve as repository. The text is fit for an API message.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    /// Nothing is there.
    #[error("there is no repository at {}: the path does not exist", dir.display())]
    Missing {
        /// The path given.
        dir: PathBuf,
    },
    /// Something else is there.
    #[error(
        "{} is not a git repository: give the path of a work tree or a bare repository",
        dir.display()
    )]
    NotARepository {
        /// The path given.
        dir: PathBuf,
    },
    /// It was a repository once.
    #[error("the repository at {} is corrupt: {detail}; `git fsck` shows more", dir.display())]
    Corrupt {
        /// The path given.
        dir: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// It may be fine, but not for us.
    #[error("the repository at {} cannot be read: {detail}", dir.display())]
    Unreadable {
        /// The path given.
        dir: PathBuf,
        /// Why.
        detail: String,
    },
}

impl Repository {
    /// Opens the repository at `dir`, a work tree or a bare repository, and checks
    /// that its configuration, refs and the commit of `HEAD` can be read. An
    /// empty repository opens; a folder inside a repository does not.
    pub async fn open(git: &Git, dir: &Path) -> Result<Repository, OpenError> {
        Self::open_with(git, dir, ReadLimits::default()).await
    }

    /// [`Repository::open`] with other time limits.
    pub async fn open_with(
        git: &Git,
        dir: &Path,
        limits: ReadLimits,
    ) -> Result<Repository, OpenError> {
        let place = Place::find(git, dir, limits).await?;
        let source = Source {
            git: git.clone(),
            git_dir: place.git_dir.clone(),
            objects_dir: place.objects_dir.clone(),
            reply_limit: limits.reply,
            idle_limit: limits.idle,
        };
        let repository = Repository {
            git: git.clone(),
            git_dir: place.git_dir,
            objects_dir: place.objects_dir,
            limits,
            names: Batch::new(source.clone(), Tells::Ids),
            objects: Batch::new(source, Tells::Everything),
            refs: ExactRefs::new(place.common_dir),
            commits: Mutex::new(Lru::new(COMMIT_CACHE)),
            tag_messages: Mutex::new(Lru::new(TAG_CACHE)),
            blob_ids: Mutex::new(Lru::new(PATH_CACHE)),
            blobs: Mutex::new(Lru::new(FILE_CACHE)),
            merge_bases: Mutex::new(Lru::new(BASES_CACHE)),
            paths: Mutex::new(Lru::new(PATHS_CACHE)),
        };
        match repository.check().await {
            Ok(()) => Ok(repository),
            Err(error) => Err(refusal(dir, error)),
        }
    }

    /// Reads the commit of `HEAD` and its tree in full.
    async fn check(&self) -> Result<(), ReadError> {
        let head = |what: &str| Query::Info(format!("HEAD^{{{what}}}"));
        match self.objects.ask([head("commit"), head("tree")]).await {
            Ok([Some(commit), Some(tree)]) => {
                let [commit, tree]: [Answer; 2] = self
                    .objects
                    .ask([Query::Contents(commit.id), Query::Contents(tree.id)])
                    .await?;
                if commit.is_some() && tree.is_some() {
                    return Ok(());
                }
            }
            Ok(_) | Err(ReadError::Stopped { .. }) => {}
            Err(error) => return Err(error),
        }
        self.check_unborn().await
    }

    /// `HEAD` leads to no commit: fine when its branch does not exist yet.
    async fn check_unborn(&self) -> Result<(), ReadError> {
        self.is_empty().await?;
        let branch = self.default_branch().await?;
        if let Some(branch) = &branch
            && !self.has_ref(&format!("refs/heads/{branch}")).await?
        {
            return Ok(());
        }
        let mut command = self.reading();
        command.args(["rev-list", "--max-count=1", "--objects", "HEAD", "--"]);
        let finished = self.run(command).await?;
        Err(ReadError::corrupt(if finished.status.success() {
            "the commit of HEAD cannot be read".to_owned()
        } else {
            finished.complaint()
        }))
    }
}

fn refusal(dir: &Path, error: ReadError) -> OpenError {
    let dir = dir.to_owned();
    match error {
        ReadError::Gone { .. } => OpenError::Missing { dir },
        ReadError::Corrupt { detail } | ReadError::Stopped { detail } => {
            OpenError::Corrupt { dir, detail }
        }
        ReadError::Timeout { .. } | ReadError::NoCommit { .. } => OpenError::Unreadable {
            dir,
            detail: error.to_string(),
        },
    }
}

/// Where the parts of a repository lie; all absolute.
struct Place {
    git_dir: PathBuf,
    common_dir: PathBuf,
    objects_dir: PathBuf,
}

impl Place {
    async fn find(git: &Git, dir: &Path, limits: ReadLimits) -> Result<Place, OpenError> {
        let candidate = candidate(dir)?;
        let corrupt = |detail: String| OpenError::Corrupt {
            dir: dir.to_owned(),
            detail,
        };
        let mut command = git.reading(&candidate);
        command.args(["rev-parse", "--path-format=absolute", "--git-dir"]);
        command.args(["--git-common-dir", "--git-path", "objects"]);
        command.arg("--show-object-format");
        let finished = command::run(command, limits.reply)
            .await
            .map_err(|error: RunError| OpenError::Unreadable {
                dir: dir.to_owned(),
                detail: error.to_string(),
            })?;
        if !finished.status.success() {
            let complaint = finished.complaint();
            return Err(match complaint.contains("not a git repository") {
                true if looks_like_one(dir, &candidate) => {
                    corrupt("HEAD, objects or refs are missing or damaged".to_owned())
                }
                true => OpenError::NotARepository {
                    dir: dir.to_owned(),
                },
                false => corrupt(complaint),
            });
        }
        let output = String::from_utf8(finished.stdout)
            .map_err(|_| corrupt("its path is not UTF-8".to_owned()))?;
        let mut lines = output.lines();
        let (Some(git_dir), Some(common_dir), Some(objects_dir), Some(format)) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(corrupt("git did not say where its parts lie".to_owned()));
        };
        if format != "sha1" {
            return Err(OpenError::Unreadable {
                dir: dir.to_owned(),
                detail: format!("it uses {format} object ids; only sha1 is supported"),
            });
        }
        Ok(Place {
            git_dir: git_dir.into(),
            common_dir: common_dir.into(),
            objects_dir: objects_dir.into(),
        })
    }
}

/// The git directory that `dir` would have: its `.git` if there is one, else itself.
fn candidate(dir: &Path) -> Result<PathBuf, OpenError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => OpenError::Missing {
            dir: dir.to_owned(),
        },
        _ => OpenError::Unreadable {
            dir: dir.to_owned(),
            detail: error.to_string(),
        },
    };
    let found = dir.canonicalize().map_err(failed)?;
    if !found.is_dir() {
        return Err(OpenError::NotARepository {
            dir: dir.to_owned(),
        });
    }
    let dot_git = found.join(".git");
    let git_dir = match dot_git.symlink_metadata() {
        Ok(_) => dot_git,
        Err(error) if error.kind() == io::ErrorKind::NotFound => found,
        Err(error) => return Err(failed(error)),
    };
    for part in ["HEAD", "config"] {
        match std::fs::metadata(git_dir.join(part)) {
            // Opening a pipe would wait for a writer.
            Ok(found) if found.is_file() => {
                std::fs::File::open(git_dir.join(part)).map_err(failed)?;
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(failed(error));
            }
            _ => {}
        }
    }
    Ok(git_dir)
}

fn looks_like_one(dir: &Path, candidate: &Path) -> bool {
    let parts = ["HEAD", "objects", "refs", "packed-refs"];
    let present = parts.iter().filter(|part| candidate.join(part).exists());
    candidate != dir && candidate.ends_with(".git") && candidate.parent() == Some(dir)
        || present.count() >= 2
}
