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
mod commit_statuses;
mod commits;
mod entities;
mod errors;
mod etag;
mod events;
mod field_errors;
mod file_reply;
mod forge;
mod forge_hook;
mod gc;
mod group_variables;
mod headers;
mod hooks;
mod idempotency;
mod instance;
mod instance_variables;
mod job_token_scope;
mod jobs;
mod lint;
mod lookup;
mod members;
mod pagination;
mod params;
mod personal_access_tokens;
mod pipeline_schedules;
mod pipelines;
mod project_variables;
mod projects;
mod protected_branches;
mod protected_refs;
mod protected_tags;
mod push_hook;
mod repository;
mod settings_variables;
mod tags;
mod test_report;
mod throttle;
mod trace;
mod trigger_authority;
mod trigger_run;
mod triggers;
mod users;
mod v3;
mod variable_key;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::any;
use tower_http::catch_panic::CatchPanicLayer;

use super::routes::Routes;
use crate::app::SharedApp;
use errors::ApiError;

/// Where this version of the API begins.
const BASE: &str = "/api/v4";

/// Routes of the API below the path prefix. Unknown addresses under `/api/v4`
/// are answered here too.
pub fn router(app: &SharedApp) -> Router<SharedApp> {
    Router::new()
        .merge(routes().into_router())
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
        .and(commit_statuses::routes())
        .and(commits::routes())
        .and(job_token_scope::routes())
        .and(lint::routes())
        .and(pipeline_schedules::routes())
        .and(instance::routes())
        .and(members::routes())
        .and(personal_access_tokens::routes())
        .and(projects::routes())
        .and(hooks::routes())
        .and(forge::routes())
        .and(forge_hook::routes())
        .and(protected_branches::routes())
        .and(protected_tags::routes())
        .and(push_hook::routes())
        .and(tags::routes())
        .and(trigger_run::routes())
        .and(gc::routes())
        .and(test_report::routes())
        .and(lookup::routes())
        .and(triggers::routes())
        .and(v3::routes())
        .and(pipelines::routes())
        .and(jobs::routes())
        .and(artifacts::routes())
        .and(project_variables::routes())
        .and(group_variables::routes())
        .and(instance_variables::routes())
        .and(users::routes())
}

async fn unknown_route() -> ApiError {
    ApiError::unknown_route()
}

async fn wrong_verb() -> ApiError {
    ApiError::wrong_verb()
}
