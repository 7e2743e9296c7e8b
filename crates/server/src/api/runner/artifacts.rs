//! `POST` and `GET /jobs/:id/artifacts`: files up, archives down.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::multipart::{Field, MultipartRejection};
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tappet_gitlab_ci::duration::{Expiry, parse_expiry};
use tappet_model::{AttemptId, Timestamp};
use tappet_store::{Artifact, NAMED, NewArtifact, StoreError};
use tokio_util::io::ReaderStream;

use super::fence::{self, message};
use super::named_artifacts;
use crate::app::{App, SharedApp};
use crate::artifact_files::{ReceivedFile, WriteError, is_kind};
use crate::clock;
use crate::reports::{self, RefusedReport};

/// Kept this long when the job does not say (GitLab's instance default).
const DEFAULT_LIFE: Duration = Duration::from_secs(30 * 86_400);

/// Bytes of an option sent as a field.
const OPTION_LIMIT: usize = 1024;

/// Options of an upload; the Go runner sends them in the query, others as
/// fields, before or after the file.
#[derive(Deserialize, Default)]
pub struct Options {
    artifact_type: Option<String>,
    artifact_format: Option<String>,
    artifact_name: Option<String>,
    overwrite: Option<String>,
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
        let option = match field.name() {
            Some("file") if file.is_none() => {
                match receive(&app, id, field).await {
                    Ok(received) => file = Some(received),
                    Err(response) => return response,
                }
                continue;
            }
            Some("artifact_type") => &mut options.artifact_type,
            Some("artifact_format") => &mut options.artifact_format,
            Some("expire_in") => &mut options.expire_in,
            _ => continue,
        };
        match short_text(field).await {
            Some(text) => *option = Some(text),
            None => return bad_request("an option of the upload is too long or not text"),
        }
    }
    let Some((filename, received)) = file else {
        return bad_request("the upload has no part named `file`");
    };
    // Receiving takes time; the attempt may be over by now.
    if let Err(refused) = fence::pass(&app, id, &headers, options.token.as_deref()).await {
        return refused.into_response();
    }
    remember(&app, id, options, filename, received).await
}

async fn receive(
    app: &App,
    id: AttemptId,
    field: Field<'_>,
) -> Result<(String, ReceivedFile), Response> {
    let filename = base_name(field.file_name().unwrap_or_default());
    match app.artifact_files.receive(field).await {
        Ok(received) => Ok((filename, received)),
        Err(WriteError::TooLarge { limit }) => {
            let text = format!("413 Request Entity Too Large - the limit is {limit} bytes");
            Err((StatusCode::PAYLOAD_TOO_LARGE, Json(message(&text))).into_response())
        }
        Err(WriteError::Body(error)) => Err(bad_request(&format!("broken upload: {error}"))),
        Err(WriteError::Io(error)) => Err(cannot_store(id, &error)),
    }
}

/// A field of at most [`OPTION_LIMIT`] bytes.
async fn short_text(mut field: Field<'_>) -> Option<String> {
    let mut text = Vec::new();
    while let Some(piece) = field.chunk().await.ok()? {
        if text.len() + piece.len() > OPTION_LIMIT {
            return None;
        }
        text.extend_from_slice(&piece);
    }
    String::from_utf8(text).ok()
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
    received: ReceivedFile,
) -> Response {
    let now = clock::now();
    let expires_at = match expiry(options.expire_in.as_deref(), now) {
        Ok(expires_at) => expires_at,
        Err(text) => return bad_request(&text),
    };
    let kind = options
        .artifact_type
        .unwrap_or_else(|| "archive".to_owned());
    if !is_kind(&kind) {
        return bad_request(
            "artifact_type is not a word of lower-case letters, digits, `_` and `-`",
        );
    }
    let format = options.artifact_format.unwrap_or_else(|| "zip".to_owned());
    if kind == NAMED {
        let new = NewArtifact {
            attempt_id: id,
            kind,
            name: options.artifact_name,
            format,
            filename,
            size_bytes: received.size_bytes,
            sha256: received.sha256,
            expires_at,
            report: None,
            now,
        };
        let overwrite = match options.overwrite.as_deref() {
            None | Some("" | "false") => false,
            Some("true") => true,
            Some(_) => return bad_request("overwrite is neither true nor false"),
        };
        return named_artifacts::keep(app, new, overwrite, received).await;
    }
    if options.artifact_name.is_some() {
        return bad_request("artifact_name is only for files of the type `artifact`");
    }
    if !reports::has_right_format(&kind, &format) {
        return invalid("Validation failed: Invalid file format with specified file type");
    }
    let mut new = NewArtifact {
        attempt_id: id,
        kind,
        name: None,
        format,
        filename,
        size_bytes: received.size_bytes,
        sha256: received.sha256,
        expires_at,
        report: None,
        now,
    };
    // Looked up first, so that a file that is not wanted gets no place.
    let earlier = match app.store.artifacts(id).await {
        Ok(all) => all.into_iter().find(|one| one.kind == new.kind),
        Err(error) => return cannot_store(id, &error),
    };
    match earlier {
        Some(earlier) if earlier.sha256 == new.sha256 => return created(),
        Some(_) => return another_exists(),
        None => {}
    }
    new.report = match reports::read(app, id, &new.kind, &received).await {
        Ok(report) => report,
        Err(RefusedReport::Dotenv(error)) => return invalid(&error.to_string()),
        Err(error @ RefusedReport::Io(_)) => return cannot_store(id, &error),
    };
    if let Err(error) = app.artifact_files.keep(id, &new.kind, received).await {
        return cannot_store(id, &error);
    }
    match app.store.add_artifact(new).await {
        Ok(_) => {
            app.expiry.changed();
            created()
        }
        Err(StoreError::Taken { .. }) => another_exists(),
        Err(error) => cannot_store(id, &error),
    }
}

/// When a file goes; `None` for `never`.
fn expiry(text: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>, String> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    match text.map(|text| (text, parse_expiry(text))) {
        None => Ok(Some(now.plus(DEFAULT_LIFE))),
        Some((_, Some(Expiry::After(life)))) => Ok(Some(now.plus(life))),
        Some((_, Some(Expiry::Never))) => Ok(None),
        Some((text, None)) => Err(format!("expire_in `{text}` is not a duration")),
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

pub(super) async fn send(app: &App, archive: &Artifact) -> Response {
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

fn created() -> Response {
    (StatusCode::CREATED, Json(message("201 Created"))).into_response()
}

fn another_exists() -> Response {
    invalid("another artifact of the same type already exists")
}

pub(super) fn cannot_store(id: AttemptId, error: &dyn std::error::Error) -> Response {
    tracing::error!(attempt = %id, %error, "cannot store an artifact");
    let body = Json(message("500 cannot store the artifact"));
    (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
}

pub(super) fn bad_request(text: &str) -> Response {
    invalid(&format!("400 Bad request - {text}"))
}

/// A file that is refused for what it is, in the words of GitLab's service alone
/// (GitLab: `app/services/ci/job_artifacts/create_service.rb`).
pub(super) fn invalid(text: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(message(text))).into_response()
}

pub(super) fn forbidden() -> Response {
    (StatusCode::FORBIDDEN, Json(message("403 Forbidden"))).into_response()
}

pub(super) fn not_found() -> Response {
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

    const DAY: Duration = Duration::from_secs(86_400);

    #[rstest]
    #[case::as_the_runner_sends_it(Some("1 day"), Some(DAY))]
    #[case::without_blank(Some("2d"), Some(DAY * 2))]
    #[case::never(Some("Never"), None)]
    #[case::default(None, Some(DAY * 30))]
    #[case::empty(Some(" "), Some(DAY * 30))]
    fn files_go_after(#[case] text: Option<&str>, #[case] life: Option<Duration>) {
        let expected = life.map(|life| Timestamp(0).plus(life));
        assert_eq!(expiry(text, Timestamp(0)), Ok(expected));
    }

    #[test]
    fn a_life_that_is_no_duration_is_refused() {
        let refused = Err("expire_in `soon` is not a duration".to_owned());
        assert_eq!(expiry(Some("soon"), Timestamp(0)), refused);
    }
}
