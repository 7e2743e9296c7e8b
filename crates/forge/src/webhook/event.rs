//! What happened, in words that all forges share.

use std::fmt;

use serde_json::Value;
use tappet_model::{CommitSha, PullRequest, RefName};

/// What a delivery says.
#[derive(Clone, PartialEq, Debug)]
pub enum ForgeEvent {
    /// Nothing happened: the forge, or a person at it, tries the address out.
    Ping,
    /// Branches or tags moved, came or went.
    Push(PushEvent),
    /// Something happened to a pull request.
    PullRequest(Box<PullRequestEvent>),
    /// Something that starts no runs, in the forge's own word.
    Other(String),
}

/// A repository at its forge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repository {
    /// The forge's id of it, which outlives its name.
    pub id: String,
    /// Its full name: `acme/web`.
    pub full_name: String,
}

/// Who did it, as the forge authenticated them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sender {
    /// The forge's id of them; empty when it sent none.
    pub id: String,
    /// Their login, which they may change and others may take: for people to read.
    pub login: String,
}

/// A commit, as far as the forge names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Revision {
    /// Its whole id.
    Full(CommitSha),
    /// The first 7 to 39 digits of it. Bitbucket gives 12 for pull requests: who has the
    /// repository has to look the rest up.
    Short(String),
}

impl Revision {
    /// The digits that are known.
    pub fn as_str(&self) -> &str {
        match self {
            Revision::Full(sha) => sha.as_str(),
            Revision::Short(digits) => digits,
        }
    }

    /// The whole id, where it is known.
    pub fn full(&self) -> Option<&CommitSha> {
        match self {
            Revision::Full(sha) => Some(sha),
            Revision::Short(_) => None,
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A push: one ref with most forges, several with Bitbucket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PushEvent {
    /// Where.
    pub repository: Repository,
    /// Who.
    pub sender: Sender,
    /// What changed; never empty, at most [`MAX_ITEMS`](super::MAX_ITEMS).
    pub changes: Vec<RefChange>,
    /// There were more changes than that, or the forge left some out.
    pub is_cut: bool,
}

/// A branch or tag that was pushed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefChange {
    /// Its full name: `refs/heads/…` or `refs/tags/…`.
    pub full_ref: RefName,
    /// The commit it stood at; `None`: it is new.
    pub before: Option<Revision>,
    /// The commit it stands at; `None`: it was deleted. Of an annotated tag the commit
    /// behind it where the forge tells, otherwise the tag's own id.
    pub after: Option<Revision>,
    /// The old commits are no longer part of it. `None`: the forge does not tell.
    pub forced: Option<bool>,
    /// The message of the newest commit, where the forge tells.
    pub message: Option<String>,
    /// The pusher asked for no run (GitLab: `git push -o ci.skip`).
    pub asks_for_no_run: bool,
}

/// Something that happened to a pull request.
#[derive(Clone, PartialEq, Debug)]
pub struct PullRequestEvent {
    /// Where it is discussed: the repository that is to get the changes.
    pub repository: Repository,
    /// Who did it; not always who opened the pull request.
    pub sender: Sender,
    /// What happened.
    pub action: PullRequestAction,
    /// What the forge says of the pull request. `head_sha` and `base_sha` are as in
    /// `head` and `base`, an absent base is an empty text.
    pub pull_request: PullRequest,
    /// Its newest commit.
    pub head: Revision,
    /// Where its base branch stands; GitLab does not tell.
    pub base: Option<Revision>,
    /// The message of its newest commit, where the forge tells (GitLab).
    pub head_message: Option<String>,
    /// GitHub's payload as it came; `None` from other forges, or when it is huge.
    pub payload: Option<Value>,
}

/// What happened to a pull request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PullRequestAction {
    /// It is new.
    Opened,
    /// It has other commits.
    Synchronize,
    /// Its commits, or only its texts: Bitbucket has one event for both.
    Updated,
    /// It had been closed.
    Reopened,
    /// Its texts or its base branch were changed.
    Edited {
        /// It is to go into another branch now.
        base_changed: bool,
    },
    /// It got labels.
    Labeled {
        /// The new ones. Older Giteas tell only which it has now: then all of them.
        added: Vec<String>,
    },
    /// It lost labels.
    Unlabeled,
    /// It is a draft no longer.
    ReadyForReview,
    /// It became a draft.
    ConvertedToDraft,
    /// It is over.
    Closed {
        /// Its changes are in.
        merged: bool,
    },
    /// Anything else, in the forge's own word.
    Other(String),
}

impl PullRequestAction {
    /// GitHub's word for it, which workflows know.
    pub fn as_str(&self) -> &str {
        match self {
            PullRequestAction::Opened => "opened",
            PullRequestAction::Synchronize | PullRequestAction::Updated => "synchronize",
            PullRequestAction::Reopened => "reopened",
            PullRequestAction::Edited { .. } => "edited",
            PullRequestAction::Labeled { .. } => "labeled",
            PullRequestAction::Unlabeled => "unlabeled",
            PullRequestAction::ReadyForReview => "ready_for_review",
            PullRequestAction::ConvertedToDraft => "converted_to_draft",
            PullRequestAction::Closed { .. } => "closed",
            PullRequestAction::Other(word) => word,
        }
    }
}
