//! Addresses about the instance itself, below `/-/`: health, metrics, and what
//! the API is.

use http::StatusCode;

use crate::api::openapi;
use crate::api::operation::{Audience, Shape, get};
use crate::api::routes::Routes;
use crate::{health, metrics};

/// Their routes.
pub fn routes() -> Routes {
    Routes::under("/-")
        .add(
            get("/healthz")
                .id("getHealth")
                .about("Answers as long as the process does.")
                .audience(Audience::Anybody)
                .reply(StatusCode::OK, Shape::Bytes("text/plain")),
            health::healthz,
        )
        .add(
            get("/readyz")
                .id("getReadiness")
                .about("Says whether runs can be accepted, and if not why.")
                .audience(Audience::Anybody)
                .replies::<health::Readiness>(StatusCode::OK)
                .replies::<health::Readiness>(StatusCode::SERVICE_UNAVAILABLE),
            health::readyz,
        )
        .add(
            get("/metrics")
                .id("getMetrics")
                .about("Shows figures for Prometheus.")
                .audience(Audience::Anybody)
                .reply(StatusCode::OK, Shape::Bytes("text/plain")),
            metrics::serve,
        )
        .add(
            get("/openapi.json")
                .id("getOpenApi")
                .about("Describes this API.")
                .audience(Audience::Anybody)
                .reply(StatusCode::OK, Shape::Bytes("application/json")),
            openapi::serve,
        )
        .add(
            get("/docs")
                .id("getDocs")
                .about("Shows this API to people.")
                .audience(Audience::Anybody)
                .reply(StatusCode::OK, Shape::Bytes("text/html")),
            crate::ui::docs,
        )
}
