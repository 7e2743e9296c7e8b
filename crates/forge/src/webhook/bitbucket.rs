//! Bitbucket Cloud: support.atlassian.com/bitbucket-cloud/docs/event-payloads.

use tappet_model::{PullRequest, PullRequestDetails};

use super::fields::{BadPayload, Field};
use super::{
    ForgeEvent, MAX_ITEMS, MAX_TEXT_CHARS, PullRequestAction, PullRequestEvent, PushEvent,
    RefChange, Sender,
};

pub(super) fn read(event: &str, root: &Field<'_>) -> Result<ForgeEvent, BadPayload> {
    match event {
        "diagnostics:ping" => Ok(ForgeEvent::Ping),
        "repo:push" => read_push(root),
        other => match other.strip_prefix("pullrequest:") {
            Some(word) if !word.starts_with("comment") => read_pull_request(root, action(word)),
            _ => Ok(ForgeEvent::Other(other.to_owned())),
        },
    }
}

fn action(word: &str) -> PullRequestAction {
    match word {
        "created" => PullRequestAction::Opened,
        "updated" => PullRequestAction::Updated,
        "fulfilled" => PullRequestAction::Closed { merged: true },
        "rejected" => PullRequestAction::Closed { merged: false },
        other => PullRequestAction::Other(other.to_owned()),
    }
}

/// One push of several refs is one event.
fn read_push(root: &Field<'_>) -> Result<ForgeEvent, BadPayload> {
    let items = root.get("push")?.get("changes")?.items()?;
    let mut changes = Vec::new();
    for item in items.iter().take(MAX_ITEMS) {
        if let Some(change) = read_change(item)? {
            changes.push(change);
        }
    }
    if changes.is_empty() {
        return Ok(ForgeEvent::Other("repo:push".to_owned()));
    }
    Ok(ForgeEvent::Push(PushEvent {
        repository: root.get("repository")?.repository("uuid")?,
        sender: sender(root)?,
        is_cut: items.len() > MAX_ITEMS,
        changes,
    }))
}

/// `None` for what is neither branch nor tag, and for what did not move.
fn read_change(item: &Field<'_>) -> Result<Option<RefChange>, BadPayload> {
    let (old, new) = (item.get("old")?, item.get("new")?);
    let named = if new.is_there() { &new } else { &old };
    let prefix = match named.get("type")?.name()?.as_str() {
        "branch" | "named_branch" => "refs/heads/",
        "tag" | "annotated_tag" => "refs/tags/",
        _ => return Ok(None),
    };
    let name = named.get("name")?;
    let full_ref = name.checked_ref(&format!("{prefix}{}", name.raw()?.unwrap_or_default()))?;
    let before = old.get("target")?.get("hash")?.revision()?;
    let after = new.get("target")?.get("hash")?.revision()?;
    if before == after {
        return Ok(None);
    }
    Ok(Some(RefChange {
        full_ref,
        before,
        after,
        forced: item.get("forced")?.flag()?,
        message: new.get("target")?.get("message")?.text(MAX_TEXT_CHARS)?,
        asks_for_no_run: false,
    }))
}

fn read_pull_request(
    root: &Field<'_>,
    action: PullRequestAction,
) -> Result<ForgeEvent, BadPayload> {
    let found = root.get("pullrequest")?;
    let (source, destination) = (found.get("source")?, found.get("destination")?);
    let head = source.get("commit")?.get("hash")?.required_revision()?;
    let base = destination.get("commit")?.get("hash")?.revision()?;
    let pull_request = PullRequest {
        number: found.get("id")?.number()?,
        head_branch: source.get("branch")?.get("name")?.branch()?,
        head_sha: head.as_str().to_owned(),
        base_branch: destination.get("branch")?.get("name")?.branch()?,
        base_sha: base
            .as_ref()
            .map(|base| base.as_str().to_owned())
            .unwrap_or_default(),
        merge_base: None,
        details: PullRequestDetails {
            id: None,
            title: found.get("title")?.name()?,
            description: found
                .get("description")?
                .text(MAX_TEXT_CHARS)?
                .unwrap_or_default(),
            url: found.get("links")?.get("html")?.get("href")?.name()?,
            author: nickname(&found.get("author")?)?,
            labels: Vec::new(),
            assignees: Vec::new(),
            milestone: None,
            is_draft: found.get("draft")?.flag()?.unwrap_or(false),
            fork: fork(&source, &destination)?,
            action: action.as_str().to_owned(),
        },
    };
    Ok(ForgeEvent::PullRequest(Box::new(PullRequestEvent {
        repository: root.get("repository")?.repository("uuid")?,
        sender: sender(root)?,
        action,
        pull_request,
        head,
        base,
        head_message: None,
        payload: None,
    })))
}

/// The other repository that it comes from, by its UUID; `null` once it was deleted.
fn fork(source: &Field<'_>, destination: &Field<'_>) -> Result<Option<String>, BadPayload> {
    let from = source.get("repository")?;
    if !from.is_there() {
        return Ok(Some("a repository that was deleted".to_owned()));
    }
    let from = from.repository("uuid")?;
    let to = destination.get("repository")?.repository("uuid")?;
    Ok((from.id != to.id).then_some(from.full_name))
}

/// Logins are gone from Bitbucket; nicknames are free to choose.
fn sender(root: &Field<'_>) -> Result<Sender, BadPayload> {
    let actor = root.get("actor")?;
    let id = match actor.get("uuid")?.id()? {
        Some(id) => Some(id),
        None => actor.get("account_id")?.id()?,
    };
    Ok(Sender {
        id: id.unwrap_or_default(),
        login: nickname(&actor)?,
    })
}

/// Apps and old accounts have a `username` instead.
fn nickname(account: &Field<'_>) -> Result<String, BadPayload> {
    match account.get("nickname")?.name()? {
        name if name.is_empty() => account.get("username")?.name(),
        name => Ok(name),
    }
}
