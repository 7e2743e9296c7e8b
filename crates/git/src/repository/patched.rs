//! The files of a commit with a patch on top, made without touching the
//! repository: index and new objects lie in a folder of their own, which goes
//! when the result is dropped.

use std::path::Path;

use tappet_model::CommitSha;
use tempfile::TempDir;
use tokio::process::Command;

use super::Repository;
use crate::command::Finished;
use crate::error::ReadError;

/// A commit with a patch on top.
#[derive(Debug)]
pub struct PatchedCommit {
    scratch: TempDir,
    /// The root tree.
    tree: String,
}

/// Why there are no such files.
#[derive(Debug, thiserror::Error)]
pub enum PatchError {
    /// Git's words on the first part that does not fit.
    #[error("the patch does not apply: {0}")]
    DoesNotApply(String),
    /// The folder for the result could not be made.
    #[error("cannot prepare a place for patched files: {0}")]
    Scratch(#[from] std::io::Error),
    /// The repository could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Repository {
    /// Puts `patch`, as `git diff --binary` writes it, on top of commit `sha`. An
    /// empty one changes nothing.
    pub async fn patched(
        &self,
        sha: &CommitSha,
        patch: &[u8],
    ) -> Result<PatchedCommit, PatchError> {
        let scratch = tempfile::tempdir()?;
        std::fs::create_dir(scratch.path().join("objects"))?;
        let file = scratch.path().join("patch");
        tokio::fs::write(&file, patch).await?;

        let mut read_tree = self.aside(scratch.path());
        read_tree.args(["read-tree", "--end-of-options", sha.as_str()]);
        self.succeeded(self.run(read_tree).await?)?;
        let mut apply = self.aside(scratch.path());
        apply.args(["apply", "--cached", "--allow-empty", "--whitespace=nowarn"]);
        apply.arg("--end-of-options").arg(&file);
        let applied = self.run(apply).await?;
        if !applied.status.success() {
            return Err(PatchError::DoesNotApply(applied.complaint()));
        }
        let mut write_tree = self.aside(scratch.path());
        write_tree.arg("write-tree");
        let written = self.succeeded(self.run(write_tree).await?)?;
        let tree = String::from_utf8_lossy(&written.stdout).trim().to_owned();
        Ok(PatchedCommit { scratch, tree })
    }

    /// The names of the files right in the folder at `path`; none when there is no
    /// such folder.
    pub async fn patched_files_in(
        &self,
        patched: &PatchedCommit,
        path: &str,
    ) -> Result<Vec<String>, ReadError> {
        let mut list = self.aside(patched.scratch.path());
        list.args(["ls-tree", "-z", "--end-of-options", &patched.tree]);
        list.arg(format!("{path}/"));
        let listed = self.succeeded(self.run(list).await?)?;
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        let files = text.split('\0').filter_map(|entry| {
            let (facts, full) = entry.split_once('\t')?;
            let is_file = facts.starts_with("100");
            is_file.then(|| full.rsplit('/').next().unwrap_or(full).to_owned())
        });
        Ok(files.collect())
    }

    /// The content of the file at `path`; `None` when there is no such file.
    pub async fn patched_file(
        &self,
        patched: &PatchedCommit,
        path: &str,
    ) -> Result<Option<Vec<u8>>, ReadError> {
        let mut show = self.aside(patched.scratch.path());
        show.args(["cat-file", "blob"]);
        show.arg(format!("{}:{path}", patched.tree));
        let Finished { status, stdout, .. } = self.run(show).await?;
        Ok(status.success().then_some(stdout))
    }

    /// A git that reads our objects and writes beside them.
    fn aside(&self, scratch: &Path) -> Command {
        let mut command = self.reading();
        command
            .env("GIT_INDEX_FILE", scratch.join("index"))
            .env("GIT_OBJECT_DIRECTORY", scratch.join("objects"))
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", &self.objects_dir);
        command
    }
}
