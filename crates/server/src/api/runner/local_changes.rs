//! The caller's local changes, for the job that applies them.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tappet_model::AttemptId;

use super::fence::{self, message};
use crate::app::SharedApp;
use crate::workflows::local_changes::{self, LocalChangesError};

/// Which changes.
#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default)]
    key: String,
}

/// The patch that is stored under a key, for a running job.
pub async fn download(
    State(app): State<SharedApp>,
    Path(id): Path<AttemptId>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = fence::pass(&app, id, &headers, None).await {
        return refused.into_response();
    }
    match local_changes::read(&app, &wanted.key).await {
        Ok(patch) => ([(header::CONTENT_TYPE, "text/x-diff")], patch).into_response(),
        Err(error) => {
            let status = match error {
                LocalChangesError::BadKey(_) => StatusCode::BAD_REQUEST,
                LocalChangesError::Missing(_) => StatusCode::NOT_FOUND,
                LocalChangesError::Damaged(_) | LocalChangesError::Unreadable(..) => {
                    StatusCode::INTERNAL_SERVER_ERROR
                }
            };
            (status, Json(message(&error.to_string()))).into_response()
        }
    }
}
