//! The addresses that [`CacheService`](super) gives out: plain HTTP, no credential
//! but the signature in the address.

use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue};
use http::{HeaderName, StatusCode};
use serde::Deserialize;
use tappet_store::{CacheEntryId, CacheState};
use tokio_util::io::ReaderStream;

use crate::api::operation::{Audience, Shape, get, integer, put, text};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::cache::Link;
use crate::clock;
use crate::incoming_files::WriteError;

/// Large pieces: few system calls for large files.
const CHUNK_BYTES: usize = 64 * 1024;
const NOSNIFF: HeaderName = HeaderName::from_static("x-content-type-options");

/// What stands in the address.
#[derive(Deserialize)]
pub struct Signed {
    #[serde(default)]
    expires: i64,
    #[serde(default)]
    signature: String,
}

/// Their routes.
pub fn routes() -> Routes {
    Routes::under("/-/depot/cache")
        .add(
            put("/{entry}/parts/{part}")
                .id("uploadCachePart")
                .about("Takes a part of a cached file, over a link that CacheService gave out.")
                .audience(Audience::Anybody)
                .query(integer("expires").about("Until when the link works, in Unix seconds."))
                .query(text("signature").about("Says that the link was made here."))
                .reply(StatusCode::OK, Shape::Empty),
            upload,
        )
        .add(
            get("/{entry}")
                .id("downloadCacheEntry")
                .about("Gives a cached file, over a link that CacheService gave out.")
                .audience(Audience::Anybody)
                .query(integer("expires").about("Until when the link works, in Unix seconds."))
                .query(text("signature").about("Says that the link was made here."))
                .reply(StatusCode::OK, Shape::Bytes("application/octet-stream")),
            download,
        )
}

fn refuse(status: StatusCode, why: impl ToString) -> Response {
    (status, format!("{}\n", why.to_string())).into_response()
}

fn no_such_link() -> Response {
    refuse(
        StatusCode::NOT_FOUND,
        "there is no cached file at this address",
    )
}

fn broken(what: &str, error: &dyn std::error::Error) -> Response {
    tracing::error!(%error, "cannot {what}");
    let why = format!("cannot {what}: the server's log tells more");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, why)
}

/// The answer to an address that opens nothing.
fn refused(app: &App, link: &Link, signed: &Signed) -> Option<Response> {
    let checked = app.check_link(link, signed.expires, &signed.signature, clock::now());
    Some(refuse(StatusCode::FORBIDDEN, checked.err()?))
}

/// `PUT /-/depot/cache/:entry/parts/:part`: 200 with an `ETag` (Depot CLI 2.102
/// wants both).
async fn upload(
    State(app): State<SharedApp>,
    Path((entry, part)): Path<(String, u32)>,
    Query(signed): Query<Signed>,
    request: Request,
) -> Response {
    let Ok(entry) = entry.parse::<CacheEntryId>() else {
        return no_such_link();
    };
    let link = Link::Upload {
        entry: entry.clone(),
        part,
    };
    if let Some(refusal) = refused(&app, &link, &signed) {
        return refusal;
    }
    let body = request.into_body().into_data_stream();
    match app.receive_cache_part(&entry, part, body).await {
        Ok(Some(digest)) => {
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            [(ETAG, format!("\"{hex}\""))].into_response()
        }
        Ok(None) => refuse(
            StatusCode::NOT_FOUND,
            "this upload is complete or was given up: begin another one",
        ),
        Err(error @ WriteError::TooLarge { .. }) => refuse(StatusCode::PAYLOAD_TOO_LARGE, error),
        Err(error @ WriteError::Body(_)) => refuse(StatusCode::BAD_REQUEST, error),
        Err(WriteError::Io(error)) => broken("keep a cached file", &error),
    }
}

/// `GET /-/depot/cache/:entry`.
async fn download(
    State(app): State<SharedApp>,
    Path(entry): Path<String>,
    Query(signed): Query<Signed>,
) -> Response {
    let Ok(id) = entry.parse::<CacheEntryId>() else {
        return no_such_link();
    };
    if let Some(refusal) = refused(&app, &Link::Download(id.clone()), &signed) {
        return refusal;
    }
    let entry = match app.store.cache_state(id).await {
        Ok(Some(CacheState::Complete(entry))) => entry,
        Ok(_) => return no_such_link(),
        Err(error) => return broken("read the database", &error),
    };
    let file = match app.cache_files.open(&entry.id).await {
        Ok(file) => file,
        Err(error) => return broken("open a cached file", &error),
    };
    let stream = ReaderStream::with_capacity(file, CHUNK_BYTES);
    let mut response = Response::new(Body::from_stream(stream));
    let content_type = entry.content_type.as_deref().unwrap_or_default();
    let content_type = HeaderValue::from_str(content_type)
        .ok()
        .filter(|value| !value.is_empty());
    let usual = HeaderValue::from_static("application/octet-stream");
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type.unwrap_or(usual));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(entry.size_bytes));
    // Whatever it is, no browser shows it as a page of this server.
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert(NOSNIFF, HeaderValue::from_static("nosniff"));
    response
}
