//! Refuses calls with more headers than anybody needs; the HTTP library alone
//! would take 400 KB of them.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};

/// Names and values together. The longest credential has 8 KB.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Lets a call through, or answers 431.
pub async fn limit(request: Request, next: Next) -> Response {
    if size(request.headers()) > MAX_HEADER_BYTES {
        let text = "The headers are longer than 64 KB.\n";
        return (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, text).into_response();
    }
    next.run(request).await
}

fn size(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}
