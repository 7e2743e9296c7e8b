//! Bodies as parameters: form, multipart and JSON. Which one it is, only the
//! content type says.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Multipart, Request};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde_json::{Map, Value, json};

use super::Malformed;
use super::nested::{self, MAX_DEPTH, MAX_PAIRS};
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::whole_body::{self, BodyError};

/// The longest body that is read. Webhook deliveries that are sent to a trigger
/// fit well; they end up in a job's `TRIGGER_PAYLOAD`.
pub const MAX_BODY_BYTES: usize = 5 * 1024 * 1024;

/// Values in one JSON body, all levels together.
const MAX_VALUES: usize = 100_000;

/// Reads a body whole; one of more than `limit` bytes is 413.
pub async fn read_bytes(parts: &Parts, body: Body, limit: usize) -> ApiResult<Bytes> {
    match whole_body::read(&parts.headers, body, limit).await {
        Ok(bytes) => Ok(bytes),
        Err(BodyError::TooLarge) => Err(ApiError::too_large()),
        Err(BodyError::Broken(error)) => Err(ApiError::param(format!(
            "the body could not be read: {error}"
        ))),
    }
}

/// Reads a body and adds what it says; what is there already is replaced.
pub async fn read(parts: &Parts, body: Body, into: &mut Map<String, Value>) -> ApiResult<()> {
    let bytes = read_bytes(parts, body, MAX_BODY_BYTES).await?;
    if bytes.is_empty() {
        return Ok(());
    }
    let content_type = match parts.headers.get(CONTENT_TYPE) {
        None => "application/x-www-form-urlencoded",
        Some(value) => value.to_str().unwrap_or("unreadable"),
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        read_json(&bytes, into)?;
    } else if essence.is_empty()
        || essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        let mut form = Map::new();
        nested::parse_pairs(bytes.trim_ascii_end(), &mut form)?;
        into.extend(form);
    } else if essence.eq_ignore_ascii_case("multipart/form-data") {
        into.extend(read_multipart(parts, bytes).await?);
    } else {
        return Err(ApiError::error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("The provided content-type '{essence}' is not supported."),
        ));
    }
    Ok(())
}

/// Only an object has parameters; GitLab ignores any other JSON value.
fn read_json(bytes: &[u8], into: &mut Map<String, Value>) -> Result<(), Malformed> {
    let value: Value = serde_json::from_slice(bytes).map_err(|_| Malformed::Json)?;
    let mut left = MAX_VALUES;
    check(&value, 0, &mut left)?;
    if let Value::Object(object) = value {
        into.extend(object);
    }
    Ok(())
}

fn check(value: &Value, depth: usize, left: &mut usize) -> Result<(), Malformed> {
    if depth > MAX_DEPTH {
        return Err(Malformed::TooDeep);
    }
    *left = left.checked_sub(1).ok_or(Malformed::TooMany)?;
    match value {
        Value::String(text) if text.contains('\0') => Err(Malformed::Encoding),
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| check(item, depth + 1, left)),
        Value::Object(object) => object.iter().try_for_each(|(key, item)| {
            if key.contains('\0') {
                return Err(Malformed::Encoding);
            }
            check(item, depth + 1, left)
        }),
        _ => Ok(()),
    }
}

/// A part with a file name is an uploaded file, and so no text: it becomes an
/// object, as in Rack.
async fn read_multipart(parts: &Parts, bytes: Bytes) -> ApiResult<Map<String, Value>> {
    let request = Request::from_parts(parts.clone(), Body::from(bytes));
    let mut multipart = Multipart::from_request(request, &())
        .await
        .map_err(|_| Malformed::Multipart)?;
    let mut fields = Map::new();
    let mut count = 0;
    while let Some(field) = multipart
        .next_field()
        .await
        .map_err(|_| Malformed::Multipart)?
    {
        count += 1;
        if count > MAX_PAIRS {
            return Err(Malformed::TooMany.into());
        }
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(str::to_owned);
        let content = field.bytes().await.map_err(|_| Malformed::Multipart)?;
        let value = match file_name {
            Some(file_name) => json!({ "filename": file_name }),
            None => {
                let text = std::str::from_utf8(&content).map_err(|_| Malformed::Encoding)?;
                if text.contains('\0') {
                    return Err(Malformed::Encoding.into());
                }
                Value::String(text.to_owned())
            }
        };
        nested::insert(&mut fields, &name, value)?;
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::response::IntoResponse;
    use http::header::{CONTENT_LENGTH, EXPECT};
    use rstest::rstest;

    use super::*;

    async fn read_body(content_type: Option<&str>, body: &str) -> Result<Value, (u16, String)> {
        let mut request = http::Request::post("/");
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let mut map = Map::new();
        match read(&parts, Body::from(body.to_owned()), &mut map).await {
            Ok(()) => Ok(Value::Object(map)),
            Err(error) => {
                let response = error.into_response();
                let status = response.status().as_u16();
                let body = axum::body::to_bytes(response.into_body(), 10_000)
                    .await
                    .unwrap();
                Err((status, String::from_utf8(body.to_vec()).unwrap()))
            }
        }
    }

    const FORM: &str = "application/x-www-form-urlencoded";
    const MULTIPART: &str = "multipart/form-data; boundary=X";

    #[rstest]
    #[case(Some(FORM), "ref=main&variables[A]=b%20c", json!({"ref":"main","variables":{"A":"b c"}}))]
    #[case(None, "ref=main\r\n", json!({"ref":"main"}))]
    #[case(Some("application/json"), r#"{"ref":"main","n":{"a":1}}"#, json!({"ref":"main","n":{"a":1}}))]
    #[case(Some("application/json; charset=utf-8"), "", json!({}))]
    #[case(Some("application/json"), "[1]", json!({}))]
    #[case(Some("application/json"), r#"{"variables[A]":"1"}"#, json!({"variables[A]":"1"}))]
    #[case(Some("image/png"), "", json!({}))]
    #[case(
        Some(MULTIPART),
        "--X\r\nContent-Disposition: form-data; name=\"variables[A]\"\r\n\r\n1\r\n2\r\n--X--\r\n",
        json!({"variables":{"A":"1\r\n2"}})
    )]
    #[case(
        Some(MULTIPART),
        "--X\r\nContent-Disposition: form-data; name=\"variables[A]\"; filename=\"a.txt\"\r\n\r\n1\r\n--X--\r\n",
        json!({"variables":{"A":{"filename":"a.txt"}}})
    )]
    #[tokio::test]
    async fn the_content_type_says_how_a_body_is_read(
        #[case] content_type: Option<&str>,
        #[case] body: &str,
        #[case] expected: Value,
    ) {
        assert_eq!(read_body(content_type, body).await, Ok(expected));
    }

    #[rstest]
    #[case(
        "application/json",
        "{",
        400,
        "message body does not match declared format"
    )]
    #[case(
        "application/json",
        "{\"a\":\"\\u0000\"}",
        400,
        "not valid UTF-8 or holds a null byte"
    )]
    #[case("image/png", "x", 415, "'image/png' is not supported")]
    #[case(MULTIPART, "no parts here", 400, "multipart")]
    #[case(FORM, "a=1&a[b]=1", 400, "expected Hash (got String)")]
    #[tokio::test]
    async fn broken_bodies_are_refused(
        #[case] content_type: &str,
        #[case] body: &str,
        #[case] status: u16,
        #[case] text: &str,
    ) {
        let (got, answer) = read_body(Some(content_type), body).await.unwrap_err();
        assert_eq!(got, status, "{answer}");
        assert!(answer.starts_with("{\"error\":"), "{answer}");
        assert!(answer.contains(text), "{answer}");
    }

    #[tokio::test]
    async fn deep_and_wide_json_is_refused() {
        let deep = format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40));
        assert_eq!(
            read_body(Some("application/json"), &deep)
                .await
                .unwrap_err()
                .0,
            400
        );
        let wide = format!("{{\"a\":[{}1]}}", "1,".repeat(MAX_VALUES));
        assert_eq!(
            read_body(Some("application/json"), &wide)
                .await
                .unwrap_err()
                .0,
            400
        );
        let long = format!("a={}", "x".repeat(MAX_BODY_BYTES));
        assert_eq!(read_body(Some(FORM), &long).await.unwrap_err().0, 413);
    }

    /// A body in pieces of 1 MiB, and how many of them were taken.
    fn pieces(count: usize) -> (Body, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = taken.clone();
        let pieces = (0..count).map(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1024 * 1024]))
        });
        (Body::from_stream(futures_util::stream::iter(pieces)), taken)
    }

    #[rstest]
    #[case::announced(Some(("content-length", "10485760")), 10, 10)]
    #[case::not_announced(None, 10, 10)]
    #[case::never_ending(None, 1000, 71)]
    #[tokio::test]
    async fn a_body_that_is_too_long_is_read_on_for_a_while(
        #[case] header: Option<(&str, &str)>,
        #[case] sent: usize,
        #[case] read: usize,
    ) {
        let mut request = http::Request::post("/");
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let (body, taken) = pieces(sent);
        assert!(read_bytes(&parts, body, MAX_BODY_BYTES).await.is_err());
        assert_eq!(taken.load(Ordering::Relaxed), read);
    }

    #[tokio::test]
    async fn who_asks_before_sending_too_much_sends_nothing() {
        let request = http::Request::post("/")
            .header(CONTENT_LENGTH, "10485760")
            .header(EXPECT, "100-continue");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let (body, taken) = pieces(10);
        assert!(read_bytes(&parts, body, MAX_BODY_BYTES).await.is_err());
        assert_eq!(taken.load(Ordering::Relaxed), 0);
    }
}
