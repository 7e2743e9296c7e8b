//! The comment on a pull request.

use http::Method;
use serde_json::{Value, json};
use tappet_model::ForgeKind;

use super::api::{Api, part};
use super::call::{ApiCall, Purpose};
use super::cut::cut;

/// How many pages of a hundred comments are searched for ours.
pub const MAX_PAGES: u32 = 30;

/// The longest comment a forge takes, in characters. GitHub refuses more than 65,536 and
/// Bitbucket more than 32,768; GitLab and Gitea take more than anybody reads.
pub fn max_comment_chars(kind: ForgeKind) -> usize {
    match kind {
        ForgeKind::Bitbucket => 32_768,
        ForgeKind::Github | ForgeKind::Gitlab | ForgeKind::Gitea => 65_536,
    }
}

/// A line that readers do not see and by which a comment is found again: it should stand
/// first, where nothing cuts it off. `word` has to be hard to guess, since anybody may
/// write comments, and may hold letters, digits, `-`, `_` and `:`.
pub fn marker(kind: ForgeKind, word: &str) -> String {
    match kind {
        // Bitbucket shows HTML as text; a link that nothing refers to is not shown.
        ForgeKind::Bitbucket => format!("[//]: # ({word})"),
        ForgeKind::Github | ForgeKind::Gitlab | ForgeKind::Gitea => format!("<!-- {word} -->"),
    }
}

impl Api {
    /// Writes a comment on a pull request.
    pub fn new_comment(&self, number: &str, text: &str) -> ApiCall {
        let path = self.comments(number);
        let body = self.comment_body(text);
        self.call(Purpose::NewComment, Method::POST, &path, Some(body))
    }

    /// Replaces the text of a comment.
    pub fn edit_comment(&self, number: &str, comment_id: &str, text: &str) -> ApiCall {
        let id = part(comment_id);
        let (method, path) = match self.kind {
            ForgeKind::Github | ForgeKind::Gitea => {
                (Method::PATCH, format!("/issues/comments/{id}"))
            }
            ForgeKind::Gitlab | ForgeKind::Bitbucket => {
                (Method::PUT, format!("{}/{id}", self.comments(number)))
            }
        };
        let body = self.comment_body(text);
        self.call(Purpose::EditComment, method, &path, Some(body))
    }

    /// Looks on one page of a pull request's comments, oldest first, for the one that
    /// holds `marker`. The first page is 1.
    pub fn find_comment(&self, number: &str, marker: &str, page: u32) -> ApiCall {
        let query = match self.kind {
            ForgeKind::Github => format!("?per_page=100&page={page}"),
            ForgeKind::Gitlab => {
                format!("?sort=asc&order_by=created_at&per_page=100&page={page}")
            }
            ForgeKind::Gitea => format!("?limit=50&page={page}"),
            ForgeKind::Bitbucket => format!("?sort=created_on&pagelen=100&page={page}"),
        };
        let purpose = Purpose::FindComment {
            marker: marker.to_owned(),
            page,
        };
        let path = format!("{}{query}", self.comments(number));
        self.call(purpose, Method::GET, &path, None)
    }

    fn comments(&self, number: &str) -> String {
        let number = part(number);
        match self.kind {
            ForgeKind::Github | ForgeKind::Gitea => format!("/issues/{number}/comments"),
            ForgeKind::Gitlab => format!("/merge_requests/{number}/notes"),
            ForgeKind::Bitbucket => format!("/pullrequests/{number}/comments"),
        }
    }

    fn comment_body(&self, text: &str) -> Value {
        let text = cut(text, max_comment_chars(self.kind));
        match self.kind {
            ForgeKind::Bitbucket => json!({"content": {"raw": text}}),
            _ => json!({"body": text}),
        }
    }
}
