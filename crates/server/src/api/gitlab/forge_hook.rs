//! The address at which the forge of a project calls back. Forges show people what is
//! answered, so it says in words what came of the call.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tappet_model::ProjectId;

use super::entities::forge::{Received, ReceivedRun};
use super::errors::{ApiError, ApiResult};
use super::params::read_bytes;
use crate::api::operation::{self, Audience, text};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::forge::receive::{self, Encoding, HookError, Outcome};
use crate::intake::Refusal;

/// No forge sends more (GitHub: 25 MB).
const MAX_BODY_BYTES: usize = 25 * 1000 * 1000;

/// The address.
pub fn routes() -> Routes {
    Routes::under("").add(
        operation::post("/-/hooks/forge/{project_id}")
            .id("receiveForgeEvent")
            .about("Takes a webhook of a project's forge: pushes and pull requests start runs.")
            .audience(Audience::Anybody)
            .header(text("X-Hub-Signature-256").about("GitHub's, Gitea's and Forgejo's signature."))
            .header(text("X-Gitlab-Token").about("GitLab's secret."))
            .header(text("X-Hub-Signature").about("Bitbucket's signature."))
            .replies::<Received<'_>>(StatusCode::OK)
            .replies::<Received<'_>>(StatusCode::CREATED),
        receive,
    )
}

/// `POST /-/hooks/forge/:project_id`.
async fn receive(
    State(app): State<SharedApp>,
    Path(project): Path<String>,
    request: Request,
) -> ApiResult<Response> {
    let (parts, body) = request.into_parts();
    let content_type = parts.headers.get(CONTENT_TYPE);
    let encoding = Encoding::of(content_type.and_then(|value| value.to_str().ok()));
    let Some(encoding) = encoding else {
        return Err(unsupported(
            "the address takes webhooks of forges with Content-Type: application/json",
        ));
    };
    let body = read_bytes(&parts, body, MAX_BODY_BYTES).await?;
    // What is no number names no project.
    let project = ProjectId(project.parse().unwrap_or(0));
    let outcome = receive::receive(&app, project, &parts.headers, encoding, &body).await?;
    shown(&app, &outcome).await
}

async fn shown(app: &App, outcome: &Outcome) -> ApiResult<Response> {
    let mut runs = Vec::new();
    for started in &outcome.runs {
        let run = &started.run;
        let Some(project) = app.store.project(run.project_id).await? else {
            continue;
        };
        runs.push(ReceivedRun {
            id: run.id.0,
            status: run.status.as_str(),
            ref_name: &run.ref_name,
            sha: run.sha.as_str(),
            web_url: app
                .config
                .url(&format!("/{}/-/pipelines/{}", project.path, run.id)),
        });
    }
    let status = match runs.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::CREATED,
    };
    let received = Received {
        message: outcome.text(),
        runs,
        canceled: outcome.canceled.iter().map(|run| run.0).collect(),
    };
    Ok((status, axum::Json(received)).into_response())
}

fn unsupported(text: impl Into<String>) -> ApiError {
    ApiError::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, text)
}

impl From<HookError> for ApiError {
    fn from(error: HookError) -> Self {
        match error {
            HookError::NotSigned => ApiError::unauthorized(),
            replayed @ HookError::Replayed(_) => {
                ApiError::conflict(format!("409 Conflict - {replayed}"))
            }
            form @ HookError::NoForm(_) => unsupported(form.to_string()),
            HookError::Refused(Refusal::KeyReused) => {
                ApiError::conflict("409 Conflict - this delivery was sent before with another body")
            }
            HookError::Refused(Refusal::QueueFull { retry_after }) => ApiError::message(
                StatusCode::SERVICE_UNAVAILABLE,
                "503 Service Unavailable - too many jobs are waiting for a runner",
            )
            .retry_after(retry_after),
            HookError::Refused(refusal) => refusal.into(),
            HookError::Store(error) => error.into(),
            wrong @ (HookError::NoPayload
            | HookError::Payload(_)
            | HookError::OtherRepository { .. }) => ApiError::message(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!("422 Unprocessable Entity - {wrong}"),
            ),
        }
    }
}
