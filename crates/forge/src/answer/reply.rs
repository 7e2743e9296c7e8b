//! What a forge's reply means for whoever made the call.

use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;
use tappet_model::{ForgeKind, Timestamp};

use super::call::{ApiCall, Purpose};
use super::comment::MAX_PAGES;
use super::problem;

/// How long to wait when a forge says "too often", but not for how long. GitHub asks for
/// at least a minute.
const DEFAULT_WAIT: Duration = Duration::from_secs(60);
/// GitHub's limits last an hour; whoever says more is not believed.
const MAX_WAIT: Duration = Duration::from_secs(60 * 60);

/// What came of a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// The status is set.
    Done,
    /// The comment that was written, changed or found.
    Comment {
        /// The forge's id of it.
        id: String,
    },
    /// Not on this page of comments: ask for that one.
    NextPage(u32),
    /// There is no such comment.
    NoComment,
    /// The comment that was to be changed was deleted: write a new one.
    Gone,
    /// Too often; nothing more before that time has passed.
    RateLimited {
        /// At least a second, at most an hour.
        retry_after: Duration,
    },
    /// It may work later.
    Retry {
        /// For people.
        why: String,
    },
    /// It will not work before somebody changes something.
    Refused {
        /// For people, with what to do next.
        why: String,
    },
}

impl ApiCall {
    /// Reads the reply to this call. `headers` are the reply's, `now` is when it came.
    pub fn read(&self, status: u16, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Reply {
        if (200..300).contains(&status) {
            return self.read_success(status, headers, body);
        }
        if let Some(retry_after) = rate_limit(status, headers, body, now) {
            return Reply::RateLimited { retry_after };
        }
        match (status, &self.purpose) {
            (404 | 410, Purpose::EditComment) => Reply::Gone,
            (400, Purpose::Status(word)) if self.kind == ForgeKind::Gitlab => {
                read_transition(word, body).unwrap_or_else(|| refused(self.kind, status, body))
            }
            // Two that tell at once, or a proxy that gave up.
            (408 | 409 | 421 | 425 | 500.., _) => Reply::Retry {
                why: problem::failure(self.kind, status, body),
            },
            _ => refused(self.kind, status, body),
        }
    }

    fn read_success(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> Reply {
        let unreadable = || Reply::Retry {
            why: format!(
                "{} answered {status} with a body that cannot be read",
                problem::name(self.kind)
            ),
        };
        let value = || serde_json::from_slice::<Value>(body).ok();
        match &self.purpose {
            Purpose::Status(_) => Reply::Done,
            Purpose::NewComment | Purpose::EditComment => value()
                .and_then(|comment| id(&comment))
                .map_or_else(unreadable, |id| Reply::Comment { id }),
            Purpose::FindComment { marker, page } => match value() {
                Some(found) => {
                    find(self.kind, &found, headers, marker, *page).unwrap_or_else(unreadable)
                }
                None => unreadable(),
            },
        }
    }
}

fn refused(kind: ForgeKind, status: u16, body: &[u8]) -> Reply {
    Reply::Refused {
        why: problem::refusal(kind, status, body),
    }
}

fn id(comment: &Value) -> Option<String> {
    match &comment["id"] {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

/// The oldest comment of a page that holds the marker, or where to look next.
fn find(
    kind: ForgeKind,
    found: &Value,
    headers: &HeaderMap,
    marker: &str,
    page: u32,
) -> Option<Reply> {
    let comments = match kind {
        ForgeKind::Bitbucket => &found["values"],
        _ => found,
    };
    for comment in comments.as_array()? {
        let text = match kind {
            ForgeKind::Bitbucket => &comment["content"]["raw"],
            _ => &comment["body"],
        };
        let is_deleted = comment["deleted"] == Value::Bool(true);
        if !is_deleted && text.as_str().is_some_and(|text| text.contains(marker)) {
            return id(comment).map(|id| Reply::Comment { id });
        }
    }
    let has_more = match kind {
        ForgeKind::Bitbucket => found["next"].is_string(),
        _ => links_next(headers),
    };
    Some(match has_more && page < MAX_PAGES {
        true => Reply::NextPage(page + 1),
        false => Reply::NoComment,
    })
}

/// GitHub, Gitea and GitLab link the next page; GitLab also gives its number.
fn links_next(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let links = text("link").is_some_and(|links| links.contains("rel=\"next\""));
    links || text("x-next-page").is_some_and(|page| !page.trim().is_empty())
}

/// GitLab moves a status only forwards: `Cannot transition status via :run from :running`.
/// One that stands there already is as wanted, and one that is ahead of "waiting" needs no
/// telling; an end that cannot replace another end has to be told to somebody.
fn read_transition(word: &str, body: &[u8]) -> Option<Reply> {
    let said = problem::said(body)?;
    let (_, from) = said
        .strip_prefix("Cannot transition status via ")?
        .split_once(" from :")?;
    let from = from
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .next()?;
    Some(match word {
        "pending" | "running" => Reply::Done,
        word if word == from => Reply::Done,
        word => Reply::Refused {
            why: format!(
                "GitLab keeps the status `{from}` of this commit and does not take `{word}`: push a new commit to have another one"
            ),
        },
    })
}

/// How long to wait, when the reply says that it was too often. GitHub says so with 403,
/// too ("Rate limits for the REST API"); GitLab and Bitbucket with 429.
fn rate_limit(status: u16, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Option<Duration> {
    let number =
        |name: &str| -> Option<i64> { headers.get(name)?.to_str().ok()?.trim().parse().ok() };
    let asked = number("retry-after");
    let is_used_up = ["x-ratelimit-remaining", "ratelimit-remaining"]
        .into_iter()
        .any(|name| number(name) == Some(0));
    let is_limit = match status {
        429 => true,
        403 => asked.is_some() || is_used_up || says_too_often(body),
        503 => asked.is_some(),
        _ => false,
    };
    if !is_limit {
        return None;
    }
    let reset = ["x-ratelimit-reset", "ratelimit-reset"]
        .into_iter()
        .find_map(number)
        .filter(|_| is_used_up)
        .map(|at| at.saturating_sub(now.unix_seconds()));
    let wait = asked.or(reset).map_or(DEFAULT_WAIT, |seconds| {
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    });
    Some(wait.clamp(Duration::from_secs(1), MAX_WAIT))
}

/// GitHub's secondary limits may come without any header.
fn says_too_often(body: &[u8]) -> bool {
    let said = problem::said(body).unwrap_or_default().to_ascii_lowercase();
    said.contains("rate limit") || said.contains("abuse detection")
}
