//! `GET /projects/:id/pipelines` (GitLab: `lib/api/v3/pipelines.rb`).

use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use tappet_store::{RunFilter, RunScope};

use super::BASE;
use crate::api::gitlab::access::{self, Login};
use crate::api::gitlab::auth::JobTokens;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::pipeline::Pipeline;
use crate::api::gitlab::errors::ApiResult;
use crate::api::gitlab::pagination::{self, Pages};
use crate::api::operation::{self, one_of};
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::rights::Right;

/// Pipelines.
pub fn routes() -> Routes {
    Routes::under(BASE).add(
        operation::get("/projects/{id}/pipelines")
            .id("v3ListPipelines")
            .about("Lists the pipelines of a project, the newest first.")
            .query(one_of("scope", &["running", "branches", "tags"]))
            .paged()
            .replies_list::<Pipeline<'_>>(StatusCode::OK),
        list,
    )
}

/// The groups that version 3 knows.
struct Scope(RunScope);

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "running" => Ok(Scope(RunScope::Running)),
            "branches" => Ok(Scope(RunScope::Branches)),
            "tags" => Ok(Scope(RunScope::Tags)),
            _ => Err(()),
        }
    }
}

async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let scope = checks.one_of::<Scope>("scope").map(|Scope(scope)| scope);
    let checked = checks.finish();
    let (login, jobs) = (Login::Required, JobTokens::Ignored);
    let access = access::open_checked(&app, &call, login, jobs, checked).await?;
    access.require(Right::ReadPipelines)?;
    let filter = RunFilter {
        scope,
        ..RunFilter::default()
    };
    let listing = app.store.runs(access.project.id, filter, page).await?;
    let mut found = Vec::with_capacity(listing.items.len());
    for run in &listing.items {
        let coverage = app.store.run_coverage(run.id).await?;
        found.push((app.user_of(run).await?, coverage));
    }
    let shown: Vec<_> = listing
        .items
        .iter()
        .zip(&found)
        .map(|(run, (user, coverage))| {
            Pipeline::of(&app.config, &access.project, run, user.as_ref()).covered(*coverage)
        })
        .collect();
    let pages = Pages::of(page, &listing);
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &shown))
}
