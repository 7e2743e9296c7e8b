//! Why a call was refused: FastAPI's `{"detail": …}`, or problem details (RFC 7807) for
//! clients who ask for them.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT, ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{StatusCode, Uri};
use serde_json::{Value, json};
use tappet_store::StoreError;

use super::accept::prefers_problem;
use super::validation::Problem;
use crate::intake::Refusal;

/// What a handler that refuses answers.
#[derive(Clone, Debug)]
pub struct Refused {
    status: StatusCode,
    detail: Detail,
    retry_after: Option<Duration>,
    allow: Option<&'static str>,
}

#[derive(Clone, Debug)]
enum Detail {
    Text(String),
    Problems(Vec<Problem>),
}

/// What every handler returns.
pub type Reply<T> = Result<T, Refused>;

impl Refused {
    /// A status and a text.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            detail: Detail::Text(text.into()),
            retry_after: None,
            allow: None,
        }
    }

    /// 422 with what is wrong, value by value.
    pub fn invalid(problems: Vec<Problem>) -> Self {
        Self {
            detail: Detail::Problems(problems),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "")
        }
    }

    /// 400 of a body that cannot be read at all, in FastAPI's words.
    pub fn unreadable_body() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "There was an error parsing the body",
        )
    }

    /// 401.
    pub fn not_authenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Not authenticated")
    }

    /// 403.
    pub fn forbidden(why: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, why)
    }

    /// 404 of an address that is no route.
    pub fn unknown_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    /// 404 of what is not there, or must not be seen.
    pub fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// 405.
    pub fn wrong_verb() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
    }

    /// 405 that names the verb, where the router does not know it.
    pub fn wrong_verb_but(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::wrong_verb()
        }
    }

    /// 409.
    pub fn conflict(why: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, why)
    }

    /// 413.
    pub fn too_large(limit: u64) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than the limit of {limit} bytes"),
        )
    }

    /// 429.
    pub fn too_many_calls(wait: Duration) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too many calls in this minute; try again later",
        )
        .retry_after(wait)
    }

    /// 500; what happened is only in the server's log.
    pub fn broken(doing: &str, error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "{doing} failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    }

    fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    fn detail(&self) -> String {
        match &self.detail {
            Detail::Text(text) => Value::from(text.as_str()).to_string(),
            Detail::Problems(problems) => {
                let problems: Vec<String> = problems.iter().map(Problem::to_json).collect();
                format!("[{}]", problems.join(","))
            }
        }
    }

    /// As problem details. `instance` is the address of the call.
    fn problem(&self, instance: &str) -> String {
        let title = self.status.canonical_reason().unwrap_or_default();
        let (detail, errors) = match &self.detail {
            Detail::Text(text) => (text.as_str(), None),
            Detail::Problems(_) => ("the request is not valid", Some(self.detail())),
        };
        let problem = json!({
            "type": "about:blank",
            "title": title,
            "status": self.status.as_u16(),
            "detail": detail,
            "instance": instance,
        });
        let problem = problem.to_string();
        match (errors, problem.strip_suffix('}')) {
            (Some(errors), Some(open)) => format!("{open},\"errors\":{errors}}}"),
            _ => problem,
        }
    }

    fn headers(&self, headers: &mut HeaderMap) {
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Key"));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = format!("{{\"detail\":{}}}", self.detail());
        let json = HeaderValue::from_static("application/json");
        let mut response = (self.status, [(CONTENT_TYPE, json)], body).into_response();
        self.headers(response.headers_mut());
        response.extensions_mut().insert(self);
        response
    }
}

/// Puts a refusal into the form that the caller asks for.
pub async fn negotiate(request: Request, next: Next) -> Response {
    let wants_problem = prefers_problem(request.headers().get_all(ACCEPT));
    let instance = address(&request);
    let mut response = next.run(request).await;
    let Some(refused) = response.extensions_mut().remove::<Refused>() else {
        return response;
    };
    if !wants_problem {
        return response;
    }
    let kind = HeaderValue::from_static("application/problem+json");
    let body = refused.problem(instance.path());
    let mut problem = (refused.status, [(CONTENT_TYPE, kind)], body).into_response();
    // The router has named the verbs by now.
    for name in [ALLOW, RETRY_AFTER, WWW_AUTHENTICATE] {
        if let Some(value) = response.headers_mut().remove(&name) {
            problem.headers_mut().insert(name, value);
        }
    }
    problem
}

/// The address as the client wrote it, path prefix included.
pub fn address(request: &Request) -> Uri {
    match request.extensions().get::<axum::extract::OriginalUri>() {
        Some(original) => original.0.clone(),
        None => request.uri().clone(),
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(what) => Self::missing(what),
            StoreError::Taken { field } => Self::conflict(format!("{field} is already taken")),
            StoreError::Refused(error) => Self::conflict(error.to_string()),
            StoreError::KeyReused => Refusal::KeyReused.into(),
            StoreError::Closed | StoreError::Full => {
                tracing::error!(%error, "the store cannot serve");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
                    .retry_after(Duration::from_secs(5))
            }
            StoreError::Database(_) => Self::broken("a database call", error),
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unavailable {
                message,
                retry_after,
            } => Self::new(StatusCode::SERVICE_UNAVAILABLE, message).retry_after(retry_after),
            Refusal::QueueFull { retry_after } => {
                let text = refusal.to_string();
                Self::new(StatusCode::TOO_MANY_REQUESTS, text).retry_after(retry_after)
            }
            Refusal::Settings(text) => Self::broken("starting a run", text),
            Refusal::Store(StoreError::KeyReused) => Refusal::KeyReused.into(),
            Refusal::Store(error) => error.into(),
            refused => Self::new(StatusCode::UNPROCESSABLE_ENTITY, refused.to_string()),
        }
    }
}
