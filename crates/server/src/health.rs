//! `/-/healthz` and `/-/readyz`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::app::SharedApp;

/// 200 as long as the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// 200 when runs can be accepted; 503 with the reason otherwise.
pub async fn readyz(State(app): State<SharedApp>) -> Response {
    if app.dispatch.is_draining() {
        let body = Json(serde_json::json!({ "ready": false, "reason": "the server is stopping" }));
        return (StatusCode::SERVICE_UNAVAILABLE, body).into_response();
    }
    match app.store.check().await {
        Ok(()) => Json(serde_json::json!({ "ready": true })).into_response(),
        Err(error) => {
            let body = serde_json::json!({ "ready": false, "reason": error.to_string() });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}
