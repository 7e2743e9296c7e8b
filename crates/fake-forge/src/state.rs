//! What the forge keeps.

use std::collections::{HashSet, VecDeque};

use tappet_model::ForgeKind;

use crate::call::RecordedCall;
use crate::trouble::Trouble;

/// A status beside a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommitStatus {
    /// The commit.
    pub sha: String,
    /// GitHub, Gitea: `context`; GitLab: `name`; Bitbucket: `key`.
    pub name: String,
    /// In the forge's word.
    pub state: String,
    /// For people.
    pub description: String,
    /// Where it leads.
    pub url: String,
}

/// A comment on a pull request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comment {
    /// Its id.
    pub id: u64,
    /// The number of the pull request.
    pub number: String,
    /// What it says now.
    pub text: String,
    /// How often it was changed.
    pub edits: u32,
    pub(crate) is_deleted: bool,
}

pub(crate) struct State {
    pub kind: ForgeKind,
    pub url: String,
    pub token: String,
    pub unknown_commits: HashSet<String>,
    pub trouble: VecDeque<Trouble>,
    pub statuses: Vec<CommitStatus>,
    pub comments: Vec<Comment>,
    pub calls: Vec<RecordedCall>,
    pub violations: Vec<String>,
}

impl State {
    pub(crate) fn new(kind: ForgeKind, url: String) -> Self {
        Self {
            kind,
            url,
            token: crate::TOKEN.to_owned(),
            unknown_commits: HashSet::new(),
            trouble: VecDeque::new(),
            statuses: Vec::new(),
            comments: Vec::new(),
            calls: Vec::new(),
            violations: Vec::new(),
        }
    }

    pub(crate) fn newest_statuses(&self, sha: &str) -> Vec<CommitStatus> {
        let mut newest: Vec<CommitStatus> = Vec::new();
        for status in self.statuses.iter().filter(|status| status.sha == sha) {
            match newest.iter_mut().find(|other| other.name == status.name) {
                Some(other) => *other = status.clone(),
                None => newest.push(status.clone()),
            }
        }
        newest
    }

    pub(crate) fn words(&self, sha: &str, name: &str) -> Vec<String> {
        let of = |status: &&CommitStatus| status.sha == sha && status.name == name;
        let words = self.statuses.iter().filter(of);
        words.map(|status| status.state.clone()).collect()
    }

    pub(crate) fn comments_of(&self, number: &str) -> Vec<Comment> {
        let of = |comment: &&Comment| comment.number == number && !comment.is_deleted;
        self.comments.iter().filter(of).cloned().collect()
    }

    pub(crate) fn add_comment(&mut self, number: &str, text: &str) -> u64 {
        let id = 4100 + self.comments.len() as u64;
        self.comments.push(Comment {
            id,
            number: number.to_owned(),
            text: text.to_owned(),
            edits: 0,
            is_deleted: false,
        });
        id
    }

    pub(crate) fn comment(&mut self, id: u64) -> Option<&mut Comment> {
        let is_it = |comment: &&mut Comment| comment.id == id && !comment.is_deleted;
        self.comments.iter_mut().find(is_it)
    }

    pub(crate) fn delete_comment(&mut self, id: u64) {
        let comment = self.comment(id).expect("there is such a comment");
        comment.is_deleted = true;
    }
}
