//! GitHub: docs.github.com "Webhook events and payloads", `ping`, `push`, `pull_request`.

use tappet_model::{PullRequest, PullRequestDetails};

use super::fields::{BadPayload, Field};
use super::push::{self, Place};
use super::{ForgeEvent, MAX_TEXT_CHARS, PullRequestAction, PullRequestEvent, Sender};

pub(super) fn read(event: &str, root: &Field<'_>) -> Result<ForgeEvent, BadPayload> {
    match event {
        "ping" => Ok(ForgeEvent::Ping),
        "push" => read_push(event, root),
        "pull_request" => {
            let action = action(root)?;
            read_pull_request(root, action)
        }
        other => Ok(ForgeEvent::Other(other.to_owned())),
    }
}

/// A push, in the shape that Gitea has taken over.
pub(super) fn read_push(event: &str, root: &Field<'_>) -> Result<ForgeEvent, BadPayload> {
    let newest = root.get("head_commit")?;
    let place = Place {
        repository: root.get("repository")?.repository("id")?,
        sender: sender(root)?,
        message: newest.get("message")?.text(MAX_TEXT_CHARS)?,
        newest: newest.get("id")?.revision()?,
        asks_for_no_run: false,
    };
    push::read(event, root, place)
}

fn action(root: &Field<'_>) -> Result<PullRequestAction, BadPayload> {
    let word = root.get("action")?.required_name()?;
    Ok(match word.as_str() {
        "opened" => PullRequestAction::Opened,
        "synchronize" => PullRequestAction::Synchronize,
        "reopened" => PullRequestAction::Reopened,
        "edited" => PullRequestAction::Edited {
            base_changed: root.get("changes")?.get("base")?.is_there(),
        },
        "labeled" => PullRequestAction::Labeled {
            added: vec![root.get("label")?.get("name")?.required_name()?],
        },
        "unlabeled" => PullRequestAction::Unlabeled,
        "ready_for_review" => PullRequestAction::ReadyForReview,
        "converted_to_draft" => PullRequestAction::ConvertedToDraft,
        "closed" => PullRequestAction::Closed {
            merged: is_merged(root)?,
        },
        _ => PullRequestAction::Other(word),
    })
}

/// Whether the pull request's changes are in.
pub(super) fn is_merged(root: &Field<'_>) -> Result<bool, BadPayload> {
    let flag = root.get("pull_request")?.get("merged")?.flag()?;
    Ok(flag.unwrap_or(false))
}

/// A pull request, in the shape that Gitea has taken over.
pub(super) fn read_pull_request(
    root: &Field<'_>,
    action: PullRequestAction,
) -> Result<ForgeEvent, BadPayload> {
    let found = root.get("pull_request")?;
    let (head, base) = (found.get("head")?, found.get("base")?);
    let head_revision = head.get("sha")?.required_revision()?;
    let base_revision = base.get("sha")?.revision()?;
    let number = match root.get("number")? {
        number if number.is_there() => number.number()?,
        _ => found.get("number")?.number()?,
    };
    let pull_request = PullRequest {
        number,
        head_branch: head.get("ref")?.branch()?,
        head_sha: head_revision.as_str().to_owned(),
        base_branch: base.get("ref")?.branch()?,
        base_sha: base_revision
            .as_ref()
            .map(|base| base.as_str().to_owned())
            .unwrap_or_default(),
        merge_base: None,
        details: PullRequestDetails {
            id: found.get("id")?.integer()?,
            title: found.get("title")?.name()?,
            description: found.get("body")?.text(MAX_TEXT_CHARS)?.unwrap_or_default(),
            url: found.get("html_url")?.name()?,
            author: found.get("user")?.get("login")?.name()?,
            labels: found.get("labels")?.names_of("name")?,
            assignees: found.get("assignees")?.names_of("login")?,
            milestone: Some(found.get("milestone")?.get("title")?.name()?)
                .filter(|title| !title.is_empty()),
            is_draft: found.get("draft")?.flag()?.unwrap_or(false),
            fork: fork(&head, &base)?,
            action: action.as_str().to_owned(),
        },
    };
    Ok(ForgeEvent::PullRequest(Box::new(PullRequestEvent {
        repository: root.get("repository")?.repository("id")?,
        sender: sender(root)?,
        action,
        pull_request,
        head: head_revision,
        base: base_revision,
        head_message: None,
        payload: None,
    })))
}

/// The other repository that it comes from. Its owner may delete or rename it, so only
/// the ids count; one that is gone is another one, too.
fn fork(head: &Field<'_>, base: &Field<'_>) -> Result<Option<String>, BadPayload> {
    let (head_repository, base_repository) = (head.get("repo")?, base.get("repo")?);
    if !head_repository.is_there() {
        let label = head.get("label")?.name()?;
        return Ok(Some(match label.is_empty() {
            true => "a repository that was deleted".to_owned(),
            false => label,
        }));
    }
    let (from, to) = (
        head_repository.repository("id")?,
        base_repository.repository("id")?,
    );
    Ok((from.id != to.id).then_some(from.full_name))
}

fn sender(root: &Field<'_>) -> Result<Sender, BadPayload> {
    let sender = root.get("sender")?;
    Ok(Sender {
        id: sender.get("id")?.id()?.unwrap_or_default(),
        login: sender.get("login")?.name()?,
    })
}
