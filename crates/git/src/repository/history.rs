//! What led to a commit, and how much a commit changed.

use tappet_model::{CommitSha, Timestamp};

use super::Repository;
use crate::error::ReadError;

/// Which commits of a history.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HistoryFilter {
    /// Only those that change this file or folder.
    pub path: Option<String>,
    /// Only those committed at this time or later.
    pub since: Option<Timestamp>,
    /// Only those committed at this time or earlier.
    pub until: Option<Timestamp>,
    /// Only those whose author's name or address holds this text.
    pub author: Option<String>,
    /// Follow only the first parent of merges.
    pub first_parent: bool,
    /// Children before their parents, whatever their dates.
    pub topological: bool,
}

/// Changed lines of text files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CommitStats {
    /// Lines that came.
    pub additions: u64,
    /// Lines that went.
    pub deletions: u64,
}

impl Repository {
    /// The commits that lead to one of `from` (every branch and tag when empty),
    /// newest first: at most `limit` after the first `skip`.
    pub async fn history(
        &self,
        from: &[CommitSha],
        filter: &HistoryFilter,
        skip: u64,
        limit: u32,
    ) -> Result<Vec<CommitSha>, ReadError> {
        // Git counts in 32 bits, and no history is longer.
        if i32::try_from(skip).is_err() {
            return Ok(Vec::new());
        }
        let mut command = self.reading();
        command.args(["--literal-pathspecs", "rev-list", "--fixed-strings"]);
        command.arg(format!("--skip={skip}"));
        command.arg(format!("--max-count={limit}"));
        if let Some(since) = filter.since {
            command.arg(format!("--since=@{}", since.unix_seconds()));
        }
        if let Some(until) = filter.until {
            command.arg(format!("--until=@{}", until.unix_seconds()));
        }
        if let Some(author) = &filter.author {
            command.arg(format!("--author={author}"));
        }
        if filter.first_parent {
            command.arg("--first-parent");
        }
        if filter.topological {
            command.arg("--topo-order");
        }
        if from.is_empty() {
            command.args(["--branches", "--tags"]);
        }
        command.arg("--end-of-options");
        command.args(from.iter().map(CommitSha::as_str));
        command.arg("--");
        command.args(&filter.path);
        let finished = self.run(command).await?;
        let listed = self.succeeded(finished)?.stdout;
        Ok(String::from_utf8_lossy(&listed)
            .lines()
            .filter_map(|line| line.parse().ok())
            .collect())
    }

    /// How much a commit changed, against its first parent.
    pub async fn stats(&self, sha: &CommitSha) -> Result<CommitStats, ReadError> {
        let commit = self.commit(sha).await?;
        let mut command = self.reading();
        command.args(["diff-tree", "-r", "--numstat", "--find-renames"]);
        command.args(["--no-ext-diff", "--no-textconv", "--no-commit-id"]);
        match commit.parents.first() {
            Some(parent) => command.args(["--end-of-options", parent.as_str(), sha.as_str()]),
            None => command.args(["--root", "--end-of-options", sha.as_str()]),
        };
        let finished = self.run(command).await?;
        let listed = self.succeeded(finished)?.stdout;
        let mut stats = CommitStats::default();
        for line in String::from_utf8_lossy(&listed).lines() {
            let mut fields = line.split('\t');
            // Files that are no text have `-` here.
            let mut lines = || fields.next().and_then(|count| count.parse().ok());
            let (additions, deletions): (Option<u64>, Option<u64>) = (lines(), lines());
            stats.additions += additions.unwrap_or(0);
            stats.deletions += deletions.unwrap_or(0);
        }
        Ok(stats)
    }
}
