//! The status of a commit.

use http::Method;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tappet_model::{ForgeKind, Status};

use super::api::{Api, part};
use super::call::{ApiCall, Purpose};
use super::cut::cut;
use super::words::state_word;

/// The longest name of a status (GitLab: 255; GitHub cuts there, too).
const MAX_NAME_CHARS: usize = 255;
/// GitLab refuses longer addresses; one that leads nowhere helps nobody, so none is sent.
const MAX_URL_CHARS: usize = 255;
/// Bitbucket's limit for what it tells statuses apart by.
const MAX_KEY_CHARS: usize = 40;

/// What is to stand beside a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommitStatus<'a> {
    /// The whole id of the commit.
    pub sha: &'a str,
    /// The name, by which a forge replaces the status that was there before.
    pub name: &'a str,
    /// Where the run or job stands.
    pub status: Status,
    /// One line for people; cut where the forge has a limit.
    pub description: &'a str,
    /// Where it leads: a page of ours.
    pub target_url: &'a str,
    /// The branch or tag; GitLab and Bitbucket list the status below it.
    pub ref_name: Option<&'a str>,
}

impl Api {
    /// Sets a commit status.
    pub fn set_status(&self, status: &CommitStatus<'_>) -> ApiCall {
        let word = state_word(self.kind, status.status);
        let sha = part(status.sha);
        let (path, body) = match self.kind {
            ForgeKind::Github | ForgeKind::Gitea => {
                (format!("/statuses/{sha}"), github(self.kind, status, word))
            }
            ForgeKind::Gitlab => (format!("/statuses/{sha}"), gitlab(status, word)),
            ForgeKind::Bitbucket => (
                format!("/commit/{sha}/statuses/build"),
                bitbucket(status, word),
            ),
        };
        self.call(Purpose::Status(word), Method::POST, &path, Some(body))
    }
}

/// GitHub REST "Commit statuses" (description at most 140); Gitea `CreateStatusOption`.
fn github(kind: ForgeKind, status: &CommitStatus<'_>, word: &str) -> Value {
    let limit = match kind {
        ForgeKind::Github => 140,
        _ => 255,
    };
    json!({
        "state": word,
        "target_url": status.target_url,
        "description": cut(status.description, limit),
        "context": cut(status.name, MAX_NAME_CHARS),
    })
}

/// GitLab: doc/api/commits.md, "Set commit pipeline status".
fn gitlab(status: &CommitStatus<'_>, word: &str) -> Value {
    let mut body = Map::new();
    body.insert("state".into(), word.into());
    body.insert("name".into(), cut(status.name, MAX_NAME_CHARS).into());
    body.insert("description".into(), cut(status.description, 255).into());
    if status.target_url.chars().count() <= MAX_URL_CHARS {
        body.insert("target_url".into(), status.target_url.into());
    }
    if let Some(name) = status.ref_name {
        body.insert("ref".into(), name.into());
    }
    Value::Object(body)
}

/// Bitbucket Cloud REST: "Create a build status for a commit".
fn bitbucket(status: &CommitStatus<'_>, word: &str) -> Value {
    let mut body = Map::new();
    body.insert("key".into(), key(status.name).into());
    body.insert("state".into(), word.into());
    body.insert("name".into(), cut(status.name, MAX_NAME_CHARS).into());
    body.insert("description".into(), cut(status.description, 255).into());
    body.insert("url".into(), status.target_url.into());
    if let Some(name) = status.ref_name {
        body.insert("refname".into(), name.into());
    }
    Value::Object(body)
}

/// A name that fits stays; a longer one keeps its beginning and is told apart by a digest.
fn key(name: &str) -> String {
    if name.chars().nth(MAX_KEY_CHARS).is_none() {
        return name.to_owned();
    }
    let digest = Sha256::digest(name.as_bytes());
    let digits: String = digest[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let start: String = name.chars().take(MAX_KEY_CHARS - 13).collect();
    format!("{start}-{digits}")
}
