//! `GET /projects/:id/pipelines/:pipeline_id/bridges`: jobs that start other
//! pipelines. Pipeline files cannot have such jobs here, so there are none.

use axum::extract::State;
use axum::response::Response;
use tappet_model::Status;

use super::open_to_read;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::job::Job;
use crate::api::gitlab::errors::ApiResult;
use crate::api::gitlab::pagination::{self, Pages};
use crate::app::SharedApp;
use crate::rights::Right;

/// An empty page.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    checks.some_of::<Status>("scope");
    open_to_read(&app, &call, Right::ReadJobs, checks.finish()).await?;
    let pages = Pages {
        shown: page,
        total: Some(0),
        has_next: false,
    };
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply::<Job<'_>>(&address, &call, pages, &[]))
}
