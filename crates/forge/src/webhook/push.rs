//! Pushes of one ref, as GitHub, Gitea and GitLab send them.

use tappet_model::RefKind;

use super::fields::{BadPayload, Field};
use super::{ForgeEvent, PushEvent, RefChange, Repository, Revision, Sender};

/// What the dialects say in their own places.
pub(super) struct Place {
    pub repository: Repository,
    pub sender: Sender,
    /// The commit that the ref leads to in the end.
    pub newest: Option<Revision>,
    /// The message of that commit.
    pub message: Option<String>,
    pub asks_for_no_run: bool,
}

/// Reads `ref`, `before`, `after` and `forced`. A push that moves nothing is a test.
pub(super) fn read(event: &str, root: &Field<'_>, place: Place) -> Result<ForgeEvent, BadPayload> {
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
    // `after` of an annotated tag is the tag's own id.
    let is_tag = full_ref.split().0 == Some(RefKind::Tag);
    let after = match place.newest {
        Some(commit) if is_tag => after.map(|_| commit),
        _ => after,
    };
    let change = RefChange {
        full_ref,
        before,
        after,
        forced: root.get("forced")?.flag()?,
        message: place.message,
        asks_for_no_run: place.asks_for_no_run,
    };
    Ok(ForgeEvent::Push(PushEvent {
        repository: place.repository,
        sender: place.sender,
        changes: vec![change],
        is_cut: false,
    }))
}
