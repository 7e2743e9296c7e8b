//! The addresses of artifacts: whoever has one may fetch the file until it expires,
//! without any other credential. The signature is made with the server's key.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    HeaderValue,
};
use tappet_model::{ArtifactId, Timestamp};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use crate::api::operation::{Audience, Shape, get};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::clock;

const CHUNK_BYTES: usize = 64 * 1024;

/// A job's files come from strangers: in a browser they can do nothing.
const SANDBOX: &str = "sandbox; default-src 'none'";

/// Where the addresses lead.
pub fn routes() -> Routes {
    Routes::under("/-").add(
        get("/artifacts/{artifact_id}/{expires}/{signature}")
            .id("fetchArtifact")
            .about("Sends an artifact to whoever has its signed address.")
            .audience(Audience::Anybody)
            .reply(StatusCode::OK, Shape::Bytes("application/zip")),
        fetch,
    )
}

/// The address of an artifact until a time.
pub fn address(app: &App, id: ArtifactId, expires_at: Timestamp) -> String {
    let expires = expires_at.unix_seconds();
    let signature = app.secrets.signature(&signed_text(id.0, expires));
    app.config
        .url(&format!("/-/artifacts/{id}/{expires}/{signature}"))
}

fn signed_text(id: i64, expires: i64) -> String {
    format!("artifact {id} until {expires}")
}

async fn fetch(
    State(app): State<SharedApp>,
    Path((id, expires, signature)): Path<(String, String, String)>,
) -> Response {
    let (Ok(id), Ok(expires)) = (id.parse::<i64>(), expires.parse::<i64>()) else {
        return refused(
            StatusCode::FORBIDDEN,
            "this address is not one of this server's",
        );
    };
    if !app
        .secrets
        .verify_signature(&signed_text(id, expires), &signature)
    {
        return refused(
            StatusCode::FORBIDDEN,
            "this address is not one of this server's",
        );
    }
    if expires <= clock::now().unix_seconds() {
        return refused(
            StatusCode::FORBIDDEN,
            "this address has expired; ask for a new one",
        );
    }
    match file(&app, ArtifactId(id)).await {
        Ok(Some(response)) => response,
        Ok(None) => refused(StatusCode::NOT_FOUND, "this artifact is gone"),
        Err(error) => {
            tracing::error!(artifact = id, %error, "cannot send an artifact");
            refused(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the artifact cannot be read",
            )
        }
    }
}

fn refused(status: StatusCode, text: &'static str) -> Response {
    (status, text).into_response()
}

async fn file(
    app: &App,
    id: ArtifactId,
) -> Result<Option<Response>, Box<dyn std::error::Error + Send + Sync>> {
    let Some(artifact) = app.store.artifact(id).await? else {
        return Ok(None);
    };
    let file = match app.artifact_files.open(&artifact).await {
        Ok(file) => file,
        // One that its expiry took away meanwhile is simply not there.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let stream = ReaderStream::with_capacity(file.take(artifact.size_bytes), CHUNK_BYTES);
    let mut response = Response::new(Body::from_stream(stream));
    let kind = match artifact.format.as_str() {
        "zip" => "application/zip",
        "gzip" => "application/gzip",
        _ => "application/octet-stream",
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(artifact.size_bytes));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    headers.insert(CONTENT_DISPOSITION, disposition(&artifact.filename)?);
    Ok(Some(response))
}

fn disposition(name: &str) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\') || c == ' ';
    let name: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
}
