//! Lists of branches and tags, as they stand now.

use std::collections::HashSet;

use tappet_model::{CommitSha, RefKind, Timestamp};

use super::Repository;
use crate::error::ReadError;

/// One branch or tag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ref {
    /// Branch or tag.
    pub kind: RefKind,
    /// The short name.
    pub name: String,
    /// The object that the ref itself names: a commit, or an annotated tag.
    pub target: String,
    /// The commit it leads to; annotated tags are followed.
    pub sha: CommitSha,
    /// Of an annotated tag when it was made, else of the commit; to the second.
    pub dated: Timestamp,
    /// The object is an annotated tag.
    pub is_annotated: bool,
}

const FORMAT: &str = "--format=%(refname)%00%(creatordate:unix)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)";

impl Repository {
    /// All branches, then all tags, by name. Tags that lead to no commit and names
    /// that are not UTF-8 are left out.
    pub async fn refs(&self) -> Result<Vec<Ref>, ReadError> {
        self.listed(&["refs/heads/", "refs/tags/"]).await
    }

    /// All branches by name; names that are not UTF-8 are left out.
    pub async fn branches(&self) -> Result<Vec<Ref>, ReadError> {
        self.listed(&["refs/heads/"]).await
    }

    /// All tags by name, left out as by [`Repository::refs`].
    pub async fn tags(&self) -> Result<Vec<Ref>, ReadError> {
        self.listed(&["refs/tags/"]).await
    }

    /// The branch or tag of exactly this short name.
    pub async fn find_ref(&self, kind: RefKind, name: &str) -> Result<Option<Ref>, ReadError> {
        let full_name = match kind {
            RefKind::Branch => format!("refs/heads/{name}"),
            RefKind::Tag => format!("refs/tags/{name}"),
            RefKind::Commit | RefKind::PullRequest => return Ok(None),
        };
        // As a pattern, a name also finds what lies below it.
        let found = self.listed(&[&full_name]).await?;
        Ok(found.into_iter().find(|found| found.name == name))
    }

    /// Which of these branches are merged into the branch `into`: everything they
    /// hold is in it, and it has gone on since.
    pub async fn merged(
        &self,
        branches: &[&Ref],
        into: &Ref,
    ) -> Result<HashSet<String>, ReadError> {
        if branches.is_empty() {
            return Ok(HashSet::new());
        }
        let mut command = self.reading();
        command.args(["for-each-ref", "--format=%(refname:lstrip=2)"]);
        command.arg(format!("--merged={}", into.sha));
        command.args(
            branches
                .iter()
                .map(|branch| format!("refs/heads/{}", branch.name)),
        );
        let finished = self.run(command).await?;
        let listed = self.succeeded(finished)?.stdout;
        let found = String::from_utf8_lossy(&listed).into_owned();
        let found: HashSet<&str> = found.lines().collect();
        Ok(branches
            .iter()
            .filter(|branch| branch.sha != into.sha && found.contains(branch.name.as_str()))
            .map(|branch| branch.name.clone())
            .collect())
    }

    /// The first branch by name, else the first tag, that holds a commit.
    pub async fn ref_holding(&self, sha: &CommitSha) -> Result<Option<Ref>, ReadError> {
        let contains = format!("--contains={sha}");
        for folder in ["refs/heads/", "refs/tags/"] {
            let found = self.listed(&["--count=1", &contains, folder]).await?;
            if let Some(found) = found.into_iter().next() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn listed(&self, arguments: &[&str]) -> Result<Vec<Ref>, ReadError> {
        let mut command = self.reading();
        command.args(["for-each-ref", "--sort=refname", FORMAT]);
        command.args(arguments);
        let finished = self.run(command).await?;
        let listed = self.succeeded(finished)?.stdout;
        Ok(listed
            .split(|&byte| byte == b'\n')
            .filter_map(parse)
            .collect())
    }
}

fn parse(line: &[u8]) -> Option<Ref> {
    let text = std::str::from_utf8(line).ok()?;
    let mut fields = text.split('\0');
    let name = fields.next()?;
    let (kind, name) = match name.strip_prefix("refs/heads/") {
        Some(short) => (RefKind::Branch, short),
        None => (RefKind::Tag, name.strip_prefix("refs/tags/")?),
    };
    // Old tools wrote broken dates; those count as 1970.
    let seconds: i64 = fields.next()?.parse().unwrap_or(0);
    let direct = (fields.next()?, fields.next()?);
    let peeled = (fields.next()?, fields.next()?);
    let (_, sha) = [direct, peeled]
        .into_iter()
        .find(|(kind, _)| *kind == "commit")?;
    Some(Ref {
        kind,
        name: name.to_owned(),
        target: direct.1.to_owned(),
        sha: sha.parse().ok()?,
        dated: Timestamp(seconds.saturating_mul(1_000_000)),
        is_annotated: direct.0 == "tag",
    })
}
