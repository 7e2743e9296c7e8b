//! What jobs left behind: whole archives and single files out of them
//! (GitLab: `lib/api/ci/job_artifacts.rb`).

mod change;
mod entry;
mod of_ref;
mod routes;
mod tree;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use tappet_store::{Artifact, Attempt};

use super::access::Login;
use super::call::Call;
use super::errors::{ApiError, ApiResult};
use super::file_reply::{FileReply, attachment};
use super::jobs::{self, Opened};
use crate::app::{App, SharedApp};
use crate::rights::Right;

pub use of_ref::of_ref;
pub use routes::routes;

/// A job's files come from strangers: in a browser they can do nothing.
const SANDBOX: &str = "sandbox; default-src 'none'";

/// `GET /projects/:id/jobs/:job_id/artifacts`.
pub async fn archive(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let Opened { attempt, .. } = jobs::open(&app, &call, Login::Optional, Right::ReadJobs).await?;
    send_archive(&app, &call, &attempt).await
}

/// `GET /projects/:id/jobs/:job_id/artifacts/*path`.
async fn file(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let Opened { attempt, .. } = jobs::open(&app, &call, Login::Optional, Right::ReadJobs).await?;
    send_file(&app, &attempt, call.path("path")).await
}

fn archive_of(attempt: &Attempt) -> ApiResult<&Artifact> {
    attempt.archive.as_ref().ok_or_else(ApiError::not_found)
}

async fn open_archive(app: &App, archive: &Artifact) -> ApiResult<tokio::fs::File> {
    let opened = app.artifact_files.open(archive).await;
    opened.map_err(|error| match error.kind() {
        // One that its expiry took away meanwhile is simply not there.
        std::io::ErrorKind::NotFound => ApiError::not_found(),
        _ => ApiError::broken("reading an artifact", error),
    })
}

async fn send_archive(app: &App, call: &Call, attempt: &Attempt) -> ApiResult<Response> {
    let archive = archive_of(attempt)?;
    let reply = FileReply {
        file: open_archive(app, archive).await?,
        length: archive.size_bytes,
        content_type: "application/zip",
        disposition: attachment(&archive.filename),
        etag: Some(etag(archive)),
    };
    Ok(sandboxed(reply.answer(&call.headers).await?))
}

async fn send_file(app: &App, attempt: &Attempt, path: &str) -> ApiResult<Response> {
    let file = open_archive(app, archive_of(attempt)?).await?;
    let entry = entry::open(file.into_std().await, path.to_owned())
        .await
        .map_err(|error| ApiError::broken("reading an archive", error))?;
    let entry = entry.ok_or_else(ApiError::not_found)?;
    let name = path.rsplit('/').next().unwrap_or_default();
    Ok(sandboxed(entry.answer(&attachment(name))))
}

fn etag(artifact: &Artifact) -> String {
    let mut etag = String::from("\"");
    for byte in artifact.sha256 {
        etag.push_str(&format!("{byte:02x}"));
    }
    etag.push('"');
    etag
}

fn sandboxed(reply: impl IntoResponse) -> Response {
    let mut response = reply.into_response();
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    response
}
