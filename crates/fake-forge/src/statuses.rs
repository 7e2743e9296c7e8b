//! Statuses of commits.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use tappet_model::ForgeKind;

use crate::call::{not_found, told};
use crate::state::{CommitStatus, State};

pub(crate) fn set(state: &mut State, sha: &str, body: &Value) -> Response {
    let kind = state.kind;
    if state.unknown_commits.contains(sha) {
        return match kind {
            ForgeKind::Github => told(kind, 422, &format!("No commit found for SHA: {sha}")),
            _ => not_found(kind),
        };
    }
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let (name, url) = match kind {
        ForgeKind::Github | ForgeKind::Gitea => ("context", "target_url"),
        ForgeKind::Gitlab => ("name", "target_url"),
        ForgeKind::Bitbucket => ("key", "url"),
    };
    let new = CommitStatus {
        sha: sha.to_owned(),
        name: match text(name) {
            name if name.is_empty() => "default".to_owned(),
            name => name,
        },
        state: text("state"),
        description: text("description"),
        url: text(url),
    };
    if kind == ForgeKind::Gitlab
        && let Some(refusal) = refused_move(state, &new)
    {
        return told(kind, 400, &refusal);
    }
    let is_known = state.words(sha, &new.name).pop().is_some();
    let code = match kind {
        ForgeKind::Bitbucket if is_known => StatusCode::OK,
        _ => StatusCode::CREATED,
    };
    let shown = json!({"id": state.statuses.len() + 1, "state": new.state, "status": new.state, "description": new.description});
    state.statuses.push(new);
    (code, axum::Json(shown)).into_response()
}

/// GitLab moves a status that is not over only forwards; over ones get a successor.
/// GitLab: lib/api/commit_statuses.rb, app/models/commit_status.rb.
fn refused_move(state: &State, new: &CommitStatus) -> Option<String> {
    let from = state.words(&new.sha, &new.name).pop()?;
    let event = match new.state.as_str() {
        "pending" if matches!(from.as_str(), "pending" | "running") => "enqueue",
        "running" if from == "running" => "run",
        _ => return None,
    };
    Some(format!(
        "Cannot transition status via :{event} from :{from} (Reason(s): Status cannot transition via \"{event}\")"
    ))
}
