//! The instance: `/version` and `/metadata` (GitLab: `lib/api/metadata.rb`).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::BASE;
use super::auth;
use super::call::Call;
use super::errors::ApiResult;
use crate::api::operation;
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::version::{GITLAB_VERSION, TAPPET_VERSION};

/// GitLab's version as clients compare it, and our own beside it.
#[derive(Serialize, ToSchema)]
struct Version {
    version: &'static str,
    revision: &'static str,
    kas: Kas,
    enterprise: bool,
    tappet: OwnVersion,
}

/// The agent server of GitLab, which is not here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Kas {
    enabled: bool,
    external_url: Option<&'static str>,
    external_k8s_proxy_url: Option<&'static str>,
    version: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
struct OwnVersion {
    version: &'static str,
}

/// The same under two addresses.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/version")
                .id("getVersion")
                .about("Tells GitLab's version that this server follows, and its own.")
                .replies::<Version>(StatusCode::OK),
            version,
        )
        .add(
            operation::get("/metadata")
                .id("getMetadata")
                .about("Tells the same as /version.")
                .replies::<Version>(StatusCode::OK),
            version,
        )
}

/// `GET /version` and `GET /metadata`.
pub async fn version(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    auth::authenticate_for_instance(&app, &call).await?;
    let body = Version {
        version: GITLAB_VERSION,
        revision: TAPPET_VERSION,
        kas: Kas {
            enabled: false,
            external_url: None,
            external_k8s_proxy_url: None,
            version: None,
        },
        enterprise: false,
        tappet: OwnVersion {
            version: TAPPET_VERSION,
        },
    };
    Ok(axum::Json(body).into_response())
}
