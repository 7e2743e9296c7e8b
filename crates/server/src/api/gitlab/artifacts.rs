//! What jobs left behind: whole archives and single files out of them
//! (GitLab: `lib/api/ci/job_artifacts.rb`).

mod entry;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use tappet_model::Status;
use tappet_store::{Artifact, Attempt, PageRequest, RunFilter};

use super::access::{self, Login};
use super::auth::JobTokens;
use super::call::{self, Call};
use super::errors::{ApiError, ApiResult};
use super::file_reply::{FileReply, attachment};
use super::jobs::{self, Opened};
use crate::app::{App, SharedApp};

/// A job's files come from strangers: in a browser they can do nothing.
const SANDBOX: &str = "sandbox; default-src 'none'";

/// `GET /projects/:id/jobs/:job_id/artifacts`.
pub async fn archive(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let Opened { attempt, .. } =
        jobs::open(&app, &call, Login::Optional, JobTokens::Accepted).await?;
    send_archive(&app, &call, &attempt).await
}

/// `GET /projects/:id/jobs/:job_id/artifacts/*path`.
pub async fn file(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let Opened { attempt, .. } =
        jobs::open(&app, &call, Login::Optional, JobTokens::Accepted).await?;
    send_file(&app, &attempt, call.path("path")).await
}

/// `GET /projects/:id/jobs/artifacts/:ref/download?job=NAME` and
/// `…/:ref/raw/*path?job=NAME`: of the newest successful run of the ref.
pub async fn of_ref(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = access::open_project(&app, &call, Login::Optional, JobTokens::Accepted).await?;
    let mut checks = call.checks();
    let job = checks.required_text("job").into_owned();
    checks.finish()?;
    let wanted = wanted_of_ref(call.uri.path()).ok_or_else(ApiError::unknown_route)?;
    let filter = RunFilter {
        ref_name: Some(wanted.ref_name),
        status: Some(Status::Success),
        ..RunFilter::default()
    };
    let one = PageRequest {
        page: 1,
        per_page: 1,
    };
    let listing = app.store.runs(access.project.id, filter, one).await?;
    let run = listing.items.first().ok_or_else(ApiError::not_found)?;
    let attempts = app.store.run_attempts(run.id).await?;
    let attempt = attempts
        .iter()
        .find(|attempt| attempt.name == job && attempt.archive.is_some())
        .ok_or_else(ApiError::not_found)?;
    match wanted.path {
        Some(path) => send_file(&app, attempt, &path).await,
        None => send_archive(&app, &call, attempt).await,
    }
}

#[derive(PartialEq, Eq, Debug)]
struct WantedOfRef {
    ref_name: String,
    path: Option<String>,
}

/// Refs may hold slashes, so `download` is looked for at the end and the first
/// `/raw/` parts ref and path.
fn wanted_of_ref(path: &str) -> Option<WantedOfRef> {
    let (_, rest) = path.split_once("/jobs/artifacts/")?;
    if let Some(ref_name) = rest.strip_suffix("/download") {
        return Some(WantedOfRef {
            ref_name: call::decode(ref_name),
            path: None,
        });
    }
    let (ref_name, path) = rest.split_once("/raw/")?;
    Some(WantedOfRef {
        ref_name: call::decode(ref_name),
        path: Some(call::decode(path)),
    })
}

fn archive_of(attempt: &Attempt) -> ApiResult<&Artifact> {
    attempt.archive.as_ref().ok_or_else(ApiError::not_found)
}

async fn send_archive(app: &App, call: &Call, attempt: &Attempt) -> ApiResult<Response> {
    let archive = archive_of(attempt)?;
    let file = app
        .artifact_files
        .open(archive)
        .await
        .map_err(|error| unreadable(&error))?;
    let reply = FileReply {
        file,
        length: archive.size_bytes,
        content_type: "application/zip",
        disposition: attachment(&archive.filename),
        etag: Some(etag(archive)),
    };
    Ok(sandboxed(reply.answer(&call.headers).await?))
}

async fn send_file(app: &App, attempt: &Attempt, path: &str) -> ApiResult<Response> {
    let archive = archive_of(attempt)?;
    let file = app
        .artifact_files
        .open(archive)
        .await
        .map_err(|error| unreadable(&error))?;
    let entry = entry::open(file.into_std().await, path.to_owned())
        .await
        .map_err(|error| ApiError::broken("reading an archive", error))?;
    let entry = entry.ok_or_else(ApiError::not_found)?;
    let name = path.rsplit('/').next().unwrap_or_default();
    Ok(sandboxed(entry.answer(&attachment(name))))
}

/// A file that its expiry took away meanwhile is simply not there.
fn unreadable(error: &std::io::Error) -> ApiError {
    match error.kind() {
        std::io::ErrorKind::NotFound => ApiError::not_found(),
        _ => ApiError::broken("reading an artifact", error),
    }
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("main/download", Some(("main", None)))]
    #[case("feature%2Fx/download", Some(("feature/x", None)))]
    #[case("feature/x/raw/a/b%20c.txt", Some(("feature/x", Some("a/b c.txt"))))]
    #[case("main/raw/dir/download", Some(("main/raw/dir", None)))]
    #[case("main", None)]
    fn refs_may_hold_slashes(#[case] rest: &str, #[case] expected: Option<(&str, Option<&str>)>) {
        let path = format!("/api/v4/projects/1/jobs/artifacts/{rest}");
        let expected = expected.map(|(ref_name, path)| WantedOfRef {
            ref_name: ref_name.into(),
            path: path.map(str::to_owned),
        });
        assert_eq!(wanted_of_ref(&path), expected);
    }
}
