//! `GET /projects/:id/pipelines`.

use axum::extract::State;
use axum::response::Response;
use tappet_store::Listing;

use super::filter;
use crate::api::gitlab::access::{self, Login};
use crate::api::gitlab::auth::JobTokens;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::pipeline_basic::ListedPipeline;
use crate::api::gitlab::errors::ApiResult;
use crate::api::gitlab::pagination::{self, Pages};
use crate::app::SharedApp;
use crate::rights::Right;

/// One page, the newest first unless asked otherwise.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = access::open_project(&app, &call, Login::Optional, JobTokens::Accepted).await?;
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let filter = filter::read(&mut checks);
    checks.finish()?;
    access.require(Right::ReadPipelines)?;
    let listing = match filter {
        Some(filter) => app.store.runs(access.project.id, filter, page).await?,
        None => Listing {
            items: Vec::new(),
            total: Some(0),
            has_next: false,
        },
    };
    let shown: Vec<_> = listing
        .items
        .iter()
        .map(|run| ListedPipeline::of(&app.config, &access.project, run))
        .collect();
    let pages = Pages {
        shown: page,
        total: listing.total,
        has_next: listing.has_next,
    };
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &shown))
}
