//! A file as an answer, whole or the part that `Range` asks for (RFC 9110 §14).

use std::io::SeekFrom;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderMap, HeaderValue, IF_RANGE, RANGE,
};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::errors::{ApiError, ApiResult};

/// Large reads: a log or an archive is copied in few system calls.
const CHUNK_BYTES: usize = 64 * 1024;

/// What is answered.
#[derive(Debug)]
pub struct FileReply {
    /// Open at any place.
    pub file: File,
    /// Bytes of it that count.
    pub length: u64,
    /// Media type.
    pub content_type: &'static str,
    /// `Content-Disposition`.
    pub disposition: String,
    /// Names the content, for content that never changes.
    pub etag: Option<String>,
}

impl FileReply {
    /// 200, 206 or 416.
    pub async fn answer(mut self, request: &HeaderMap) -> ApiResult<Response> {
        let range = match self.wanted(request) {
            Wanted::All => None,
            Wanted::Part { from, to } => Some((from, to)),
            Wanted::Nothing => return Ok(self.unsatisfiable()),
        };
        let (from, length) = match range {
            Some((from, to)) => (from, to - from + 1),
            None => (0, self.length),
        };
        self.file
            .seek(SeekFrom::Start(from))
            .await
            .map_err(|error| ApiError::broken("reading a file", error))?;
        let stream = ReaderStream::with_capacity(self.file.take(length), CHUNK_BYTES);
        let mut response = Response::new(Body::from_stream(stream));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(CONTENT_DISPOSITION, text(&self.disposition));
        if let Some(etag) = &self.etag {
            headers.insert(ETAG, text(etag));
        }
        if let Some((from, to)) = range {
            headers.insert(
                CONTENT_RANGE,
                text(&format!("bytes {from}-{to}/{}", self.length)),
            );
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        Ok(response)
    }

    fn wanted(&self, request: &HeaderMap) -> Wanted {
        let same = match request.get(IF_RANGE) {
            None => true,
            Some(etag) => self.etag.as_ref().is_some_and(|own| etag == own.as_str()),
        };
        match request.get(RANGE).and_then(|range| range.to_str().ok()) {
            Some(range) if same => parse(range, self.length),
            _ => Wanted::All,
        }
    }

    fn unsatisfiable(&self) -> Response {
        let range = text(&format!("bytes */{}", self.length));
        (StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, range)]).into_response()
    }
}

fn text(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

/// `Content-Disposition` for a download under a name that was given by a job.
pub fn attachment(name: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '/' | '%');
    let safe: String = name
        .chars()
        .map(|c| if plain(c) || c == ' ' { c } else { '_' })
        .collect();
    format!("attachment; filename=\"{safe}\"")
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wanted {
    All,
    /// Both ends included.
    Part {
        from: u64,
        to: u64,
    },
    Nothing,
}

/// One range of bytes. Several ranges, other units and nonsense mean the whole.
fn parse(range: &str, length: u64) -> Wanted {
    let Some((first, last)) = range
        .strip_prefix("bytes=")
        .filter(|ranges| !ranges.contains(','))
        .and_then(|range| range.trim().split_once('-'))
    else {
        return Wanted::All;
    };
    let number = |text: &str| text.parse::<u64>().ok();
    match (number(first), number(last)) {
        (None, Some(suffix)) if first.is_empty() => {
            if suffix == 0 || length == 0 {
                return Wanted::Nothing;
            }
            Wanted::Part {
                from: length.saturating_sub(suffix),
                to: length - 1,
            }
        }
        (Some(from), to) if to.is_some() || last.is_empty() => {
            if to.is_some_and(|to| to < from) {
                return Wanted::All;
            }
            if from >= length {
                return Wanted::Nothing;
            }
            Wanted::Part {
                from,
                to: to.unwrap_or(u64::MAX).min(length - 1),
            }
        }
        _ => Wanted::All,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("bytes=0-3", Wanted::Part { from: 0, to: 3 })]
    #[case("bytes=4-", Wanted::Part { from: 4, to: 9 })]
    #[case("bytes=4-100", Wanted::Part { from: 4, to: 9 })]
    #[case("bytes=-3", Wanted::Part { from: 7, to: 9 })]
    #[case("bytes=-100", Wanted::Part { from: 0, to: 9 })]
    #[case("bytes=10-", Wanted::Nothing)]
    #[case("bytes=-0", Wanted::Nothing)]
    #[case("bytes=5-2", Wanted::All)]
    #[case("bytes=0-1,3-4", Wanted::All)]
    #[case("bytes=x-", Wanted::All)]
    #[case("bytes=-", Wanted::All)]
    #[case("lines=0-1", Wanted::All)]
    fn one_range_is_understood(#[case] range: &str, #[case] expected: Wanted) {
        assert_eq!(parse(range, 10), expected);
    }

    #[test]
    fn nothing_of_an_empty_file_can_be_had() {
        assert_eq!(parse("bytes=0-", 0), Wanted::Nothing);
        assert_eq!(parse("bytes=-5", 0), Wanted::Nothing);
    }

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(
            attachment("a\"; x=\r\n/ü.zip"),
            "attachment; filename=\"a_; x=____.zip\""
        );
    }
}
