//! Bodies that are read whole before anything is done with them, up to a limit.

use axum::body::{Body, Bytes};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, EXPECT};
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Of a body that nobody wants, no more than this is read and dropped.
const MAX_DISCARDED_BYTES: usize = 64 * 1024 * 1024;

/// Why a body was not read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BodyError {
    /// More bytes than allowed.
    TooLarge,
    /// It broke off.
    Broken(String),
}

/// Reads a body whole, if it has no more than `limit` bytes.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let mut body = body;
    if announced.is_some_and(|length| length > limit) {
        discard(headers, body).await;
        return Err(BodyError::TooLarge);
    }
    match Limited::new(&mut body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            drop_rest(body).await;
            Err(BodyError::TooLarge)
        }
        Err(error) => Err(BodyError::Broken(error.to_string())),
    }
}

/// Reads a body and drops it: many clients look at the answer only when they have
/// sent everything. Who asks first has sent nothing yet.
pub async fn discard(headers: &HeaderMap, body: Body) {
    if !headers.contains_key(EXPECT) {
        drop_rest(body).await;
    }
}

async fn drop_rest(mut body: Body) {
    let mut left = MAX_DISCARDED_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
