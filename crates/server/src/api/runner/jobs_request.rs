//! `POST /jobs/request`: a runner asks for work and may wait for it.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tappet_engine::JobEvent;
use tappet_model::AttemptId;
use tappet_model::runner_protocol::JobRequest;
use tappet_store::{Action, Assignment, Claim, Runner, Target};

use super::fence::message;
use super::verify::{fail_predecessors, runner};
use crate::app::{App, SharedApp};
use crate::dispatch;

/// How long our own runner waits inside one request.
const EMBEDDED_PATIENCE: Duration = Duration::from_secs(50);

/// How long a gitlab-runner waits: short, since its other entries starve
/// meanwhile (gitlab-runner docs, "Long polling issues").
const PATIENCE: Duration = Duration::from_secs(5);

/// The request with what only our own runner says.
#[derive(Deserialize)]
pub struct Request {
    #[serde(flatten)]
    standard: JobRequest,
    #[serde(default)]
    tappet: Extension,
}

/// The key `tappet` of a request.
#[derive(Deserialize, Default)]
struct Extension {
    /// Attempts that the runner has in its hands.
    #[serde(default)]
    holding: Vec<AttemptId>,
}

/// 201 with a job, 204 without one, 403 for an unknown runner, 503 while the
/// server stops.
pub async fn request(
    State(app): State<SharedApp>,
    headers: HeaderMap,
    body: Result<Json<Request>, JsonRejection>,
) -> Response {
    let Ok(Json(Request { standard, tappet })) = body else {
        let error = Json(message("400 Bad request - the body is not a job request"));
        return (StatusCode::BAD_REQUEST, error).into_response();
    };
    let Some(runner) = runner(&app, &headers, &standard.token).await else {
        return (StatusCode::FORBIDDEN, Json(message("403 Forbidden"))).into_response();
    };
    let system_id = standard
        .system_id
        .clone()
        .unwrap_or_else(|| "<legacy>".to_owned());
    fail_predecessors(&app, &runner, &system_id).await;
    if app.dispatch.is_draining() {
        return draining();
    }
    if runner.is_paused {
        return StatusCode::NO_CONTENT.into_response();
    }
    if runner.is_embedded
        && let Some(id) = app.held.undelivered(runner.id, &system_id, &tappet.holding)
        && let Ok(Some(assignment)) = app.store.assignment(id).await
    {
        return deliver(&app, &runner, &system_id, assignment).await;
    }
    let claim = Claim {
        runner_id: runner.id,
        system_id: system_id.clone(),
        tags: runner.tags.clone(),
        run_untagged: runner.run_untagged,
        cancels_gracefully: standard.info.features.cancel_gracefully,
        now: crate::clock::now(),
    };
    let patience = if runner.is_embedded {
        EMBEDDED_PATIENCE
    } else {
        PATIENCE
    };
    match app.dispatch.next(&app, claim, patience).await {
        Ok(Some(assignment)) => deliver(&app, &runner, &system_id, assignment).await,
        Ok(None) if app.dispatch.is_draining() => draining(),
        Ok(None) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot hand out a job");
            let body = Json(message("500 Internal Server Error"));
            (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
        }
    }
}

fn draining() -> Response {
    let body = Json(message("503 Service Unavailable - the server is stopping"));
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [("retry-after", "5")],
        body,
    )
        .into_response()
}

/// Sends a claimed attempt; one that cannot be delivered fails, and the runner
/// asks again.
async fn deliver(app: &App, runner: &Runner, system_id: &str, assignment: Assignment) -> Response {
    let id = assignment.attempt.id;
    let timeout = Duration::from_secs(dispatch::timeout_s(&assignment));
    app.held
        .hand_out(id, runner.id, system_id, assignment.project.id, timeout);
    app.announce_claim(&assignment);
    match dispatch::payload(app, &assignment, runner).await {
        Ok(delivery) => {
            if !delivery.ignored.is_empty() {
                let note = format!(
                    "\x1b[0;33mIgnored variables with reserved names: {}\x1b[0;m\n",
                    delivery.ignored.join(", ")
                );
                if let Err(error) = app.logs.note(id, &note).await {
                    tracing::warn!(attempt = %id, %error, "cannot write to a log");
                }
            }
            (StatusCode::CREATED, Json(delivery.payload)).into_response()
        }
        Err(error) => {
            let note = format!("\x1b[31;1mERROR: Job failed: {error}\x1b[0;m\n");
            if let Err(error) = app.logs.note(id, &note).await {
                tracing::warn!(attempt = %id, %error, "cannot write to a log");
            }
            let event = JobEvent::Drop {
                reason: error.reason(),
                exit_code: None,
            };
            if let Err(error) = app.act(Target::Attempt(id), Action::Job(event)).await {
                tracing::error!(attempt = %id, %error, "cannot fail an undeliverable job");
            }
            StatusCode::NO_CONTENT.into_response()
        }
    }
}
