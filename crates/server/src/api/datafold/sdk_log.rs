//! `POST /api/internal/sdk/log`: where datafold-sdk sends what it logs. It sends the API
//! key along, so all of it is dropped unread, whoever calls.

use axum::body::Body;
use axum::extract::Request;
use http::StatusCode;
use serde_json::{Value, json};

use crate::api::operation::{self, Audience, Shape};
use crate::api::routes::Routes;
use crate::whole_body;

/// The route.
pub fn routes() -> Routes {
    Routes::under("/api/internal").add(
        operation::post("/sdk/log")
            .id("dropSdkLog")
            .about("Takes what datafold-sdk logs, and drops it.")
            .audience(Audience::Anybody)
            .reply(StatusCode::OK, Shape::Bytes("application/json")),
        drop_log,
    )
}

async fn drop_log(request: Request) -> axum::Json<Value> {
    let (parts, body): (_, Body) = request.into_parts();
    whole_body::discard(&parts.headers, body).await;
    axum::Json(json!({}))
}
