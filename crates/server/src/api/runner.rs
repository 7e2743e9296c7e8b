//! The GitLab Runner protocol, for the embedded runner and for gitlab-runner
//! alike: hand-out, log, state, artifacts.
//!
//! A job token is the fence of its attempt: once the attempt is over, every
//! call with it is answered 403 with `Job-Status` and changes nothing.

mod artifacts;
mod fence;
mod jobs_request;
mod trace;
mod update;
mod verify;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{patch, post, put};

use crate::app::SharedApp;

/// Bytes of one PATCH; gitlab-runner sends at most 1 MiB.
const TRACE_PATCH_LIMIT: usize = 8 * 1024 * 1024;

/// Routes of the protocol below the path prefix.
pub fn router() -> Router<SharedApp> {
    // A question for work ends with its connection; what is reported must not.
    Router::new()
        .route("/api/v4/jobs/request", post(jobs_request::request))
        .merge(reports().layer(axum::middleware::from_fn(crate::to_the_end::run)))
}

fn reports() -> Router<SharedApp> {
    Router::new()
        .route("/api/v4/runners/verify", post(verify::verify))
        .route("/api/v4/jobs/{id}", put(update::update))
        .route(
            "/api/v4/jobs/{id}/trace",
            patch(trace::append).layer(DefaultBodyLimit::max(TRACE_PATCH_LIMIT)),
        )
        .route(
            "/api/v4/jobs/{id}/artifacts",
            post(artifacts::upload)
                .get(artifacts::download)
                .layer(DefaultBodyLimit::disable()),
        )
}
