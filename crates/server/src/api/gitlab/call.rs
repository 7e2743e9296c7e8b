//! One call: its address, headers and merged parameters.

use std::pin::Pin;

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, Uri};
use jiff::fmt::rfc2822;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use tappet_model::Timestamp;

use super::errors::ApiError;
use super::params::{self, Checks, Params};

/// Everything a handler needs of a request.
#[derive(Debug)]
pub struct Call {
    /// The verb.
    pub method: Method,
    /// The address under the server's path prefix, as sent.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// Body over query; the path segments are apart.
    pub params: Params,
    path: Vec<(String, String)>,
}

/// Parameters and headers that are secrets: never echoed, stored or logged.
pub fn is_credential(name: &str) -> bool {
    matches!(
        name,
        "token" | "private_token" | "job_token" | "access_token"
    )
}

impl Call {
    /// A path segment, decoded once; empty when the route has none of this name.
    pub fn path(&self, name: &str) -> &str {
        self.path
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    /// A path segment that is a number, or 400.
    pub fn number(&self, name: &str) -> Result<i64, ApiError> {
        let text = self.path(name);
        let number = text.parse().ok().or_else(|| digits(text));
        number.ok_or_else(|| ApiError::param(format!("{name} is invalid")))
    }

    /// 400 unless every path segment that is the id of something in a project is a
    /// number.
    pub fn require_numbers(&self) -> Result<(), ApiError> {
        let mut ids = self.path.iter().filter(|(name, _)| name.ends_with("_id"));
        ids.try_for_each(|(name, _)| self.number(name).map(drop))
    }

    /// A path segment that must be a number for the address to be a route at all,
    /// or 404.
    pub fn route_number(&self, name: &str) -> Result<i64, ApiError> {
        digits(self.path(name)).ok_or_else(ApiError::unknown_route)
    }

    /// Starts a validation of the parameters.
    pub fn checks(&self) -> Checks<'_> {
        Checks::new(&self.params)
    }

    /// The first value of a header, when it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// 412 when what is to be deleted changed after `If-Unmodified-Since`. Whole
    /// seconds count; a date that cannot be read is ignored, as in GitLab.
    pub fn require_unmodified(&self, updated_at: Timestamp) -> Result<(), ApiError> {
        let since = self.header("if-unmodified-since").and_then(read_date);
        match since {
            Some(since) if updated_at.unix_seconds() > since.unix_seconds() => {
                Err(ApiError::precondition_failed())
            }
            _ => Ok(()),
        }
    }

    /// Puts a path segment among the parameters, where it beats the others.
    pub fn path_wins(&mut self, name: &str, value: String) {
        self.params.insert(name.to_owned(), Value::String(value));
    }
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        read(request).await
    }
}

/// Boxed: there is a handler for each of some two hundred routes, and each would
/// hold a copy of this.
fn read(request: Request) -> Pin<Box<dyn Future<Output = Result<Call, Response>> + Send>> {
    Box::pin(async move {
        let (mut parts, body) = request.into_parts();
        // Decoded once by the router. Bytes that are no UTF-8 name nothing.
        let path = match RawPathParams::from_request_parts(&mut parts, &()).await {
            Ok(params) => params
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            Err(_) => Vec::new(),
        };
        let mut params = Params::new();
        if let Some(query) = parts.uri.query() {
            params::parse_pairs(query.as_bytes(), &mut params)
                .map_err(|malformed| ApiError::from(malformed).into_response())?;
        }
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            params::read_body(&parts, body, &mut params)
                .await
                .map_err(IntoResponse::into_response)?;
        }
        Ok(Call {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            params,
            path,
        })
    })
}

/// A number of digits only; beyond 64 bits there is nothing to find.
fn digits(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(i64::MAX))
}

/// A date as HTTP writes it, or ISO 8601.
fn read_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(&text.replace("GMT", "+0000"))
        .map(|zoned| Timestamp(zoned.timestamp().as_microsecond()))
        .ok()
        .or_else(|| Timestamp::parse(text))
}

/// Decodes a part of a path once. Bytes that are no UTF-8 become U+FFFD, which no
/// stored name contains.
pub fn decode(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
