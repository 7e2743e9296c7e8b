//! The instance and the caller: `/version`, `/metadata`, `/user`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::auth;
use super::call::Call;
use super::entities::user_basic::CurrentUser;
use super::errors::ApiResult;
use crate::app::SharedApp;
use crate::version::{GITLAB_VERSION, TAPPET_VERSION};

/// `GET /version` and `GET /metadata`: GitLab's version as clients compare it,
/// and our own beside it.
pub async fn version(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    auth::authenticate_reader(&app, &call).await?;
    let body = json!({
        "version": GITLAB_VERSION,
        "revision": TAPPET_VERSION,
        "kas": { "enabled": false, "externalUrl": null, "externalK8sProxyUrl": null, "version": null },
        "enterprise": false,
        "tappet": { "version": TAPPET_VERSION },
    });
    Ok(axum::Json(body).into_response())
}

/// `GET /user`.
pub async fn user(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let user = auth::authenticate_reader(&app, &call).await?;
    Ok(axum::Json(CurrentUser::of(&app.config, &user)).into_response())
}
