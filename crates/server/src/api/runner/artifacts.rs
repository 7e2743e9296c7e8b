//! `POST` and `GET /jobs/:id/artifacts`: files up, archives down.

use axum::Json;
use axum::body::Body;
use axum::extract::multipart::{Field, MultipartRejection};
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tappet_gitlab_ci::duration;
use tappet_model::{AttemptId, Timestamp};
use tappet_store::{Artifact, NewArtifact, StoreError};
use tokio_util::io::ReaderStream;

use super::fence::{self, message};
use crate::app::{App, SharedApp};
use crate::artifact_files::{StoredFile, WriteError};
use crate::clock;

/// Kept this long when the job does not say (GitLab's instance default).
const DEFAULT_EXPIRY: &str = "30 days";

/// Options of an upload; the Go runner sends them in the query, others as fields.
#[derive(Deserialize, Default)]
pub struct Options {
    artifact_type: Option<String>,
    artifact_format: Option<String>,
    expire_in: Option<String>,
    token: Option<String>,
}

/// 201 when the file is on disk; 400 for contradictions, 413 for too much.
pub async fn upload(
    State(app): State<SharedApp>,
    Path(id): Path<AttemptId>,
    Query(mut options): Query<Options>,
    headers: HeaderMap,
    multipart: Result<Multipart, MultipartRejection>,
) -> Response {
    if let Err(refused) = fence::pass(&app, id, &headers, options.token.as_deref()).await {
        return refused.into_response();
    }
    let Ok(mut multipart) = multipart else {
        return bad_request("the upload is not multipart/form-data");
    };
    let mut file = None;
    loop {
        let field = match multipart.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(error) => return bad_request(&format!("broken upload: {error}")),
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" && file.is_none() {
            match receive(&app, id, &options, field).await {
                Ok(received) => file = Some(received),
                Err(response) => return response,
            }
        } else if let Ok(text) = field.text().await {
            match name.as_str() {
                "artifact_type" => options.artifact_type = Some(text),
                "artifact_format" => options.artifact_format = Some(text),
                "expire_in" => options.expire_in = Some(text),
                _ => {}
            }
        }
    }
    let Some((filename, stored)) = file else {
        return bad_request("the upload has no part named `file`");
    };
    remember(&app, id, options, filename, stored).await
}

async fn receive(
    app: &App,
    id: AttemptId,
    options: &Options,
    field: Field<'_>,
) -> Result<(String, StoredFile), Response> {
    let filename = base_name(field.file_name().unwrap_or_default());
    let kind = options.artifact_type.as_deref().unwrap_or("archive");
    match app.artifact_files.write(id, kind, field).await {
        Ok(stored) => Ok((filename, stored)),
        Err(WriteError::TooLarge { limit }) => {
            let text = format!("413 Request Entity Too Large - the limit is {limit} bytes");
            Err((StatusCode::PAYLOAD_TOO_LARGE, Json(message(&text))).into_response())
        }
        Err(error @ WriteError::Kind) => Err(bad_request(&error.to_string())),
        Err(WriteError::Body(error)) => Err(bad_request(&format!("broken upload: {error}"))),
        Err(WriteError::Io(error)) => {
            tracing::error!(attempt = %id, %error, "cannot store an artifact");
            let body = Json(message("500 cannot store the artifact"));
            Err((StatusCode::INTERNAL_SERVER_ERROR, body).into_response())
        }
    }
}

/// A client's file name without any path.
fn base_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = base.chars().filter(|c| !c.is_control()).take(255).collect();
    if clean.is_empty() || clean == "." || clean == ".." {
        "artifacts.zip".to_owned()
    } else {
        clean
    }
}

async fn remember(
    app: &App,
    id: AttemptId,
    options: Options,
    filename: String,
    stored: StoredFile,
) -> Response {
    let now = clock::now();
    let expires_at = match expiry(options.expire_in.as_deref(), now) {
        Ok(expires_at) => expires_at,
        Err(text) => return bad_request(&text),
    };
    let new = NewArtifact {
        attempt_id: id,
        kind: options
            .artifact_type
            .unwrap_or_else(|| "archive".to_owned()),
        format: options.artifact_format.unwrap_or_else(|| "zip".to_owned()),
        filename,
        size_bytes: stored.size_bytes,
        sha256: stored.sha256,
        expires_at,
        now,
    };
    match app.store.add_artifact(new).await {
        Ok(_) => {
            app.expiry.changed();
            (
                StatusCode::CREATED,
                Json(serde_json::json!({ "message": "201 Created" })),
            )
                .into_response()
        }
        Err(StoreError::Taken { .. }) => bad_request("another file of this type exists already"),
        Err(error) => {
            tracing::error!(attempt = %id, %error, "cannot remember an artifact");
            let body = Json(message("500 Internal Server Error"));
            (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
        }
    }
}

/// When a file goes; `None` for `never`.
fn expiry(text: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let text = text
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .unwrap_or(DEFAULT_EXPIRY);
    if text == "never" {
        return Ok(None);
    }
    match duration::parse(text) {
        Some(life) => Ok(Some(now.plus(life))),
        None => Err(format!("expire_in `{text}` is not a duration")),
    }
}

/// The archive of another job of the same project, for a running job.
pub async fn download(
    State(app): State<SharedApp>,
    Path(id): Path<AttemptId>,
    headers: HeaderMap,
) -> Response {
    let token = headers
        .get("job-token")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let Some(consumer) = app.secrets.verify_job_token(token) else {
        return forbidden();
    };
    if app.held.seen(consumer).is_none() {
        return forbidden();
    }
    let (Ok(Some(source)), Ok(Some(reader))) = (
        app.store.attempt(id).await,
        app.store.attempt(consumer).await,
    ) else {
        return not_found();
    };
    if source.project_id != reader.project_id {
        return forbidden();
    }
    match source.archive {
        Some(archive) => send(&app, &archive).await,
        None => not_found(),
    }
}

async fn send(app: &App, archive: &Artifact) -> Response {
    match app.artifact_files.open(archive).await {
        Ok(file) => (
            [
                (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
                (header::CONTENT_LENGTH, archive.size_bytes.to_string()),
            ],
            Body::from_stream(ReaderStream::with_capacity(file, 64 * 1024)),
        )
            .into_response(),
        Err(error) => {
            tracing::error!(artifact = %archive.id, %error, "an artifact's file is gone");
            not_found()
        }
    }
}

fn bad_request(text: &str) -> Response {
    (
        StatusCode::BAD_REQUEST,
        Json(message(&format!("400 Bad request - {text}"))),
    )
        .into_response()
}

fn forbidden() -> Response {
    (StatusCode::FORBIDDEN, Json(message("403 Forbidden"))).into_response()
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, Json(message("404 Not Found"))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a.zip", "a.zip")]
    #[case("../../etc/passwd", "passwd")]
    #[case("C:\\x\\y.zip", "y.zip")]
    #[case("..", "artifacts.zip")]
    #[case("", "artifacts.zip")]
    #[case("a\nb", "ab")]
    fn names_lose_their_path(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(base_name(name), expected);
    }

    #[test]
    fn expiry_is_text_or_never_or_the_default() {
        let day = std::time::Duration::from_secs(86_400);
        assert_eq!(expiry(Some("never"), Timestamp(0)), Ok(None));
        assert_eq!(
            expiry(Some("1 day"), Timestamp(0)),
            Ok(Some(Timestamp(0).plus(day)))
        );
        assert_eq!(
            expiry(None, Timestamp(0)),
            Ok(Some(Timestamp(0).plus(day * 30)))
        );
        assert!(expiry(Some("soon"), Timestamp(0)).is_err());
    }
}
