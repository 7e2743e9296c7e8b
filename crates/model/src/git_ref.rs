//! Names of branches, tags and commits that are safe to hand to git.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest ref name accepted, in bytes; file systems allow 255 per segment.
pub const MAX_REF_LENGTH: usize = 1024;

/// A branch or tag name, short (`main`) or full (`refs/heads/main`), that obeys
/// the rules of `git check-ref-format` and does not start with `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RefName(String);

/// A text that cannot be a ref name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a valid ref name: {reason}")]
pub struct InvalidRefName {
    /// The rule that it breaks.
    pub reason: &'static str,
}

impl RefName {
    /// Checks `name` against git's rules (`git help check-ref-format`).
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidRefName> {
        let name = name.into();
        check(&name).map_err(|reason| InvalidRefName { reason })?;
        Ok(Self(name))
    }

    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind that a full name states, and the short name.
    pub fn split(&self) -> (Option<RefKind>, &str) {
        if let Some(short) = self.0.strip_prefix("refs/heads/") {
            (Some(RefKind::Branch), short)
        } else if let Some(short) = self.0.strip_prefix("refs/tags/") {
            (Some(RefKind::Tag), short)
        } else {
            (None, &self.0)
        }
    }
}

fn check(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("it is empty");
    }
    if name.len() > MAX_REF_LENGTH {
        return Err("it is longer than 1024 bytes");
    }
    if name.starts_with('-') {
        return Err("it starts with `-`");
    }
    if name.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return Err("it holds a control character");
    }
    if name.chars().any(|c| " ~^:?*[\\".contains(c)) {
        return Err("it holds a space or one of `~^:?*[\\`");
    }
    if name.contains("..") || name.contains("@{") {
        return Err("it holds `..` or `@{`");
    }
    if name == "@" || name == "HEAD" {
        return Err("`@` and `HEAD` are not branches or tags");
    }
    if name.starts_with('/') || name.ends_with('/') || name.ends_with('.') || name.contains("//") {
        return Err("it has an empty part or ends with `.`");
    }
    if name
        .split('/')
        .any(|part| part.starts_with('.') || part.ends_with(".lock"))
    {
        return Err("a part starts with `.` or ends with `.lock`");
    }
    Ok(())
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RefName {
    type Error = InvalidRefName;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<RefName> for String {
    fn from(name: RefName) -> Self {
        name.0
    }
}

/// What a ref name turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefKind {
    /// Under `refs/heads/`.
    Branch,
    /// Under `refs/tags/`.
    Tag,
    /// No ref at all: a commit that was asked for by its id.
    Commit,
    /// The head of a pull request, by [`PullRequest::ref_name`](crate::PullRequest::ref_name).
    PullRequest,
}

impl RefKind {
    /// `branch`, `tag`, `commit` or `pull_request`.
    pub fn as_str(self) -> &'static str {
        match self {
            RefKind::Branch => "branch",
            RefKind::Tag => "tag",
            RefKind::Commit => "commit",
            RefKind::PullRequest => "pull_request",
        }
    }
}

/// A full SHA-1 commit id: 40 lower-case hex digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitSha(String);

/// A text that is no full commit id.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a commit id has 40 lower-case hex digits")]
pub struct InvalidCommitSha;

impl CommitSha {
    /// Forty zeros: "no commit", the `before_sha` of triggered runs.
    pub const ZERO: &str = "0000000000000000000000000000000000000000";

    /// All forty digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight digits.
    pub fn short(&self) -> &str {
        &self.0[..8]
    }
}

impl FromStr for CommitSha {
    type Err = InvalidCommitSha;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 40 && text.bytes().all(hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCommitSha)
        }
    }
}

impl TryFrom<String> for CommitSha {
    type Error = InvalidCommitSha;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CommitSha> for String {
    fn from(sha: CommitSha) -> Self {
        sha.0
    }
}

impl fmt::Display for CommitSha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("main")]
    #[case("feature/x-1")]
    #[case("refs/heads/a/b")]
    #[case("v1.2.3")]
    #[case("häus")]
    #[case("a$(id)")]
    #[case("it's\"quoted\"")]
    fn accepts(#[case] name: &str) {
        assert!(RefName::new(name).is_ok());
    }

    #[rstest]
    #[case("")]
    #[case("-x")]
    #[case("--upload-pack=evil")]
    #[case("../../x")]
    #[case("refs/heads/a..b")]
    #[case("a\0b")]
    #[case("a\nb")]
    #[case("@{-1}")]
    #[case("HEAD")]
    #[case("@")]
    #[case("a b")]
    #[case("a//b")]
    #[case("/a")]
    #[case("a/")]
    #[case("a.")]
    #[case(".a")]
    #[case("x/.a")]
    #[case("a.lock")]
    #[case("a.lock/b")]
    #[case("a:b")]
    #[case("a^")]
    #[case("a~1")]
    fn refuses(#[case] name: &str) {
        assert!(RefName::new(name).is_err());
    }

    #[test]
    fn refuses_ten_kilobytes() {
        assert!(RefName::new("x".repeat(10 * 1024)).is_err());
    }

    #[test]
    fn full_names_state_their_kind() {
        let name = RefName::new("refs/tags/v1").unwrap();
        assert_eq!(name.split(), (Some(RefKind::Tag), "v1"));
        let name = RefName::new("v1").unwrap();
        assert_eq!(name.split(), (None, "v1"));
    }

    #[test]
    fn commit_ids_are_forty_lower_case_digits() {
        assert!("a".repeat(40).parse::<CommitSha>().is_ok());
        for bad in [
            "a".repeat(39),
            "A".repeat(40),
            "g".repeat(40),
            String::new(),
        ] {
            assert!(bad.parse::<CommitSha>().is_err());
        }
    }
}
