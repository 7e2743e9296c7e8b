//! GitLab: doc/user/project/integrations/webhook_events.md, "Push events", "Tag events",
//! "Merge request events"; the same bodies as system hooks.

use tappet_model::{PullRequest, PullRequestDetails};

use super::draft::titled_draft;
use super::fields::{BadPayload, Field};
use super::push::{self, Place};
use super::{
    ForgeEvent, MAX_ITEMS, MAX_TEXT_CHARS, PullRequestAction, PullRequestEvent, Repository, Sender,
};

pub(super) fn read(event: &str, root: &Field<'_>) -> Result<ForgeEvent, BadPayload> {
    let kind = match event {
        "Push Hook" => "push".to_owned(),
        "Tag Push Hook" => "tag_push".to_owned(),
        "Merge Request Hook" => "merge_request".to_owned(),
        "System Hook" => match root.get("object_kind")?.name()? {
            kind if kind.is_empty() => root.get("event_name")?.name()?,
            kind => kind,
        },
        other => return Ok(ForgeEvent::Other(other.to_owned())),
    };
    match kind.as_str() {
        "push" | "tag_push" => read_push(event, root),
        "merge_request" => read_merge_request(root),
        _ => Ok(ForgeEvent::Other(event.to_owned())),
    }
}

fn read_push(event: &str, root: &Field<'_>) -> Result<ForgeEvent, BadPayload> {
    let project = root.get("project")?;
    let place = Place {
        repository: Repository {
            id: match root.get("project_id")? {
                id if id.is_there() => id.required_id()?,
                _ => project.get("id")?.required_id()?,
            },
            full_name: project.get("path_with_namespace")?.required_name()?,
        },
        sender: Sender {
            id: root.get("user_id")?.id()?.unwrap_or_default(),
            login: root.get("user_username")?.name()?,
        },
        message: message(root)?,
        newest: root.get("checkout_sha")?.revision()?,
        asks_for_no_run: asks_for_no_run(root)?,
    };
    push::read(event, root, place)
}

/// The message of the commit that was pushed. At most the newest 20 are listed, and none
/// of a branch or tag whose commits were there before.
fn message(root: &Field<'_>) -> Result<Option<String>, BadPayload> {
    let Some(pushed) = root.get("checkout_sha")?.revision()? else {
        return Ok(None);
    };
    for commit in root.get("commits")?.items()?.iter().rev() {
        if commit.get("id")?.revision()?.as_ref() == Some(&pushed) {
            return commit.get("message")?.text(MAX_TEXT_CHARS);
        }
    }
    Ok(None)
}

/// `git push -o ci.skip`. GitLab: lib/gitlab/push_options.rb.
fn asks_for_no_run(root: &Field<'_>) -> Result<bool, BadPayload> {
    let option = root.get("push_options")?.get("ci")?.get("skip")?;
    Ok(option.is_there() && option.flag().ok().flatten() != Some(false))
}

fn read_merge_request(root: &Field<'_>) -> Result<ForgeEvent, BadPayload> {
    let found = root.get("object_attributes")?;
    let project = root.get("project")?;
    let commit = found.get("last_commit")?;
    let head = commit.get("id")?.required_revision()?;
    let sender = sender(root)?;
    let title = found.get("title")?.name()?;
    let is_draft = match (
        found.get("draft")?.flag()?,
        found.get("work_in_progress")?.flag()?,
    ) {
        (None, None) => titled_draft(&title),
        (draft, old) => draft.unwrap_or(false) || old.unwrap_or(false),
    };
    let action = action(&found, &root.get("changes")?)?;
    let pull_request = PullRequest {
        number: found.get("iid")?.number()?,
        head_branch: found.get("source_branch")?.branch()?,
        head_sha: head.as_str().to_owned(),
        base_branch: found.get("target_branch")?.branch()?,
        base_sha: String::new(),
        merge_base: None,
        details: PullRequestDetails {
            id: found.get("id")?.integer()?,
            description: found
                .get("description")?
                .text(MAX_TEXT_CHARS)?
                .unwrap_or_default(),
            url: found.get("url")?.name()?,
            author: author(&found, &sender)?,
            labels: labels(root, &found)?,
            assignees: root.get("assignees")?.names_of("username")?,
            milestone: None,
            is_draft,
            fork: fork(&found)?,
            action: action.as_str().to_owned(),
            title,
        },
    };
    Ok(ForgeEvent::PullRequest(Box::new(PullRequestEvent {
        repository: Repository {
            id: match project.get("id")? {
                id if id.is_there() => id.required_id()?,
                _ => found.get("target_project_id")?.required_id()?,
            },
            full_name: project.get("path_with_namespace")?.required_name()?,
        },
        sender,
        action,
        pull_request,
        head,
        base: None,
        head_message: commit.get("message")?.text(MAX_TEXT_CHARS)?,
        payload: None,
    })))
}

/// `update` stands for anything: new commits come with `oldrev`, the rest with `changes`.
/// When several things changed at once, the one counts that asks for the most.
fn action(found: &Field<'_>, changes: &Field<'_>) -> Result<PullRequestAction, BadPayload> {
    let word = found.get("action")?.name()?;
    Ok(match word.as_str() {
        "open" => PullRequestAction::Opened,
        "reopen" => PullRequestAction::Reopened,
        "close" => PullRequestAction::Closed { merged: false },
        "merge" => PullRequestAction::Closed { merged: true },
        "update" if found.get("oldrev")?.is_there() => PullRequestAction::Synchronize,
        "update" => updated(changes)?,
        _ => PullRequestAction::Other(word),
    })
}

fn updated(changes: &Field<'_>) -> Result<PullRequestAction, BadPayload> {
    if changes.get("target_branch")?.is_there() {
        return Ok(PullRequestAction::Edited { base_changed: true });
    }
    match draft_change(changes)? {
        Some((true, false)) => return Ok(PullRequestAction::ReadyForReview),
        Some((false, true)) => return Ok(PullRequestAction::ConvertedToDraft),
        _ => {}
    }
    let labels = changes.get("labels")?;
    if !labels.is_there() {
        return Ok(PullRequestAction::Edited {
            base_changed: false,
        });
    }
    let previous = labels.get("previous")?.names_of("title")?;
    let mut added = labels.get("current")?.names_of("title")?;
    added.retain(|label| !previous.contains(label));
    Ok(match added.is_empty() {
        true => PullRequestAction::Unlabeled,
        false => PullRequestAction::Labeled { added },
    })
}

/// Whether it was a draft and whether it is one. Before 16.0 only the title tells.
fn draft_change(changes: &Field<'_>) -> Result<Option<(bool, bool)>, BadPayload> {
    for name in ["draft", "work_in_progress"] {
        let change = changes.get(name)?;
        if change.is_there() {
            let was = change.get("previous")?.flag()?.unwrap_or(false);
            let is = change.get("current")?.flag()?.unwrap_or(false);
            return Ok(Some((was, is)));
        }
    }
    let title = changes.get("title")?;
    if !title.is_there() {
        return Ok(None);
    }
    let was = titled_draft(&title.get("previous")?.name()?);
    let is = titled_draft(&title.get("current")?.name()?);
    Ok(Some((was, is)))
}

/// Only the author's id is sent; the login is known when they sent the event themselves.
fn author(found: &Field<'_>, sender: &Sender) -> Result<String, BadPayload> {
    let is_sender = found.get("author_id")?.id()?.as_deref() == Some(sender.id.as_str());
    Ok(match is_sender {
        true => sender.login.clone(),
        false => String::new(),
    })
}

fn labels(root: &Field<'_>, found: &Field<'_>) -> Result<Vec<String>, BadPayload> {
    let mut labels = root.get("labels")?.names_of("title")?;
    if labels.is_empty() {
        labels = found.get("labels")?.names_of("title")?;
    }
    labels.truncate(MAX_ITEMS);
    Ok(labels)
}

/// The other project that it comes from; ids count, names are for people. One that was
/// deleted has no id any more.
fn fork(found: &Field<'_>) -> Result<Option<String>, BadPayload> {
    let source = found.get("source_project_id")?.id()?;
    let target = found.get("target_project_id")?.required_id()?;
    if source.as_deref() == Some(target.as_str()) {
        return Ok(None);
    }
    let name = found.get("source")?.get("path_with_namespace")?.name()?;
    Ok(Some(match (name.is_empty(), source) {
        (false, _) => name,
        (true, Some(id)) => format!("project {id}"),
        (true, None) => "a project that was deleted".to_owned(),
    }))
}

fn sender(root: &Field<'_>) -> Result<Sender, BadPayload> {
    let user = root.get("user")?;
    Ok(Sender {
        id: user.get("id")?.id()?.unwrap_or_default(),
        login: user.get("username")?.name()?,
    })
}
