//! Where two commits parted, and which files differ between them.
//!
//! Commits never change, so that every answer is remembered: a pull request is
//! looked at many times, but costs git two processes.

use std::sync::Arc;

use tappet_model::CommitSha;

use super::{Repository, locked};
use crate::error::ReadError;

/// The most paths that are told; lists beyond this are not known.
pub const MAX_PATHS: usize = 500_000;

/// Paths from the root of a repository in git's order; `None` when there are more
/// than [`MAX_PATHS`].
pub type Paths = Option<Arc<[String]>>;

/// What cached lists of paths may weigh together, in bytes.
pub(super) const PATHS_CACHE: usize = 8 << 20;
/// How many merge bases are remembered.
pub(super) const BASES_CACHE: usize = 512;

/// What a list of paths is of.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Listed {
    Between(CommitSha, CommitSha),
    At(CommitSha),
}

impl Repository {
    /// The newest commit that both hold, one of them when there are several; `None`
    /// when they have nothing in common.
    pub async fn merge_base(
        &self,
        one: &CommitSha,
        other: &CommitSha,
    ) -> Result<Option<CommitSha>, ReadError> {
        if one == other {
            return Ok(Some(one.clone()));
        }
        let key = (one.clone(), other.clone());
        if let Some(known) = locked(&self.merge_bases).get(&key) {
            return Ok(known);
        }
        let mut command = self.reading();
        command.args(["merge-base", "--end-of-options"]);
        command.args([one.as_str(), other.as_str()]);
        let finished = self.run(command).await?;
        let base = if finished.status.code() == Some(1) {
            None
        } else {
            let answer = self.succeeded(finished)?.stdout;
            let text = String::from_utf8_lossy(&answer);
            let base = text.trim().parse();
            Some(base.map_err(|_| ReadError::corrupt(format!("a merge base is `{text}`")))?)
        };
        locked(&self.merge_bases).put(key, base.clone(), 1);
        Ok(base)
    }

    /// Whether `newer` holds everything that `older` holds.
    pub async fn is_ancestor(
        &self,
        older: &CommitSha,
        newer: &CommitSha,
    ) -> Result<bool, ReadError> {
        Ok(self.merge_base(older, newer).await?.as_ref() == Some(older))
    }

    /// The files that differ between two commits. A file that was moved counts with
    /// both of its names.
    pub async fn changed_paths(
        &self,
        from: &CommitSha,
        to: &CommitSha,
    ) -> Result<Paths, ReadError> {
        let listed = Listed::Between(from.clone(), to.clone());
        let arguments = ["diff-tree", "-r", "-z", "--name-only", "--no-renames"];
        let revisions = [from.as_str(), to.as_str()];
        self.paths(listed, &arguments, &revisions).await
    }

    /// All files of a commit.
    pub async fn all_paths(&self, sha: &CommitSha) -> Result<Paths, ReadError> {
        let arguments = ["ls-tree", "-r", "-z", "--name-only"];
        self.paths(Listed::At(sha.clone()), &arguments, &[sha.as_str()])
            .await
    }

    async fn paths(
        &self,
        listed: Listed,
        arguments: &[&str],
        revisions: &[&str],
    ) -> Result<Paths, ReadError> {
        if let Some(known) = locked(&self.paths).get(&listed) {
            return Ok(known);
        }
        let mut command = self.reading();
        command.args(arguments).arg("--end-of-options");
        command.args(revisions);
        let output = self.succeeded(self.run(command).await?)?.stdout;
        let paths = split(&output);
        let weight = if paths.is_some() { output.len() } else { 0 };
        locked(&self.paths).put(listed, paths.clone(), weight + 256);
        Ok(paths)
    }
}

/// The names between zero bytes. More than git's output may hold is more than
/// [`MAX_PATHS`] of them, unless each is very long.
fn split(output: &[u8]) -> Paths {
    if output.len() as u64 >= crate::command::MAX_OUTPUT {
        return None;
    }
    let names = output
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    let names: Vec<String> = names
        .take(MAX_PATHS + 1)
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    (names.len() <= MAX_PATHS).then(|| names.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_paths_than_are_told_are_not_known() {
        let most = "a\0".repeat(MAX_PATHS);
        assert_eq!(
            split(most.as_bytes()).map(|paths| paths.len()),
            Some(MAX_PATHS)
        );
        assert_eq!(split("a\0".repeat(MAX_PATHS + 1).as_bytes()), None);
        assert_eq!(split(b"").map(|paths| paths.len()), Some(0));
    }
}
