//! Depot's API: `depot.ci.v1.CIService` and the services beside it that the Depot
//! CLI calls, over Connect, gRPC and gRPC-web alike.
//!
//! What the services take and give is told by the protobuf files of the crate `rpc`.
//! A handler gets the caller from [`caller`], asks the store or intake, and answers
//! with a message or an [`RpcError`](errors::RpcError). Depot's words stay in here.

mod artifacts;
mod cache;
mod caller;
mod ci_service;
mod compute;
mod diagnosis;
mod errors;
mod ids;
mod json_only;
mod login;
mod logs;
mod metrics;
mod migration;
mod moment;
mod opening;
mod organization;
mod page_token;
mod runs;
mod search;
mod settings;
mod start;
mod steer;
mod summary;
mod tree;
mod words;
mod workflows;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use connectrpc::{ConnectError, ConnectRpcService};
use tappet_rpc::depot::ci::v1::{CiServiceExt, DepotComputeServiceExt};
use tower_http::catch_panic::CatchPanicLayer;

use crate::api::routes::Routes;
use crate::app::SharedApp;
use caller::Identification;

/// The one organisation of a server, as Depot's API names it.
pub const ORGANISATION: &str = "org_1";

/// All services below the path prefix. Whatever else begins with `/depot.` gets
/// Connect's 404.
pub fn router(app: &SharedApp) -> Router<SharedApp> {
    let services = connectrpc::Router::new();
    let services = Arc::new(ci_service::Ci::new(app.clone())).register(services);
    let services = Arc::new(compute::Compute).register(services);
    let services = settings::register(app, services);
    let services = cache::register(app, services);
    let services = login::register(app, services);
    let services = migration::register(app, services);
    let services = organization::register(app, services);
    let identification = Arc::new(Identification::new(app.clone()));
    let service = ConnectRpcService::new(services).with_interceptor_arc(identification.clone());
    Router::new()
        .merge(routes().into_router())
        .merge(json_only::router(app, &identification))
        .route_service("/depot.{*rest}", service)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn(crate::to_the_end::run))
}

/// Addresses that its services give out.
pub fn routes() -> Routes {
    artifacts::routes().and(cache::links::routes())
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ConnectError::internal("the server met a bug of its own; its log tells more").into_response()
}
