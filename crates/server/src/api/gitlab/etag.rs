//! A weak `ETag` on every answer of 200 or 201, and 304 when a client that reads
//! has that answer already (RFC 9110 §13; GitLab: `Rack::ETag`).

use axum::body::{Body, HttpBody};
use axum::response::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};

/// Larger answers are streamed as they are.
const LIMIT_BYTES: u64 = 4 * 1024 * 1024;

/// What the client has: the `If-None-Match` of a GET. `None` for HEAD, whose
/// answer has no body to mark.
pub fn known(method: &Method, headers: &HeaderMap) -> Option<Known> {
    match *method {
        Method::HEAD => None,
        Method::GET => Some(Known(headers.get(IF_NONE_MATCH).cloned())),
        _ => Some(Known(None)),
    }
}

/// The tags that a client sent, if any.
pub struct Known(Option<HeaderValue>);

impl Known {
    /// Marks a JSON answer, and leaves its body out when the client has it.
    pub async fn shorten(self, response: Response) -> Response {
        let is_json = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        let length = response.body().size_hint().exact();
        let is_marked = matches!(response.status(), StatusCode::OK | StatusCode::CREATED)
            && is_json
            && length.is_some_and(|bytes| bytes <= LIMIT_BYTES)
            && !response.headers().contains_key(ETAG);
        if !is_marked {
            return response;
        }
        let (mut head, body) = response.into_parts();
        let Ok(body) = body.collect().await else {
            head.status = StatusCode::INTERNAL_SERVER_ERROR;
            return Response::from_parts(head, Body::empty());
        };
        let bytes = body.to_bytes();
        let tag = tag(&bytes);
        let is_known = self.0.is_some_and(|known| names(&known, &tag));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            head.headers.insert(ETAG, tag);
        }
        if is_known {
            head.status = StatusCode::NOT_MODIFIED;
            head.headers.remove(CONTENT_TYPE);
            head.headers.remove(CONTENT_LENGTH);
            return Response::from_parts(head, Body::empty());
        }
        Response::from_parts(head, Body::from(bytes))
    }
}

fn tag(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(bytes);
    let mut tag = String::from("W/\"");
    for byte in &digest[..16] {
        write!(tag, "{byte:02x}").expect("writing to a string cannot fail");
    }
    tag.push('"');
    tag
}

/// Whether a list of tags holds this one; weak and strong ones compare alike.
fn names(known: &HeaderValue, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let known = known.to_str().unwrap_or_default();
    known.trim() == "*" || known.split(',').any(|one| opaque(one) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("W/\"a\"", true)]
    #[case("\"a\"", true)]
    #[case("\"b\", W/\"a\"", true)]
    #[case("*", true)]
    #[case("\"b\"", false)]
    #[case("", false)]
    fn weak_tags_compare_by_what_is_quoted(#[case] known: &str, #[case] expected: bool) {
        let known = HeaderValue::from_str(known).unwrap();
        assert_eq!(names(&known, "W/\"a\""), expected);
    }
}
