//! A file at a commit, found by walking tree objects, so that neither symlinks
//! nor `..` can lead out of the commit.

use std::sync::Arc;

use tappet_model::CommitSha;

use super::{Repository, locked};
use crate::batch::{Object, ObjectKind, Query};
use crate::error::ReadError;
use crate::tree::{self, EntryKind};

/// The largest folder listing read, in bytes: some hundred thousand names.
const MAX_TREE: u64 = 16 << 20;
/// The longest path, in bytes.
const MAX_PATH: usize = 4096;

/// A file at a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileAt {
    /// The id of its content: the same for the same bytes.
    pub blob: String,
    /// The content.
    pub bytes: Arc<[u8]>,
}

/// A path that has no readable file at the commit.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FileError {
    /// Nothing of that name.
    #[error("the file does not exist at this commit")]
    Missing,
    /// The file or a folder above it is a symbolic link.
    #[error(
        "the path goes through a symbolic link, and those are not followed: put the file itself there"
    )]
    Symlink,
    /// A folder or a submodule.
    #[error("the path is a folder or a submodule, not a file")]
    NotAFile,
    /// More than the caller allows.
    #[error("the file has {size} bytes, more than the {limit} allowed")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The most allowed.
        limit: u64,
    },
    /// No path inside a commit.
    #[error(
        "the path must be relative to the repository's root, without empty parts, `.` and `..`"
    )]
    BadPath,
    /// The repository could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Repository {
    /// The file at `path` (with `/` between folders) in commit `sha`, if it has at
    /// most `limit` bytes.
    pub async fn file_at(
        &self,
        sha: &CommitSha,
        path: &str,
        limit: u64,
    ) -> Result<FileAt, FileError> {
        let blob = self.blob_at(sha, path).await?;
        let cached = locked(&self.blobs).get(&blob);
        if let Some(bytes) = cached {
            return within(bytes.len() as u64, limit).map(|()| FileAt { blob, bytes });
        }
        let object = self.object(&blob, ObjectKind::Blob).await?;
        within(object.size, limit)?;
        let bytes: Arc<[u8]> = self.contents(&blob, object.size, limit).await?.into();
        locked(&self.blobs).put(blob.clone(), Arc::clone(&bytes), bytes.len());
        Ok(FileAt { blob, bytes })
    }

    /// The id of the content of the file at `path`, without reading it.
    pub async fn blob_at(&self, sha: &CommitSha, path: &str) -> Result<String, FileError> {
        let parts = parts(path)?;
        let key = (sha.clone(), path.to_owned());
        if let Some(blob) = locked(&self.blob_ids).get(&key) {
            return Ok(blob);
        }
        let (name, folders) = parts.split_last().ok_or(FileError::BadPath)?;
        let tree = self.folder(sha, folders).await?;
        let blob = match self.entry(&tree, name).await? {
            (EntryKind::File, id) => id,
            (EntryKind::Symlink, _) => return Err(FileError::Symlink),
            (EntryKind::Folder | EntryKind::Submodule, _) => return Err(FileError::NotAFile),
        };
        locked(&self.blob_ids).put(key, blob.clone(), 1);
        Ok(blob)
    }

    /// The names of the files right in the folder at `path`, in git's order; those
    /// that are not UTF-8 are left out.
    pub async fn files_in(&self, sha: &CommitSha, path: &str) -> Result<Vec<String>, FileError> {
        let tree = self.folder(sha, &parts(path)?).await?;
        let content = self.contents(&tree.id, tree.size, MAX_TREE).await?;
        let entries: Vec<_> = tree::entries(&content)
            .collect::<Result<_, ()>>()
            .map_err(|()| malformed(&tree))?;
        let files = entries
            .into_iter()
            .filter(|entry| entry.kind == EntryKind::File);
        Ok(files
            .filter_map(|file| std::str::from_utf8(file.name).ok().map(str::to_owned))
            .collect())
    }

    /// The tree of a folder, by the names that lead to it.
    async fn folder(&self, sha: &CommitSha, names: &[&str]) -> Result<Object, FileError> {
        let mut tree = self.root_tree(sha).await?;
        for name in names {
            tree = match self.entry(&tree, name).await? {
                (EntryKind::Folder, id) => self.object(&id, ObjectKind::Tree).await?,
                (EntryKind::Symlink, _) => return Err(FileError::Symlink),
                (EntryKind::File | EntryKind::Submodule, _) => return Err(FileError::Missing),
            };
        }
        Ok(tree)
    }

    async fn root_tree(&self, sha: &CommitSha) -> Result<Object, ReadError> {
        let tree = Query::Info(format!("{sha}^{{tree}}"));
        match self
            .objects
            .ask([Query::Info(sha.to_string()), tree])
            .await?
        {
            [Some(commit), Some(tree)] if commit.kind == ObjectKind::Commit => Ok(tree),
            [Some(commit), None] if commit.kind == ObjectKind::Commit => Err(ReadError::corrupt(
                format!("the tree of commit {sha} is missing or damaged"),
            )),
            _ => Err(ReadError::NoCommit { sha: sha.clone() }),
        }
    }

    async fn entry(&self, tree: &Object, name: &str) -> Result<(EntryKind, String), FileError> {
        let content = self.contents(&tree.id, tree.size, MAX_TREE).await?;
        tree::find(&content, name.as_bytes())
            .map_err(|()| malformed(tree))?
            .ok_or(FileError::Missing)
    }

    async fn object(&self, id: &str, kind: ObjectKind) -> Result<Object, ReadError> {
        match self.objects.ask([Query::Info(id.to_owned())]).await? {
            [Some(object)] if object.kind == kind => Ok(object),
            _ => Err(ReadError::corrupt(format!(
                "object {id} is missing or damaged"
            ))),
        }
    }
}

fn malformed(tree: &Object) -> ReadError {
    ReadError::corrupt(format!("tree {} is malformed", tree.id))
}

fn within(size: u64, limit: u64) -> Result<(), FileError> {
    if size > limit {
        return Err(FileError::TooLarge { size, limit });
    }
    Ok(())
}

fn parts(path: &str) -> Result<Vec<&str>, FileError> {
    let bad = |part: &str| part.is_empty() || part == "." || part == "..";
    let parts: Vec<&str> = path.split('/').collect();
    let fits = path.len() <= MAX_PATH && !path.chars().any(char::is_control);
    if !fits || parts.iter().any(|part| bad(part)) {
        return Err(FileError::BadPath);
    }
    Ok(parts)
}
