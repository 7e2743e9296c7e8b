//! Artifacts to and from the server.

use std::path::Path;
use std::time::Duration;

use hyper::{Method, StatusCode};
use tappet_executor::TransferError;
use tappet_model::runner_protocol::{ArtifactUpload, Dependency};

use crate::backoff::Backoff;
use crate::body;
use crate::client::{Answer, Call, Client};

/// One transfer (GitLab Runner: artifact upload limit).
const LIMIT: Duration = Duration::from_secs(3600);
/// Tries while the server is away or unwell: about half a minute.
const TRIES: u32 = 30;

/// Uploads `file` for the job.
pub(crate) async fn upload(
    client: &Client,
    job: i64,
    token: &str,
    artifact: &ArtifactUpload,
    name: &str,
    file: &Path,
) -> Result<(), TransferError> {
    let mut path = format!(
        "/api/v4/jobs/{job}/artifacts?artifact_format={}&artifact_type={}",
        encode(if artifact.artifact_format.is_empty() {
            "zip"
        } else {
            &artifact.artifact_format
        }),
        encode(if artifact.artifact_type.is_empty() {
            "archive"
        } else {
            &artifact.artifact_type
        }),
    );
    if let Some(expire_in) = artifact
        .expire_in
        .as_deref()
        .filter(|text| !text.is_empty())
    {
        path.push_str(&format!("&expire_in={}", encode(expire_in)));
    }
    let mut backoff = Backoff::new();
    let mut last = String::new();
    for _ in 0..TRIES {
        let boundary = body::boundary();
        let (form, length) = body::form(file, name, &boundary)
            .await
            .map_err(|error| TransferError(format!("cannot read the archive: {error}")))?;
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let length = length.to_string();
        let headers = [
            ("job-token", token),
            ("content-type", content_type.as_str()),
            ("content-length", length.as_str()),
        ];
        let call = Call {
            method: Method::POST,
            path: &path,
            headers: &headers,
            body: form,
            limit: LIMIT,
        };
        match client.call(call).await {
            Ok(answer) if answer.status == StatusCode::CREATED => return Ok(()),
            Ok(answer) if answer.status.is_client_error() => {
                return Err(TransferError(refusal(&answer)));
            }
            Ok(answer) => last = format!("the server answered {}", answer.status),
            Err(error) => last = error.to_string(),
        }
        backoff.wait().await;
    }
    Err(TransferError(last))
}

/// The server's answer in words, with its reason where it gave one.
fn refusal(answer: &Answer) -> String {
    #[derive(serde::Deserialize)]
    struct Reason {
        message: String,
    }
    match serde_json::from_slice(&answer.body) {
        Ok(Reason { message }) => format!("the server answered {}: {message}", answer.status),
        Err(_) => format!("the server answered {}", answer.status),
    }
}

/// Fetches the archive of `dependency` into `to`.
pub(crate) async fn fetch(
    client: &Client,
    dependency: &Dependency,
    to: &Path,
) -> Result<(), TransferError> {
    let path = format!("/api/v4/jobs/{}/artifacts", dependency.id);
    let mut backoff = Backoff::new();
    let mut last = String::new();
    for _ in 0..TRIES {
        let headers = [("job-token", dependency.token.as_str())];
        let call = Call {
            method: Method::GET,
            path: &path,
            headers: &headers,
            body: body::empty(),
            limit: LIMIT,
        };
        match client.download(call, to).await {
            Ok(StatusCode::OK) => return Ok(()),
            Ok(status) if status.is_client_error() => {
                return Err(TransferError(format!("the server answered {status}")));
            }
            Ok(status) => last = format!("the server answered {status}"),
            Err(error) => last = error.to_string(),
        }
        backoff.wait().await;
    }
    Err(TransferError(last))
}

/// Percent-encodes a query value.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
