//! `/-/healthz` and `/-/readyz`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::SharedApp;

/// Whether runs can be accepted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Readiness {
    ready: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// 200 as long as the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// 200 when runs can be accepted; 503 with the reason otherwise.
pub async fn readyz(State(app): State<SharedApp>) -> Response {
    if app.dispatch.is_draining() {
        return unready("the server is stopping");
    }
    if let Some(problem) = app.repositories.problem() {
        return unready(problem);
    }
    match app.store.check().await {
        Ok(()) => Json(Readiness {
            ready: true,
            reason: None,
        })
        .into_response(),
        Err(error) => unready(&error.to_string()),
    }
}

fn unready(reason: &str) -> Response {
    let body = Readiness {
        ready: false,
        reason: Some(reason.to_owned()),
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use crate::testing::TestServer;

    #[tokio::test]
    async fn a_git_that_is_too_old_makes_the_server_unready_with_the_reason() {
        let server = TestServer::start().await;
        assert_eq!(server.get("/-/readyz").send().await.status, 200);
        server
            .app()
            .repositories
            .give_up("git 1.0 is too old".to_owned());
        let reply = server.get("/-/readyz").send().await;
        assert_eq!(reply.status, 503);
        assert_eq!(reply.json()["reason"], "git 1.0 is too old");
        assert_eq!(server.get("/-/healthz").send().await.status, 200);
    }
}
