//! The recorded payloads, and small changes to them.

use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tappet_forge::webhook::{self, BadPayload, ForgeEvent, PullRequestEvent, PushEvent};
use tappet_model::ForgeKind;

/// The newest commit in all payloads.
pub const NEW: &str = "c58e2b71f04d9a6381b5e7f2094cda36e81f70b5";
/// Where branches stood before.
pub const OLD: &str = "3f1c0a9be7d2648510ffb2c7a6d98e4b015c3d72";
/// Where the base branch stands.
pub const BASE: &str = "60d7fb1a2c3948e5b7061d9f8a4ce2573b90e1c8";
/// The object of the annotated tag.
pub const TAG: &str = "1b7e55d0c9f24a83be61078d2f4a3c96e5d018b7";

/// A payload below `tests/payloads`, without `.json`.
pub fn payload(kind: ForgeKind, name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/payloads")
        .join(kind.as_str())
        .join(format!("{name}.json"));
    let text = std::fs::read(&path).expect("the payload is there");
    serde_json::from_slice(&text).expect("payloads are JSON")
}

/// The header of an event, and those that every delivery has.
pub fn headers(kind: ForgeKind, event: &str) -> HeaderMap {
    let names: &[&'static str] = match kind {
        ForgeKind::Github => &["x-github-event"],
        ForgeKind::Gitlab => &["x-gitlab-event"],
        ForgeKind::Gitea => &["x-gitea-event", "x-gogs-event", "x-github-event"],
        ForgeKind::Bitbucket => &["x-event-key"],
    };
    let mut headers = HeaderMap::new();
    for name in names {
        let value = HeaderValue::from_str(event).expect("events are plain words");
        headers.insert(HeaderName::from_static(name), value);
    }
    headers
}

/// Reads a payload that `change` may have changed.
pub fn read(
    kind: ForgeKind,
    event: &str,
    name: &str,
    change: impl FnOnce(&mut Value),
) -> Result<ForgeEvent, BadPayload> {
    let mut value = payload(kind, name);
    change(&mut value);
    webhook::parse(kind, &headers(kind, event), value.to_string().as_bytes())
}

/// The same, of a push.
pub fn push(kind: ForgeKind, name: &str, change: impl FnOnce(&mut Value)) -> PushEvent {
    let event = match kind {
        ForgeKind::Gitlab if name.starts_with("tag") => "Tag Push Hook",
        ForgeKind::Gitlab => "Push Hook",
        ForgeKind::Bitbucket => "repo:push",
        ForgeKind::Github | ForgeKind::Gitea => "push",
    };
    match read(kind, event, name, change) {
        Ok(ForgeEvent::Push(push)) => push,
        other => panic!("{name} is a push, not {other:?}"),
    }
}

/// The same, of a pull request. Bitbucket's event is the first part of the name.
pub fn pull_request(
    kind: ForgeKind,
    name: &str,
    change: impl FnOnce(&mut Value),
) -> PullRequestEvent {
    let bitbucket = name.trim_end_matches("_fork").replace('_', ":");
    let event = match kind {
        ForgeKind::Gitlab => "Merge Request Hook",
        ForgeKind::Bitbucket => bitbucket.as_str(),
        ForgeKind::Github | ForgeKind::Gitea => "pull_request",
    };
    match read(kind, event, name, change) {
        Ok(ForgeEvent::PullRequest(found)) => *found,
        other => panic!("{name} is of a pull request, not {other:?}"),
    }
}

/// Nothing is changed.
pub fn as_recorded(_: &mut Value) {}
