//! Pushes of one ref, as GitHub, Gitea and GitLab send them.

use tappet_model::RefKind;

use super::fields::{BadPayload, Field};
use super::{ForgeEvent, MAX_TEXT_CHARS, PushEvent, RefChange, Repository, Revision, Sender};

/// What the dialects say in their own places.
pub(super) struct Place<'a> {
    pub repository: Repository,
    pub sender: Sender,
    /// The newest commit, `null` when the ref was deleted.
    pub newest: Option<Field<'a>>,
    pub asks_for_no_run: bool,
}

/// Reads `ref`, `before`, `after` and `forced`. A push that moves nothing is a test.
pub(super) fn read(
    event: &str,
    root: &Field<'_>,
    place: Place<'_>,
) -> Result<ForgeEvent, BadPayload> {
    let name = root.get("ref")?;
    let is_ref = |name: &str| name.starts_with("refs/heads/") || name.starts_with("refs/tags/");
    if name.raw()?.is_some_and(|name| !is_ref(name)) {
        return Ok(ForgeEvent::Other(event.to_owned()));
    }
    let full_ref = name.full_ref()?;
    let before = root.get("before")?.revision()?;
    let after = root.get("after")?.revision()?;
    if before == after {
        return Ok(ForgeEvent::Ping);
    }
    let (after, message) = match &place.newest {
        Some(newest) => (
            behind_tag(&full_ref, after, newest)?,
            newest.get("message")?.text(MAX_TEXT_CHARS)?,
        ),
        None => (after, None),
    };
    let change = RefChange {
        full_ref,
        before,
        after,
        forced: root.get("forced")?.flag()?,
        message,
        asks_for_no_run: place.asks_for_no_run,
    };
    Ok(ForgeEvent::Push(PushEvent {
        repository: place.repository,
        sender: place.sender,
        changes: vec![change],
        is_cut: false,
    }))
}

/// `after` of an annotated tag is the tag's own id; the newest commit is what it stands for.
fn behind_tag(
    full_ref: &tappet_model::RefName,
    after: Option<Revision>,
    newest: &Field<'_>,
) -> Result<Option<Revision>, BadPayload> {
    let is_tag = full_ref.split().0 == Some(RefKind::Tag);
    match (after, newest.get("id")?.revision()?) {
        (Some(_), Some(commit)) if is_tag => Ok(Some(commit)),
        (after, _) => Ok(after),
    }
}
