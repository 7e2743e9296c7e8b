//! GitLab's REST API, version 4, and what scripts use of version 3: triggers and the projects, pipelines and jobs
//! around them.
//!
//! Each handler extracts, authenticates, asks the store or intake, and replies.
//! Dialect stays in here: what leaves are [`RunRequest`](crate::intake::RunRequest)s
//! and the store's own filters. The runner protocol, which shares the address
//! space, is [`runner`](super::runner)'s.

mod access;
mod artifacts;
mod audit_events;
mod auth;
mod branches;
mod call;
mod commits;
mod entities;
mod errors;
mod events;
mod file_reply;
mod headers;
mod idempotency;
mod instance;
mod job_token_scope;
mod jobs;
mod pagination;
mod params;
mod pipelines;
mod projects;
mod push_hook;
mod repository;
mod tags;
mod test_report;
mod throttle;
mod trace;
mod trigger_authority;
mod trigger_run;
mod triggers;
mod v3;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};
use tower_http::catch_panic::CatchPanicLayer;

use super::routes::Routes;
use crate::app::SharedApp;
use errors::ApiError;

/// Where this version of the API begins.
const BASE: &str = "/api/v4";

/// Routes of the API below the path prefix. Unknown addresses under `/api/v4`
/// are answered here too.
pub fn router(app: &SharedApp) -> Router<SharedApp> {
    let project = |path: &str| format!("/api/v4/projects/{{id}}{path}");
    Router::new()
        .route("/api/v4/version", get(instance::version))
        .route("/api/v4/metadata", get(instance::version))
        .route("/api/v4/user", get(instance::user))
        .merge(routes().into_router())
        .merge(pipeline_routes(project))
        .merge(job_routes(project))
        .method_not_allowed_fallback(wrong_verb)
        .route("/api/v3", any(unknown_route))
        .route("/api/v3/{*rest}", any(unknown_route))
        .route("/ci/api/v1", any(unknown_route))
        .route("/ci/api/v1/{*rest}", any(unknown_route))
        .route("/api/v4", any(unknown_route))
        .route("/api/v4/{*rest}", any(unknown_route))
        .layer(DefaultBodyLimit::max(params::MAX_BODY_BYTES))
        .layer(CatchPanicLayer::custom(errors::panicked))
        .layer(axum::middleware::from_fn(crate::to_the_end::run))
        .layer(axum::middleware::from_fn_with_state(
            app.clone(),
            throttle::limit,
        ))
        .layer(axum::middleware::from_fn(headers::add))
}

/// Everything that `/-/openapi.json` tells of.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .and(audit_events::routes())
        .and(branches::routes())
        .and(commits::routes())
        .and(job_token_scope::routes())
        .and(projects::routes())
        .and(push_hook::routes())
        .and(tags::routes())
        .and(trigger_run::routes())
        .and(test_report::routes())
        .and(triggers::routes())
        .and(v3::routes())
}

fn pipeline_routes(project: impl Fn(&str) -> String) -> Router<SharedApp> {
    let one = |path: &str| project(&format!("/pipelines/{{pipeline_id}}{path}"));
    Router::new()
        .route(&project("/pipeline"), post(pipelines::create::create))
        .route(&project("/pipelines"), get(pipelines::list))
        .route(&project("/pipelines/latest"), get(pipelines::latest))
        .route(&one(""), get(pipelines::get))
        .route(&one("/jobs"), get(pipelines::jobs))
        .route(&one("/variables"), get(pipelines::variables))
        .route(&one("/cancel"), post(pipelines::cancel))
        .route(&one("/retry"), post(pipelines::retry))
        .route(&one("/events"), get(pipelines::events::follow))
}

fn job_routes(project: impl Fn(&str) -> String) -> Router<SharedApp> {
    let one = |path: &str| project(&format!("/jobs/{{job_id}}{path}"));
    Router::new()
        .route(&one(""), get(jobs::get))
        .route(&one("/cancel"), post(jobs::cancel))
        .route(&one("/retry"), post(jobs::retry))
        .route(&one("/play"), post(jobs::play))
        .route(&one("/trace"), get(trace::text))
        .route(&one("/trace/events"), get(trace::follow))
        .route(&one("/artifacts"), get(artifacts::archive))
        .route(&one("/artifacts/{*path}"), get(artifacts::file))
        .route(&project("/jobs/artifacts/{*rest}"), get(artifacts::of_ref))
}

async fn unknown_route() -> ApiError {
    ApiError::unknown_route()
}

async fn wrong_verb() -> ApiError {
    ApiError::wrong_verb()
}
