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
use tappet_store::{Action, Claim, Runner, Target};

use super::fence::message;
use super::verify::{fail_predecessors, runner, token};
use crate::app::{App, SharedApp};
use crate::dispatch::{self, Handover};

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
    /// Attempts that the runner has in its hands; absent when it does not tell.
    #[serde(default)]
    holding: Option<Vec<AttemptId>>,
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
    let token = token(&headers, &standard.token).unwrap_or_default();
    let runner = match runner(&app, token).await {
        Ok(runner) => runner,
        Err(refused) => return refused.into_response(),
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
    let claim = Claim {
        runner_id: runner.id,
        system_id,
        tags: runner.tags.clone(),
        run_untagged: runner.run_untagged,
        cancels_gracefully: standard.info.features.cancel_gracefully,
        runs_steps: standard.info.features.tappet_steps,
        is_expected: false,
        now: crate::clock::now(),
    };
    let patience = if runner.is_embedded {
        EMBEDDED_PATIENCE
    } else {
        PATIENCE
    };
    let holding = tappet.holding.as_deref();
    match app.dispatch.next(&app, claim, holding, patience).await {
        Ok(Some(handover)) => deliver(&app, &runner, handover).await,
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
async fn deliver(app: &SharedApp, runner: &Runner, mut handover: Handover) -> Response {
    let id = handover.assignment.attempt.id;
    let answer = match dispatch::payload(app, &handover.assignment, runner).await {
        Ok(delivery) => {
            if !delivery.ignored.is_empty() {
                let note = format!(
                    "\x1b[0;33mIgnored variables with reserved names: {}\x1b[0;m\n",
                    delivery.ignored.join(", ")
                );
                note_in_log(app, id, &note).await;
            }
            if dispatch::shows_variables(&delivery.payload)
                && let Err(error) = app.store.mark_debugged(id).await
            {
                tracing::error!(attempt = %id, %error, "cannot guard a log with debug output");
                let body = Json(message("500 Internal Server Error"));
                return (StatusCode::INTERNAL_SERVER_ERROR, body).into_response();
            }
            prepare_log(app, id, delivery.secrets);
            (StatusCode::CREATED, Json(delivery.payload)).into_response()
        }
        Err(error) => {
            let note = format!("\x1b[31;1mERROR: Job failed: {error}\x1b[0;m\n");
            note_in_log(app, id, &note).await;
            let event = JobEvent::Drop {
                reason: error.reason(),
                exit_code: None,
            };
            if let Err(error) = app.act(Target::Attempt(id), Action::Job(event)).await {
                tracing::error!(attempt = %id, %error, "cannot fail an undeliverable job");
            }
            StatusCode::NO_CONTENT.into_response()
        }
    };
    handover.delivered();
    answer
}

/// Opens the log while the runner is busy starting the job.
fn prepare_log(app: &SharedApp, id: AttemptId, secrets: Vec<String>) {
    let app = app.clone();
    tokio::spawn(async move {
        if let Err(error) = app.logs.prepare(id, &secrets).await {
            tracing::warn!(attempt = %id, %error, "cannot open a log");
        }
    });
}

async fn note_in_log(app: &App, id: AttemptId, note: &str) {
    if let Err(error) = app.logs.note(id, note).await {
        tracing::warn!(attempt = %id, %error, "cannot write to a log");
    }
}
