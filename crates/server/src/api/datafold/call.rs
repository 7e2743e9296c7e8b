//! One call: its address and headers, and a small body. A body of JSON is read only
//! once the caller is known, since FastAPI tells what is wrong with it.

use std::net::IpAddr;
use std::ops::Deref;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::request::Parts;

use super::json::{Json, NotJson};
use super::refusal::{Refused, Reply};
use super::validation::{Checks, Fields, Integer, Place, Problem};
use crate::app::SharedApp;
use crate::client_address;
use crate::whole_body::{self, BodyError};

/// Bytes of a body of JSON.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// What stands before the body.
#[derive(Debug)]
pub struct Head {
    /// The headers.
    pub headers: HeaderMap,
    /// Where the call comes from.
    pub address: Option<IpAddr>,
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
}

impl Head {
    /// A part of the address that is a whole number.
    pub fn path_integer(&self, checks: &mut Checks, name: &str) -> Integer {
        let mut parts = self.path.iter();
        let part = parts.find(|(key, _)| key == name);
        let text = part.map(|(_, value)| value.clone()).unwrap_or_default();
        checks.integer(Place::path(name), &Json::Text(text))
    }

    /// A part of the address as it is, decoded; empty when there is none.
    pub fn path(&self, name: &str) -> &str {
        let mut parts = self.path.iter();
        parts
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    /// A parameter of the query; the last one counts.
    pub fn query(&self, name: &str) -> Option<Json> {
        let mut pairs = self.query.iter().rev();
        let (_, value) = pairs.find(|(key, _)| key == name)?;
        Some(Json::Text(value.clone()))
    }

    /// The first value of a header, when it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl FromRequestParts<SharedApp> for Head {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Reply<Self> {
        // Bytes that are no UTF-8 name nothing.
        let path: Vec<(String, String)> = match RawPathParams::from_request_parts(parts, &()).await
        {
            Ok(params) => params
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            Err(_) => Vec::new(),
        };
        // The router takes nothing for a part, too.
        if path.iter().any(|(_, value)| value.is_empty()) {
            return Err(Refused::unknown_route());
        }
        let query = parts.uri.query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes());
        Ok(Self {
            address: client_address::of(&app.config, &parts.extensions, &parts.headers),
            path,
            query: query.into_owned().collect(),
            headers: parts.headers.clone(),
        })
    }
}

/// A call with a small body.
#[derive(Debug)]
pub struct Call {
    head: Head,
    body: Bytes,
}

impl Deref for Call {
    type Target = Head;

    fn deref(&self) -> &Head {
        &self.head
    }
}

impl FromRequest<SharedApp> for Call {
    type Rejection = Refused;

    async fn from_request(request: Request, app: &SharedApp) -> Reply<Self> {
        let (mut parts, body) = request.into_parts();
        let head = Head::from_request_parts(&mut parts, app).await?;
        let body = whole_body::read(&parts.headers, body, BODY_LIMIT).await;
        Ok(Self {
            head,
            body: body.map_err(|error| unread(error, BODY_LIMIT))?,
        })
    }
}

/// Why a body was not read.
pub fn unread(error: BodyError, limit: usize) -> Refused {
    match error {
        BodyError::TooLarge => Refused::too_large(limit as u64),
        BodyError::Broken(_) => Refused::unreadable_body(),
    }
}

/// What a body holds.
#[derive(Clone, PartialEq, Debug)]
pub enum Sent {
    /// Nothing, or `null`.
    Nothing,
    /// JSON.
    Json(Json),
    /// Something that does not say that it is JSON.
    Other,
}

impl Call {
    /// The body as it is.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The body by what its content type says. 422 for broken JSON and 400 for bytes
    /// that are no text, before anything else is looked at.
    pub fn sent(&self) -> Reply<Sent> {
        let kind = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        sent(&self.body, is_json(kind))
    }
}

/// Reads a body.
fn sent(body: &[u8], is_json: bool) -> Reply<Sent> {
    if body.is_empty() {
        return Ok(Sent::Nothing);
    }
    if !is_json {
        return Ok(Sent::Other);
    }
    let text = std::str::from_utf8(body).map_err(|_| Refused::unreadable_body())?;
    match Json::parse(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        Ok(Json::Null) => Ok(Sent::Nothing),
        Ok(json) => Ok(Sent::Json(json)),
        Err(NotJson::TooMuch) => Err(Refused::unreadable_body()),
        Err(NotJson::Syntax { message, position }) => {
            Err(Refused::invalid(vec![Problem::json_invalid(
                position, message,
            )]))
        }
    }
}

/// `application/json` or `application/…+json`, in any case.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence
        .strip_prefix("application/")
        .is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

impl Sent {
    /// The body as an object; what it is not is noted.
    pub fn object<'a>(&'a self, checks: &mut Checks) -> Fields<'a> {
        match self {
            Sent::Json(json) => checks.object(Place::body(), json),
            Sent::Other => checks.object(Place::body(), &Json::Null),
            Sent::Nothing => {
                checks.missing(Place::body());
                Fields::none()
            }
        }
    }

    /// The body as a list; what it is not is noted.
    pub fn list<'a>(&'a self, checks: &mut Checks, most: usize) -> &'a [Json] {
        match self {
            Sent::Json(json) => checks.list(Place::body(), json, most),
            Sent::Other => checks.list(Place::body(), &Json::Null, most),
            Sent::Nothing => {
                checks.missing(Place::body());
                &[]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("application/json", true)]
    #[case("Application/JSON; charset=utf-8", true)]
    #[case("application/vnd.x+json", true)]
    #[case("text/json", false)]
    #[case("text/plain", false)]
    #[case("application/jsonx", false)]
    #[case("", false)]
    fn the_content_type_says_what_is_json(#[case] content_type: &str, #[case] expected: bool) {
        assert_eq!(is_json(content_type), expected);
    }

    #[rstest]
    #[case(b"", true, Some(Sent::Nothing))]
    #[case(b"null", true, Some(Sent::Nothing))]
    #[case(b"{}", false, Some(Sent::Other))]
    #[case(b"\xef\xbb\xbf[]", true, Some(Sent::Json(Json::Array(Vec::new()))))]
    #[case(b"\"\xff\"", true, None)]
    #[case(b"{", true, None)]
    fn bodies_are_read_by_what_they_say_they_are(
        #[case] body: &[u8],
        #[case] is_json: bool,
        #[case] expected: Option<Sent>,
    ) {
        assert_eq!(sent(body, is_json).ok(), expected);
    }
}
