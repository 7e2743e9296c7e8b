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
    let headers = request.headers().clone();
    let is_form = headers
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
    let Some(token) = token(&headers, &body.token) else {
        let error = Json(serde_json::json!({ "error": "token is missing" }));
        return (StatusCode::BAD_REQUEST, error).into_response();
    };
    match runner(&app, token).await {
        Ok(runner) => {
            if let Some(system_id) = &body.system_id {
                fail_predecessors(&app, &runner, system_id).await;
            }
            Json(serde_json::json!({
                "id": runner.id,
                "token": token,
                "token_expires_at": null,
            }))
            .into_response()
        }
        Err(refused) => refused.into_response(),
    }
}

/// A call that no known runner makes.
pub enum NoRunner {
    /// Nobody has this token.
    Unknown,
    /// The database cannot tell. A runner that is told 403 takes its token for
    /// revoked, so it must not be.
    Unavailable,
}

impl IntoResponse for NoRunner {
    fn into_response(self) -> Response {
        match self {
            NoRunner::Unknown => {
                (StatusCode::FORBIDDEN, Json(message("403 Forbidden"))).into_response()
            }
            NoRunner::Unavailable => {
                let body = Json(message("500 Internal Server Error"));
                (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
            }
        }
    }
}

/// A runner's token in the body, or in the header that newer runners send.
pub fn token<'a>(headers: &'a HeaderMap, body_token: &'a str) -> Option<&'a str> {
    let header = || headers.get("runner-token")?.to_str().ok();
    Some(body_token)
        .filter(|token| !token.is_empty())
        .or_else(header)
        .filter(|token| !token.is_empty())
}

/// The runner of a token.
pub async fn runner(app: &App, token: &str) -> Result<Runner, NoRunner> {
    match app.store.runner_by_token(hash(token)).await {
        Ok(runner) => runner.ok_or(NoRunner::Unknown),
        Err(error) => {
            tracing::error!(%error, "cannot look up a runner");
            Err(NoRunner::Unavailable)
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
