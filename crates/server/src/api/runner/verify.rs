//! `POST /runners/verify`: is this token good, and which process speaks?

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json, RequestExt};
use serde::Deserialize;
use tappet_model::FailureReason;
use tappet_store::Runner;

use super::fence::message;
use crate::app::{App, SharedApp};
use crate::secrets::hash;

#[derive(Deserialize, Default)]
struct Verify {
    #[serde(default)]
    token: String,
    #[serde(default)]
    system_id: Option<String>,
}

/// 200 with the runner's id, 400 without a token, 403 with an unknown one.
pub async fn verify(State(app): State<SharedApp>, request: axum::extract::Request) -> Response {
    let is_form = request
        .headers()
        .get("content-type")
        .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form"));
    let parsed = if is_form {
        request
            .extract::<Form<Verify>, _>()
            .await
            .map(|Form(body)| body)
            .ok()
    } else {
        request
            .extract::<Json<Verify>, _>()
            .await
            .map(|Json(body)| body)
            .ok()
    };
    let body = parsed.unwrap_or_default();
    if body.token.is_empty() {
        let error = Json(serde_json::json!({ "error": "token is missing" }));
        return (StatusCode::BAD_REQUEST, error).into_response();
    }
    match runner(&app, &HeaderMap::new(), &body.token).await {
        Some(runner) => {
            if let Some(system_id) = &body.system_id {
                fail_predecessors(&app, &runner, system_id).await;
            }
            Json(serde_json::json!({
                "id": runner.id,
                "token": body.token,
                "token_expires_at": null,
            }))
            .into_response()
        }
        None => (StatusCode::FORBIDDEN, Json(message("403 Forbidden"))).into_response(),
    }
}

/// The runner of a token in the body or in the header that newer runners send.
pub async fn runner(app: &App, headers: &HeaderMap, body_token: &str) -> Option<Runner> {
    let header = headers
        .get("runner-token")
        .and_then(|value| value.to_str().ok());
    let token = Some(body_token)
        .filter(|token| !token.is_empty())
        .or(header)?;
    match app.store.runner_by_token(hash(token)).await {
        Ok(runner) => runner,
        Err(error) => {
            tracing::error!(%error, "cannot look up a runner");
            None
        }
    }
}

/// There is one embedded runner at a time: when another process speaks for it,
/// what the earlier one held has died with it.
pub async fn fail_predecessors(app: &App, runner: &Runner, system_id: &str) {
    if !runner.is_embedded {
        return;
    }
    for id in app.held.of_other_processes(runner.id, system_id) {
        app.fail_held(
            id,
            FailureReason::RunnerSystemFailure,
            "the runner process died",
        )
        .await;
    }
}
