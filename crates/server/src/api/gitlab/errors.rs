//! The one error type of the GitLab API.
//!
//! GitLab answers in two shapes: a refused parameter under `error`, everything
//! else under `message` (GitLab: `lib/api/helpers.rb`, `lib/api/api.rb`). What a
//! model finds wrong with its fields is collected in [`FieldErrors`].

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use serde_json::{Value, json};
use tappet_store::StoreError;

use super::field_errors::FieldErrors;
use super::variable_key;
use crate::intake::Refusal;

const X_TAPPET_DETAIL: HeaderName = HeaderName::from_static("x-tappet-detail");

/// An answer other than success: a status, a JSON body, sometimes `Retry-After`.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    body: String,
    retry_after: Option<Duration>,
    detail: Option<String>,
    location: Option<String>,
}

/// What every handler returns.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub(super) fn new(status: StatusCode, body: &Value) -> Self {
        Self {
            status,
            body: body.to_string(),
            retry_after: None,
            detail: None,
            location: None,
        }
    }

    /// `{"message":<text>}` with any status.
    pub fn message(status: StatusCode, text: impl Into<String>) -> Self {
        Self::new(status, &json!({ "message": text.into() }))
    }

    /// `{"error":<text>}` with any status.
    pub fn error(status: StatusCode, text: impl Into<String>) -> Self {
        Self::new(status, &json!({ "error": text.into() }))
    }

    /// 400 of parameter validation: `{"error":"ref is missing"}`.
    pub fn param(text: impl Into<String>) -> Self {
        Self::error(StatusCode::BAD_REQUEST, text)
    }

    /// 400 `{"message":"400 Bad request - <reason>"}`.
    pub fn bad_request(reason: impl std::fmt::Display) -> Self {
        Self::message(
            StatusCode::BAD_REQUEST,
            format!("400 Bad request - {reason}"),
        )
    }

    /// 400 of a model: `{"message":{"<field>":["<text>"]}}`.
    pub fn invalid(field: &str, text: impl Into<String>) -> Self {
        FieldErrors::one(field, text).into()
    }

    /// 503 of a repository that cannot be reached now.
    pub fn unreachable(what: &str) -> Self {
        let text = format!("503 Service Unavailable - {what}");
        Self::message(StatusCode::SERVICE_UNAVAILABLE, text)
            .retry_after(crate::repositories::RETRY_AFTER)
    }

    /// 422 of a model, as one sentence: `{"message":["Name can't be blank"]}`.
    pub fn unprocessable(sentence: &str) -> Self {
        let body = json!({ "message": [sentence] });
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, &body)
    }

    /// 409 with GitLab's own text.
    pub fn conflict(text: impl Into<String>) -> Self {
        Self::message(StatusCode::CONFLICT, text)
    }

    /// 301 of a renamed project.
    pub fn moved(address: String) -> Self {
        let text = format!("This resource has been moved permanently to {address}.");
        let mut error = Self::message(StatusCode::MOVED_PERMANENTLY, text);
        error.location = Some(address);
        error
    }

    /// 401 of an access token that was good once (GitLab: `lib/api/api_guard.rb`).
    pub fn invalid_token(description: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            &json!({ "error": "invalid_token", "error_description": description }),
        )
    }

    /// 401.
    pub fn unauthorized() -> Self {
        Self::message(StatusCode::UNAUTHORIZED, "401 Unauthorized")
    }

    /// 403 without a reason.
    pub fn forbidden() -> Self {
        Self::message(StatusCode::FORBIDDEN, "403 Forbidden")
    }

    /// 403 `{"message":"403 Forbidden - <reason>"}`.
    pub fn forbidden_because(reason: impl std::fmt::Display) -> Self {
        Self::message(StatusCode::FORBIDDEN, format!("403 Forbidden - {reason}"))
    }

    /// 403 of a token whose scopes do not reach.
    pub fn insufficient_scope(needed: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            &json!({
                "error": "insufficient_scope",
                "error_description":
                    "The request requires higher privileges than provided by the access token.",
                "scope": needed,
            }),
        )
    }

    /// 404 in its bare form, `404 Not Found`.
    pub fn not_found() -> Self {
        Self::message(StatusCode::NOT_FOUND, "404 Not Found")
    }

    /// 404 that names the thing: `404 Project Not Found`.
    pub fn missing(thing: &str) -> Self {
        Self::message(StatusCode::NOT_FOUND, format!("404 {thing} Not Found"))
    }

    /// 404 of a record lookup, with GitLab's lower-case `found`.
    pub fn record_not_found() -> Self {
        Self::message(StatusCode::NOT_FOUND, "404 Not found")
    }

    /// 404 of an address that is no route: `{"error":"404 Not Found"}`.
    pub fn unknown_route() -> Self {
        Self::error(StatusCode::NOT_FOUND, "404 Not Found")
    }

    /// 404 of a known address with another verb, readable for clients of both shapes.
    pub fn wrong_verb() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            &json!({ "error": "404 Not Found", "message": "404 Not Found" }),
        )
    }

    /// 412 of a stale `If-Unmodified-Since`.
    pub fn precondition_failed() -> Self {
        Self::message(StatusCode::PRECONDITION_FAILED, "412 Precondition Failed")
    }

    /// 413.
    pub fn too_large() -> Self {
        Self::message(
            StatusCode::PAYLOAD_TOO_LARGE,
            "413 Request Entity Too Large",
        )
    }

    /// 429; give it a [`ApiError::retry_after`].
    pub fn too_many_requests() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            &json!({ "message": { "error":
                "This endpoint has been requested too many times. Try again later." } }),
        )
    }

    /// 500; what happened is only in the server's log.
    pub fn crash() -> Self {
        Self::message(
            StatusCode::INTERNAL_SERVER_ERROR,
            "500 Internal Server Error",
        )
    }

    /// 500 for something that broke outside the store.
    pub fn broken(doing: &str, error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "{doing} failed");
        Self::crash()
    }

    /// Adds `X-Tappet-Detail`: what GitLab's wording keeps to itself.
    pub fn detail(mut self, detail: Option<String>) -> Self {
        self.detail = detail;
        self
    }

    /// Adds `Retry-After`.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        let mut response = (self.status, [(CONTENT_TYPE, json)], self.body).into_response();
        if let Some(delay) = self.retry_after {
            let seconds = delay.as_secs().max(1);
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        let detail = self.detail.as_deref().map(str::as_bytes);
        if let Some(Ok(detail)) = detail.map(HeaderValue::from_bytes) {
            response.headers_mut().insert(X_TAPPET_DETAIL, detail);
        }
        if let Some(location) = self.location
            && let Ok(location) = HeaderValue::try_from(location)
        {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(_) => Self::record_not_found(),
            StoreError::Taken { .. } | StoreError::Refused(_) => {
                Self::message(StatusCode::CONFLICT, "409 Conflict")
            }
            StoreError::KeyReused => key_reused(),
            StoreError::Closed | StoreError::Full => {
                tracing::error!(%error, "the store cannot serve");
                Self::message(
                    StatusCode::SERVICE_UNAVAILABLE,
                    format!("503 Service Unavailable - {error}"),
                )
                .retry_after(Duration::from_secs(5))
            }
            StoreError::Database(_) => Self::broken("a database call", error),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotStarted { message } | Refusal::NothingToRun { message } => {
                Self::invalid("base", message)
            }
            Refusal::InvalidVariableKey => {
                let mut errors = FieldErrors::one("variables.key", variable_key::CHARACTERS_TEXT);
                errors.add("base", "Failed to build the pipeline!");
                errors.into()
            }
            Refusal::Skipped
            | Refusal::Superseded
            | Refusal::WorkflowNotFound(_)
            | Refusal::WorkflowMismatch(_) => Self::invalid("base", refusal.to_string()),
            Refusal::KeyReused => key_reused(),
            Refusal::Unavailable {
                message,
                retry_after,
            } => Self::message(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("503 Service Unavailable - {message}"),
            )
            .retry_after(retry_after),
            Refusal::QueueFull { retry_after } => {
                Self::too_many_requests().retry_after(retry_after)
            }
            Refusal::Settings(text) => Self::broken("starting a run", text),
            Refusal::Store(error) => error.into(),
        }
    }
}

fn key_reused() -> ApiError {
    ApiError::message(
        StatusCode::UNPROCESSABLE_ENTITY,
        "422 Unprocessable Entity - this Idempotency-Key was used with another request",
    )
}

/// The answer to a handler that panicked.
pub fn panicked(_cause: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::crash().into_response()
}

/// Several refused parameters, joined as Grape joins them.
pub fn joined(errors: &[Cow<'static, str>]) -> ApiError {
    ApiError::param(errors.join(", "))
}
