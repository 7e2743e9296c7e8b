//! Who may speak for an attempt: the holder of its token, while it runs.

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tappet_model::{AttemptId, Status};

use crate::app::App;

/// A call refused by the fence.
pub enum Refused {
    /// The token is not this attempt's.
    WrongToken,
    /// The attempt is over.
    Over(Status),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Refused::WrongToken => {
                (StatusCode::FORBIDDEN, axum::Json(message("403 Forbidden"))).into_response()
            }
            Refused::Over(status) => {
                let body = axum::Json(message("403 Forbidden - Job is not running"));
                (StatusCode::FORBIDDEN, job_status(status), body).into_response()
            }
        }
    }
}

/// GitLab's error shape.
pub fn message(text: &str) -> serde_json::Value {
    serde_json::json!({ "message": text })
}

/// The header that tells a runner what became of its job.
pub fn job_status(status: Status) -> [(&'static str, HeaderValue); 1] {
    [("job-status", HeaderValue::from_static(status.as_str()))]
}

/// Lets the holder of the attempt's token pass while a runner holds it; gives
/// the status that the answer has to carry.
pub async fn pass(
    app: &App,
    id: AttemptId,
    headers: &HeaderMap,
    body_token: Option<&str>,
) -> Result<Status, Refused> {
    let header = headers
        .get("job-token")
        .and_then(|value| value.to_str().ok());
    // GitLab looks into the body first.
    let token = body_token
        .filter(|token| !token.is_empty())
        .or(header)
        .unwrap_or_default();
    if app.secrets.verify_job_token(token) != Some(id) {
        return Err(Refused::WrongToken);
    }
    match app.held.seen(id) {
        Some(status) => Ok(status),
        None => Err(Refused::Over(ended(app, id).await)),
    }
}

/// How an attempt ended, as far as the store can tell.
pub async fn ended(app: &App, id: AttemptId) -> Status {
    match app.store.attempt(id).await {
        Ok(Some(attempt)) => attempt.status,
        _ => Status::Failed,
    }
}
