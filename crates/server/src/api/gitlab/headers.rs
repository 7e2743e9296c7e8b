//! The headers that every answer of the API carries.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, HeaderName, HeaderValue, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};

use super::etag;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_RUNTIME: HeaderName = HeaderName::from_static("x-runtime");

/// Adds the security headers, a request id, the time spent and, to what went well,
/// an `ETag`. Headers that a handler has set stay.
pub async fn add(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let known = etag::known(request.method(), request.headers());
    let mut response = next.run(request).await;
    if let Some(known) = known {
        response = known.shorten(response).await;
    }
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static(
            "max-age=0, private, must-revalidate",
        ));
    if let Some(id) = request_id() {
        headers.insert(X_REQUEST_ID, id);
    }
    if let Ok(seconds) = HeaderValue::from_str(&format!("{:.6}", began.elapsed().as_secs_f64())) {
        headers.insert(X_RUNTIME, seconds);
    }
    response
}

fn request_id() -> Option<HeaderValue> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).ok()?;
    HeaderValue::from_str(&format!("{:032x}", u128::from_be_bytes(random))).ok()
}
