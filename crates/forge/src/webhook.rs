//! What a forge sends when something happened in a repository. First [`verify`], which
//! looks at no byte of the body's meaning; then [`parse`].

mod bitbucket;
mod draft;
mod event;
mod fields;
mod gitea;
mod github;
mod gitlab;
mod headers;
mod push;
mod signature;
mod wish;

use http::HeaderMap;
use tappet_model::ForgeKind;

pub use event::{
    ForgeEvent, PullRequestAction, PullRequestEvent, PushEvent, RefChange, Repository, Revision,
    Sender,
};
pub use fields::BadPayload;
pub use headers::{delivery_id, event_name};
pub use signature::{NotSigned, verify};
pub use wish::{Wish, wish};

use fields::Field;

/// The longest name or title that is kept, in characters; GitHub's titles have 256.
pub const MAX_NAME_CHARS: usize = 255;
/// The longest text of a pull request that is kept, in characters; GitHub's limit.
pub const MAX_TEXT_CHARS: usize = 65_536;
/// How many labels, assignees or changes of a push are kept; GitHub has at most 100 labels.
pub const MAX_ITEMS: usize = 100;
/// GitHub's payloads beyond this are read, but not handed on.
pub const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;

/// Reads a delivery that [`verify`] accepted. What it says about people and texts is
/// only as good as whoever wrote it; ids of senders are the forge's own.
pub fn parse(kind: ForgeKind, headers: &HeaderMap, body: &[u8]) -> Result<ForgeEvent, BadPayload> {
    let event = event_name(kind, headers).ok_or(BadPayload::NoEvent {
        header: headers::event_header(kind),
    })?;
    let value: serde_json::Value =
        serde_json::from_slice(body).map_err(|error| BadPayload::NotJson(error.to_string()))?;
    let root = Field::root(&value)?;
    match kind {
        ForgeKind::Github => {
            let found = github::read(&event, &root)?;
            Ok(match found {
                ForgeEvent::PullRequest(mut found) if body.len() <= MAX_PAYLOAD_BYTES => {
                    found.payload = Some(value);
                    ForgeEvent::PullRequest(found)
                }
                other => other,
            })
        }
        ForgeKind::Gitlab => gitlab::read(&event, &root),
        ForgeKind::Gitea => gitea::read(&event, &root),
        ForgeKind::Bitbucket => bitbucket::read(&event, &root),
    }
}
