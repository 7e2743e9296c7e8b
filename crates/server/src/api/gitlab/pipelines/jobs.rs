//! `GET /projects/:id/pipelines/:pipeline_id/jobs`.

use axum::extract::State;
use axum::response::Response;
use tappet_model::Status;
use tappet_store::AttemptFilter;

use super::open_to_read;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::ApiResult;
use crate::api::gitlab::jobs::context::JobContext;
use crate::api::gitlab::pagination::{self, Pages};
use crate::app::SharedApp;
use crate::rights::Right;

/// The newest first; older attempts of a job only when they are asked for.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let filter = AttemptFilter {
        statuses: checks.some_of::<Status>("scope"),
        include_retried: checks.boolean("include_retried").unwrap_or(false),
    };
    let checked = checks.finish();
    let (access, run) = open_to_read(&app, &call, Right::ReadJobs, checked).await?;
    let listing = app.store.attempts(run.id, filter, page).await?;
    let context = JobContext::read(&app, &access.project, &listing.items).await?;
    let pages = Pages::of(page, &listing);
    let address = app.config.url(call.uri.path());
    let shown = context.jobs(&listing.items);
    Ok(pagination::reply(&address, &call, pages, &shown))
}
