//! Datafold's CI API, as its `datafold-sdk` calls it: runs of pull requests under a CI
//! config, pairs of tables, artifacts of dbt; and beside it the CI configs themselves.
//!
//! Addresses, checks and refusals are those of a service made with FastAPI: see
//! [`validation`] and [`refusal`]. A handler finds the caller, checks what came, opens
//! the CI config, and asks the store or intake. Datafold's words stay in here.

mod accept;
mod access;
mod approval;
mod call;
mod caller;
mod configs;
mod dbt;
mod job;
mod json;
mod organization;
mod refusal;
mod runs;
mod sdk_log;
mod submit;
mod trigger;
mod validation;
mod words;

use std::sync::OnceLock;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::api::openapi::shown_path;
use crate::api::routes::Routes;
use crate::app::SharedApp;
use refusal::Refused;

/// Whether an address below the path prefix is one of this API. GitLab CI 7.14 has some
/// of `/api/v1`.
pub fn owns(path: &str) -> bool {
    let below = |base: &str| path.starts_with(base);
    (below("/api/v1/") && !below("/api/v1/projects/")) || below("/api/internal/")
}

/// Routes below the path prefix. Unknown addresses are answered here too.
pub fn router() -> Router<SharedApp> {
    let no_store = HeaderValue::from_static("no-store");
    let no_sniff = HeaderValue::from_static("nosniff");
    Router::new()
        .merge(routes().into_router())
        .method_not_allowed_fallback(wrong_verb)
        .route("/api/v1", any(unknown_route))
        .route("/api/v1/{*rest}", any(unknown_route))
        .route("/api/internal", any(unknown_route))
        .route("/api/internal/{*rest}", any(unknown_route))
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn(crate::to_the_end::run))
        .layer(axum::middleware::from_fn(refusal::negotiate))
        .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, no_store))
        .layer(SetResponseHeaderLayer::overriding(
            X_CONTENT_TYPE_OPTIONS,
            no_sniff,
        ))
}

/// Everything that `/-/openapi.json` tells of.
pub fn routes() -> Routes {
    Routes::under("/api/v1")
        .and(approval::routes())
        .and(configs::routes())
        .and(dbt::routes())
        .and(organization::routes())
        .and(runs::routes())
        .and(sdk_log::routes())
        .and(submit::routes())
        .and(trigger::routes())
}

async fn wrong_verb() -> Refused {
    Refused::wrong_verb()
}

/// An address that is a route but for a slash at its end is one step away.
async fn unknown_route(request: Request) -> Response {
    match without_slash(request.uri().path()) {
        Some(_) => moved(&request),
        None => Refused::unknown_route().into_response(),
    }
}

/// The address of a route that this is with a slash too many (Starlette:
/// `redirect_slashes`).
fn without_slash(path: &str) -> Option<&str> {
    let path = path.strip_suffix('/')?;
    static PATTERNS: OnceLock<Vec<String>> = OnceLock::new();
    let patterns = PATTERNS.get_or_init(|| {
        let routes = routes();
        let operations = routes.operations().iter();
        operations
            .map(|(base, operation)| shown_path(base, operation))
            .collect()
    });
    patterns
        .iter()
        .any(|pattern| fits(pattern, path))
        .then_some(path)
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(wanted), Some(part)) => {
                let is_open = wanted.starts_with('{') && !part.is_empty();
                if !is_open && wanted != part {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// 307 to the address without its slash: verb, body and query stay. The address is told
/// without a host, so that it holds behind any proxy.
fn moved(request: &Request) -> Response {
    let address = refusal::address(request);
    let path = address.path().trim_end_matches('/');
    let location = match address.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    match HeaderValue::try_from(location) {
        Ok(location) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response(),
        Err(_) => Refused::unknown_route().into_response(),
    }
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Refused::broken("a call", "its handler panicked").into_response()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/api/v1/ci/1/trigger/", Some("/api/v1/ci/1/trigger"))]
    #[case("/api/v1/ci/1/runs/", Some("/api/v1/ci/1/runs"))]
    #[case("/api/v1/ci/", Some("/api/v1/ci"))]
    #[case("/api/internal/sdk/log/", Some("/api/internal/sdk/log"))]
    #[case("/api/v1/ci/1/trigger", None)]
    #[case("/api/v1/ci/1/trigger//", None)]
    #[case("/api/v1/ci//trigger/", None)]
    #[case("/api/v1/nothing/", None)]
    fn one_slash_too_many_is_known(#[case] path: &str, #[case] expected: Option<&str>) {
        assert_eq!(without_slash(path), expected);
    }

    #[rstest]
    #[case("/api/v1/ci/1/trigger", true)]
    #[case("/api/internal/sdk/log", true)]
    #[case("/api/v1/nothing", true)]
    #[case("/api/v1/projects/1/refs/main/trigger", false)]
    #[case("/api/v4/projects", false)]
    #[case("/acme/web", false)]
    fn addresses_of_this_api_are_told_apart(#[case] path: &str, #[case] expected: bool) {
        assert_eq!(owns(path), expected);
    }
}
