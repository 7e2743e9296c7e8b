//! Why a forge refused something, in words that say what to do next.

use serde_json::Value;
use tappet_model::ForgeKind;

use super::cut::cut;

/// The most that is repeated of what a forge wrote.
const MAX_CHARS: usize = 300;

/// For the status code of a refusal.
pub(super) fn refusal(kind: ForgeKind, status: u16, body: &[u8]) -> String {
    let name = name(kind);
    let next = match status {
        300..=399 => {
            "it sent us elsewhere: bind the project to the address that its API and the repository have now"
        }
        401 => "it does not accept the token: bind the project again with a valid one",
        403 => {
            "the token may not do this: give it the right to write statuses and comments, or bind the project again with another one"
        }
        404 => {
            "it does not know the repository, commit or pull request, or the token may not see it: check `repository` and the rights of the token"
        }
        410 => "it is gone there: check whether the repository still takes this",
        _ => "check `api_url`, `repository` and the token of the project's forge",
    };
    match said(body) {
        Some(said) => format!("{name} answered {status} ({said}); {next}"),
        None => format!("{name} answered {status}; {next}"),
    }
}

/// For a failure that may pass.
pub(super) fn failure(kind: ForgeKind, status: u16, body: &[u8]) -> String {
    match said(body) {
        Some(said) => format!("{} answered {status} ({said})", name(kind)),
        None => format!("{} answered {status}", name(kind)),
    }
}

/// What people call it.
pub(super) fn name(kind: ForgeKind) -> &'static str {
    match kind {
        ForgeKind::Github => "GitHub",
        ForgeKind::Gitlab => "GitLab",
        ForgeKind::Gitea => "Gitea",
        ForgeKind::Bitbucket => "Bitbucket",
    }
}

/// The message in the body, on one line and cut. GitHub and Gitea have `message`, GitLab
/// `message` (also a list or object) or `error`, Bitbucket `error.message`.
pub(super) fn said(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let message = [
        &value["message"],
        &value["error"]["message"],
        &value["error"],
    ]
    .into_iter()
    .find(|message| !message.is_null())?;
    let text = match message {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let spaced = text.replace(char::is_control, " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    Some(cut(&words.join(" "), MAX_CHARS)).filter(|text| !text.is_empty())
}
