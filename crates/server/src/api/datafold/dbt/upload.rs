//! `POST /api/v1/dbt/submit_artifacts/{ci_config_id}`: a form with the target folder of
//! dbt, kept whole once it has been looked at.

use axum::Json;
use axum::extract::multipart::Field;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Request, State};
use tappet_store::{CiConfig, DbtUpload};

use super::archive::{ArchiveLimits, BadArchive, check};
use super::{Form, Outcome};
use crate::api::datafold::access::open_config;
use crate::api::datafold::call::Head;
use crate::api::datafold::caller::{Reach, identify};
use crate::api::datafold::json::Json as Value;
use crate::api::datafold::refusal::{Refused, Reply};
use crate::api::datafold::validation::{Checks, Place, Problem};
use crate::app::{App, SharedApp};
use crate::clock;
use crate::dbt_uploads::NotKept;
use crate::incoming_files::{ReceivedFile, WriteError};
use crate::rights::Right;
use crate::whole_body;

/// Bytes of a field that is no file.
const FIELD_LIMIT: usize = 8 * 1024;

/// Fields of a form; clients send three or four.
const MOST_FIELDS: usize = 100;

pub(super) async fn submit(State(app): State<SharedApp>, request: Request) -> Reply<Json<Outcome>> {
    let (mut parts, body) = request.into_parts();
    let head = Head::from_request_parts(&mut parts, &app).await?;
    let config = match may_upload(&app, &head).await {
        Ok(config) => config,
        Err(refused) => {
            whole_body::discard(&head.headers, body).await;
            return Err(refused);
        }
    };
    let sent = read(&app, Request::from_parts(parts, body)).await?;
    let mut checks = Checks::default();
    let form = Form::read(&mut checks, &sent.fields);
    let place = Place::body().field("artifacts");
    if sent.file.is_none() {
        checks.missing(place.clone());
    }
    checks.finish()?;
    let Some(file) = sent.file else {
        return Err(Refused::unreadable_body());
    };
    let limits = app.config.limits;
    let limits = ArchiveLimits {
        entries: limits.dbt_archive_entries,
        unpacked_bytes: limits.dbt_unpacked_bytes,
    };
    if let Err(bad) = looked_at(&file, limits).await? {
        let problem = Problem::value(place, bad, &Value::Null);
        return Err(Refused::invalid(vec![problem]));
    }
    keep(&app, &config, form, file).await?;
    Ok(Json(Outcome { status: "ok" }))
}

async fn may_upload(app: &SharedApp, head: &Head) -> Reply<CiConfig> {
    let caller = identify(app, head, Reach::Writes).await?;
    let mut checks = Checks::default();
    let config = head.path_integer(&mut checks, "ci_config_id");
    checks.finish()?;
    let (access, config) = open_config(app, &caller, &config).await?;
    access.require(Right::RunPipelines)?;
    Ok(config)
}

/// A form that was read.
#[derive(Default)]
struct Sent {
    fields: Vec<(String, String)>,
    file: Option<ReceivedFile>,
}

/// Reads a form. A body of another kind has no fields.
async fn read(app: &SharedApp, request: Request) -> Reply<Sent> {
    let mut sent = Sent::default();
    let Ok(mut form) = Multipart::from_request(request, app).await else {
        return Ok(sent);
    };
    for _ in 0..MOST_FIELDS {
        let field = form.next_field().await;
        let Some(field) = field.map_err(|_| Refused::unreadable_body())? else {
            return Ok(sent);
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "artifacts" {
            sent.file = Some(receive(app, field).await?);
        } else {
            sent.fields.push((name, short_text(field).await?));
        }
    }
    Err(Refused::unreadable_body())
}

async fn receive(app: &App, field: Field<'_>) -> Reply<ReceivedFile> {
    match app.dbt_files.receive(field).await {
        Ok(received) => Ok(received),
        Err(WriteError::TooLarge { limit }) => Err(Refused::too_large(limit)),
        Err(WriteError::Body(_)) => Err(Refused::unreadable_body()),
        Err(WriteError::Io(error)) => Err(Refused::broken("keeping an upload", error)),
    }
}

async fn short_text(mut field: Field<'_>) -> Reply<String> {
    let mut text = Vec::new();
    loop {
        let piece = field.chunk().await;
        let Some(piece) = piece.map_err(|_| Refused::unreadable_body())? else {
            break;
        };
        if text.len() + piece.len() > FIELD_LIMIT {
            return Err(Refused::too_large(FIELD_LIMIT as u64));
        }
        text.extend_from_slice(&piece);
    }
    String::from_utf8(text).map_err(|_| Refused::unreadable_body())
}

/// Looks at an archive on a thread that may wait.
async fn looked_at(file: &ReceivedFile, limits: ArchiveLimits) -> Reply<Result<(), BadArchive>> {
    let failed = |error| Refused::broken("reading an upload", error);
    let size_bytes = file.size_bytes;
    let archive = file.open().map_err(failed)?;
    let looked = tokio::task::spawn_blocking(move || check(archive, size_bytes, limits));
    looked
        .await
        .map_err(|error| Refused::broken("reading an upload", error))
}

/// Keeps a file and what it is of; runs that waited for it go on.
async fn keep(app: &App, config: &CiConfig, form: Form, file: ReceivedFile) -> Reply<()> {
    let now = clock::now();
    let upload = DbtUpload {
        config_id: config.id,
        commit_sha: form.commit_sha.clone(),
        run_type: form.run_type.to_owned(),
        run_key: form.run_key,
        size_bytes: file.size_bytes,
        sha256: file.sha256,
        created_at: now,
    };
    match app.keep_dbt_upload(upload, file).await {
        Ok(()) => {}
        Err(NotKept::Store(error)) => return Err(error.into()),
        Err(NotKept::Io(error)) => return Err(Refused::broken("keeping an upload", error)),
    }
    if form.run_type == "pull_request" {
        let released = app
            .store
            .release_head(config.id, form.commit_sha, now)
            .await?;
        for advance in released {
            app.announce(&advance).await;
        }
    }
    Ok(())
}
