//! Artifacts to and from the server.

use std::path::Path;
use std::time::Duration;

use hyper::{Method, StatusCode};
use tappet_executor::{NamedUpload, TransferError};
use tappet_model::runner_protocol::{ArtifactUpload, Dependency};
use tappet_model::steps_payload::NamedArtifact;

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
    send(client, &path, token, name, file).await.map(drop)
}

/// Uploads the zip archive `file` as a named artifact of the job's run.
pub(crate) async fn upload_named(
    client: &Client,
    job: i64,
    token: &str,
    artifact: &NamedUpload,
    file: &Path,
) -> Result<NamedArtifact, TransferError> {
    let mut path = format!(
        "/api/v4/jobs/{job}/artifacts?artifact_format=zip&artifact_type=artifact&artifact_name={}",
        encode(&artifact.name)
    );
    if let Some(days) = artifact.retention_days {
        path.push_str(&format!("&expire_in={days}%20days"));
    }
    if artifact.overwrite {
        path.push_str("&overwrite=true");
    }
    #[derive(serde::Deserialize)]
    struct Stored {
        artifact: NamedArtifact,
    }
    let filename = format!("{}.zip", artifact.name);
    let answer = send(client, &path, token, &filename, file).await?;
    let stored: Stored = read(&answer)?;
    Ok(stored.artifact)
}

/// The named artifacts of the job's run.
pub(crate) async fn list_named(
    client: &Client,
    job: i64,
    token: &str,
) -> Result<Vec<NamedArtifact>, TransferError> {
    let path = format!("/api/v4/jobs/{job}/tappet/artifacts");
    let mut backoff = Backoff::new();
    let mut last = String::new();
    for _ in 0..TRIES {
        let call = Call {
            method: Method::GET,
            path: &path,
            headers: &[("job-token", token)],
            body: body::empty(),
            limit: LIMIT,
        };
        match client.call(call).await {
            Ok(answer) if answer.status == StatusCode::OK => return read(&answer),
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

/// Fetches the archive of a named artifact into `to`.
pub(crate) async fn fetch_named(
    client: &Client,
    job: i64,
    token: &str,
    artifact: i64,
    to: &Path,
) -> Result<(), TransferError> {
    let path = format!("/api/v4/jobs/{job}/tappet/artifacts/{artifact}");
    download(client, &path, token, to).await
}

/// Fetches the local changes that the caller of the job's run stored under `key` into `to`.
pub(crate) async fn fetch_patch(
    client: &Client,
    job: i64,
    token: &str,
    key: &str,
    to: &Path,
) -> Result<(), TransferError> {
    let path = format!("/api/v4/jobs/{job}/tappet/patch?key={}", encode(key));
    download(client, &path, token, to).await
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, TransferError> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| TransferError(format!("the server's answer cannot be read: {error}")))
}

/// Posts `file` as a form; the server's answer when it took it.
async fn send(
    client: &Client,
    path: &str,
    token: &str,
    name: &str,
    file: &Path,
) -> Result<Answer, TransferError> {
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
            path,
            headers: &headers,
            body: form,
            limit: LIMIT,
        };
        match client.call(call).await {
            Ok(answer) if answer.status == StatusCode::CREATED => return Ok(answer),
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
    download(client, &path, &dependency.token, to).await
}

async fn download(
    client: &Client,
    path: &str,
    token: &str,
    to: &Path,
) -> Result<(), TransferError> {
    let mut backoff = Backoff::new();
    let mut last = String::new();
    for _ in 0..TRIES {
        let call = Call {
            method: Method::GET,
            path,
            headers: &[("job-token", token)],
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
