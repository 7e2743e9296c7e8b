//! Refuses callers who ask too often, when `limits.calls_per_minute` is set
//! (GitLab: `lib/gitlab/rack_attack.rb`).

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::errors::ApiError;
use crate::app::SharedApp;
use crate::client_address;

/// Headers that say who calls.
const CREDENTIALS: [HeaderName; 3] = [
    HeaderName::from_static("private-token"),
    HeaderName::from_static("job-token"),
    AUTHORIZATION,
];

/// Lets a call through, or answers 429 with `Retry-After` and `RateLimit-Reset`.
pub async fn limit(State(app): State<SharedApp>, request: Request, next: Next) -> Response {
    let most = app.config.limits.calls_per_minute;
    if most == 0 {
        return next.run(request).await;
    }
    let address = client_address::of(&app.config, request.extensions(), request.headers());
    if let Err(wait) = app.admit_call(credential(request.headers()), address) {
        return refused(wait, most);
    }
    let response = next.run(request).await;
    if response.status() == StatusCode::UNAUTHORIZED {
        app.note_refused_call(address);
    }
    response
}

fn credential(headers: &HeaderMap) -> Option<&str> {
    CREDENTIALS
        .iter()
        .find_map(|name| headers.get(name)?.to_str().ok())
}

fn refused(wait: Duration, most: u32) -> Response {
    let mut response = ApiError::too_many_requests()
        .retry_after(wait)
        .into_response();
    let seconds = wait.as_secs().max(1);
    let reset = crate::clock::now().plus(wait).unix_seconds();
    let headers = response.headers_mut();
    for (name, value) in [
        ("ratelimit-limit", u64::from(most)),
        ("ratelimit-remaining", 0),
        ("ratelimit-reset", u64::try_from(reset).unwrap_or(seconds)),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
    response
}
