//! Named artifacts: what the jobs of one run leave for each other
//! (`actions/upload-artifact`, `actions/download-artifact`). Words of our own
//! runner, beside those of GitLab's protocol.

use std::collections::BTreeSet;
use std::fmt::Write;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tappet_actions::step::artifact_paths::check_name;
use tappet_model::steps_payload::NamedArtifact as Told;
use tappet_model::{ArtifactId, AttemptId, RunId};
use tappet_store::{Artifact, NamedArtifact, NamedArtifactFilter, NewArtifact, StoreResult};

use super::artifacts::{bad_request, cannot_store, forbidden, invalid, not_found, send};
use super::fence::{self, message};
use crate::app::{App, SharedApp};
use crate::artifact_files::ReceivedFile;

/// More than GitHub lets a job upload (500), times jobs.
const MOST: u32 = 10_000;

/// The newest of each name in the run of a running job, by name.
pub async fn list(
    State(app): State<SharedApp>,
    Path(id): Path<AttemptId>,
    headers: HeaderMap,
) -> Response {
    let run = match run_of(&app, id, &headers).await {
        Ok(run) => run,
        Err(response) => return response,
    };
    match of_run(&app, run, false).await {
        Ok(all) => {
            let mut seen = BTreeSet::new();
            let mut newest: Vec<Told> = all
                .iter()
                .filter_map(|artifact| told(&artifact.file))
                .filter(|artifact| seen.insert(artifact.name.clone()))
                .collect();
            newest.sort_by(|one, other| one.name.cmp(&other.name));
            Json(newest).into_response()
        }
        Err(error) => unavailable(id, &error),
    }
}

/// The content of one of the run's named artifacts.
pub async fn download(
    State(app): State<SharedApp>,
    Path((id, artifact)): Path<(AttemptId, ArtifactId)>,
    headers: HeaderMap,
) -> Response {
    let run = match run_of(&app, id, &headers).await {
        Ok(run) => run,
        Err(response) => return response,
    };
    match app.store.named_artifact(artifact).await {
        Ok(Some(found)) if found.run_id == run => send(&app, &found.file).await,
        Ok(_) => not_found(),
        Err(error) => unavailable(id, &error),
    }
}

/// Remembers a file under its name. In one run a name is taken once among the
/// newest attempts, unless the new file shall take its place.
pub(super) async fn keep(
    app: &App,
    new: NewArtifact,
    overwrite: bool,
    received: ReceivedFile,
) -> Response {
    let id = new.attempt_id;
    let name = new.name.clone().unwrap_or_default();
    if let Err(text) = check_name(&name) {
        return bad_request(&text);
    }
    if new.format != "zip" {
        return invalid("Validation failed: Invalid file format with specified file type");
    }
    let run = match app.store.attempt(id).await {
        Ok(Some(attempt)) => attempt.run_id,
        Ok(None) => return not_found(),
        Err(error) => return cannot_store(id, &error),
    };
    let earlier = match of_run(app, run, true).await {
        Ok(all) => all
            .into_iter()
            .filter(|one| one.file.name.as_deref() == Some(name.as_str())),
        Err(error) => return cannot_store(id, &error),
    };
    for one in earlier {
        // The runner asks again when the answer was lost on its way.
        if one.file.attempt_id == id && one.file.sha256 == new.sha256 {
            return created(&one.file);
        }
        if !overwrite {
            return conflict(&name);
        }
        if let Err(error) = forget(app, one).await {
            return cannot_store(id, error.as_ref());
        }
    }
    if let Err(error) = app.artifact_files.keep(id, &new.kind, received).await {
        return cannot_store(id, &error);
    }
    match app.store.add_artifact(new).await {
        Ok(artifact) => {
            app.expiry.changed();
            created(&artifact)
        }
        Err(tappet_store::StoreError::Taken { .. }) => conflict(&name),
        Err(error) => cannot_store(id, &error),
    }
}

async fn forget(
    app: &App,
    artifact: NamedArtifact,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    if let Some(file) = app.store.delete_artifact(artifact.file.id).await? {
        app.artifact_files.delete(&file).await?;
    }
    Ok(())
}

/// The run of the job whose token this is, while a runner holds it.
async fn run_of(app: &App, id: AttemptId, headers: &HeaderMap) -> Result<RunId, Response> {
    fence::pass(app, id, headers, None)
        .await
        .map_err(IntoResponse::into_response)?;
    match app.store.attempt(id).await {
        Ok(Some(attempt)) => Ok(attempt.run_id),
        Ok(None) => Err(forbidden()),
        Err(error) => Err(unavailable(id, &error)),
    }
}

async fn of_run(app: &App, run: RunId, newest_attempts: bool) -> StoreResult<Vec<NamedArtifact>> {
    let filter = NamedArtifactFilter {
        newest_attempts,
        limit: MOST,
        ..NamedArtifactFilter::default()
    };
    app.store.named_artifacts(run, filter).await
}

fn told(artifact: &Artifact) -> Option<Told> {
    let mut digest = String::with_capacity(64);
    for byte in artifact.sha256 {
        let _ = write!(digest, "{byte:02x}");
    }
    Some(Told {
        id: artifact.id.0,
        name: artifact.name.clone()?,
        size: artifact.size_bytes,
        digest,
    })
}

fn created(artifact: &Artifact) -> Response {
    let mut body = message("201 Created");
    body["artifact"] = serde_json::json!(told(artifact));
    (StatusCode::CREATED, Json(body)).into_response()
}

fn conflict(name: &str) -> Response {
    let text = format!(
        "409 Conflict: an artifact with the name {name} already exists in this run; choose another name or set overwrite: true"
    );
    (StatusCode::CONFLICT, Json(message(&text))).into_response()
}

fn unavailable(id: AttemptId, error: &dyn std::error::Error) -> Response {
    tracing::error!(attempt = %id, %error, "cannot look for named artifacts");
    let body = Json(message("500 cannot look for named artifacts"));
    (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
}
