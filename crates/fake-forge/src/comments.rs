//! Comments on pull requests.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use tappet_model::ForgeKind;

use crate::call::not_found;
use crate::state::{Comment, State};

/// What the forge shows of a comment.
pub(crate) fn shown(kind: ForgeKind, comment: &Comment) -> Value {
    let Comment {
        id,
        text,
        is_deleted,
        ..
    } = comment;
    match kind {
        ForgeKind::Github | ForgeKind::Gitea => {
            json!({"id": id, "body": text, "user": {"login": "ci", "id": 900}, "created_at": "2026-06-02T09:12:31Z"})
        }
        ForgeKind::Gitlab => {
            json!({"id": id, "body": text, "author": {"id": 900, "username": "ci"}, "system": false, "noteable_type": "MergeRequest"})
        }
        ForgeKind::Bitbucket => {
            let raw = if *is_deleted { "" } else { text };
            json!({"id": id, "content": {"type": "rendered", "raw": raw, "markup": "markdown", "html": ""}, "deleted": is_deleted, "type": "pullrequest_comment"})
        }
    }
}

pub(crate) fn write(state: &mut State, number: &str, body: &Value) -> Response {
    let id = state.add_comment(number, text(state.kind, body));
    let kind = state.kind;
    let comment = state.comment(id).expect("it was just written");
    (StatusCode::CREATED, axum::Json(shown(kind, comment))).into_response()
}

pub(crate) fn edit(state: &mut State, id: &str, body: &Value) -> Response {
    let kind = state.kind;
    let comment = id.parse().ok().and_then(|id| state.comment(id));
    let Some(comment) = comment else {
        return not_found(kind);
    };
    comment.text = text(kind, body).to_owned();
    comment.edits += 1;
    axum::Json(shown(kind, comment)).into_response()
}

/// The comments that a list has: Bitbucket lists deleted ones, too.
pub(crate) fn listed(state: &State, number: &str) -> Vec<Comment> {
    let of = |comment: &&Comment| {
        comment.number == number && (!comment.is_deleted || state.kind == ForgeKind::Bitbucket)
    };
    state.comments.iter().filter(of).cloned().collect()
}

fn text(kind: ForgeKind, body: &Value) -> &str {
    let text = match kind {
        ForgeKind::Bitbucket => &body["content"]["raw"],
        _ => &body["body"],
    };
    text.as_str().expect("its shape was checked")
}
