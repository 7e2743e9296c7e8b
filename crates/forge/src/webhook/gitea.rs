//! Gitea and Forgejo: modules/structs/hook.go, models/webhook. GitHub's shapes with
//! other words for some actions.

use super::draft::titled_draft;
use super::fields::{BadPayload, Field};
use super::github;
use super::{ForgeEvent, PullRequestAction};

pub(super) fn read(event: &str, root: &Field<'_>) -> Result<ForgeEvent, BadPayload> {
    match event {
        "push" => github::read_push(event, root),
        // One event, but some versions and Forgejo name its kinds in this header, too.
        "pull_request" | "pull_request_sync" | "pull_request_label" => {
            let action = action(root)?;
            let found = github::read_pull_request(root, action)?;
            Ok(with_titled_draft(found))
        }
        other => Ok(ForgeEvent::Other(other.to_owned())),
    }
}

fn action(root: &Field<'_>) -> Result<PullRequestAction, BadPayload> {
    let word = root.get("action")?.required_name()?;
    Ok(match word.as_str() {
        "opened" => PullRequestAction::Opened,
        "synchronized" => PullRequestAction::Synchronize,
        "reopened" => PullRequestAction::Reopened,
        "edited" => edited(root)?,
        "label_updated" => labeled(root)?,
        "label_cleared" => PullRequestAction::Unlabeled,
        "closed" => PullRequestAction::Closed {
            merged: github::is_merged(root)?,
        },
        _ => PullRequestAction::Other(word),
    })
}

/// Drafts are made and unmade by their titles.
fn edited(root: &Field<'_>) -> Result<PullRequestAction, BadPayload> {
    let changes = root.get("changes")?;
    if changes.get("ref")?.is_there() {
        return Ok(PullRequestAction::Edited { base_changed: true });
    }
    let title = root.get("pull_request")?.get("title")?.name()?;
    let old = changes.get("title")?.get("from")?;
    let was_draft = match old.is_there() {
        true => titled_draft(&old.name()?),
        false => titled_draft(&title),
    };
    Ok(match (was_draft, titled_draft(&title)) {
        (true, false) => PullRequestAction::ReadyForReview,
        (false, true) => PullRequestAction::ConvertedToDraft,
        _ => PullRequestAction::Edited {
            base_changed: false,
        },
    })
}

/// Gitea since 1.25 tells which labels are new; before, only which there are.
fn labeled(root: &Field<'_>) -> Result<PullRequestAction, BadPayload> {
    let changes = root.get("changes")?;
    let (added, removed) = (changes.get("added_labels")?, changes.get("removed_labels")?);
    if added.is_there() || removed.is_there() {
        let added = added.names_of("name")?;
        return Ok(match added.is_empty() {
            true => PullRequestAction::Unlabeled,
            false => PullRequestAction::Labeled { added },
        });
    }
    let added = root.get("pull_request")?.get("labels")?.names_of("name")?;
    Ok(PullRequestAction::Labeled { added })
}

/// The field `draft` came with 1.20 and is absent before.
fn with_titled_draft(found: ForgeEvent) -> ForgeEvent {
    let ForgeEvent::PullRequest(mut found) = found else {
        return found;
    };
    let details = &mut found.pull_request.details;
    details.is_draft |= titled_draft(&details.title);
    ForgeEvent::PullRequest(found)
}
