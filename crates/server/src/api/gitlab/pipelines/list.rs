//! `GET /projects/:id/pipelines`.

use axum::extract::State;
use axum::response::Response;
use tappet_model::RefKind;
use tappet_store::{Listing, Project, RunScope};

use super::filter;
use crate::api::gitlab::access::{self, Login};
use crate::api::gitlab::auth::JobTokens;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::pipeline_basic::ListedPipeline;
use crate::api::gitlab::errors::ApiResult;
use crate::api::gitlab::pagination::{self, Pages};
use crate::app::{App, SharedApp};
use crate::rights::Right;

/// Of so many refs with pipelines each is looked at; beside more, which may be long
/// gone, the refs that exist are listed.
const LOOKED_UP_REFS: usize = 200;

/// One page, the newest first unless asked otherwise.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let filter = filter::read(&mut checks);
    let checked = checks.finish();
    let (login, jobs) = (Login::Optional, JobTokens::Accepted);
    let access = access::open_checked(&app, &call, login, jobs, checked).await?;
    access.require(Right::ReadPipelines)?;
    let listing = match filter {
        Some(mut filter) => {
            filter.refs = existing_refs(&app, &access.project, filter.scope).await?;
            let project = access.project.id;
            app.store.runs(project, filter, page).await?
        }
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
    let pages = Pages::of(page, &listing);
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &shown))
}

/// With scope branches or tags: those that exist; of few, those with pipelines
/// alone. A repository that cannot be read now hides none.
async fn existing_refs(
    app: &App,
    project: &Project,
    scope: Option<RunScope>,
) -> ApiResult<Option<Vec<String>>> {
    let (kind, prefix) = match scope {
        Some(RunScope::Branches) => (RefKind::Branch, "refs/heads/"),
        Some(RunScope::Tags) => (RefKind::Tag, "refs/tags/"),
        _ => return Ok(None),
    };
    let Ok(repository) = app.repositories.of(project).await else {
        return Ok(None);
    };
    let names = app
        .store
        .refs_with_runs(project.id, kind, LOOKED_UP_REFS + 1)
        .await?;
    if names.len() > LOOKED_UP_REFS {
        let all = match kind {
            RefKind::Branch => repository.branches().await,
            _ => repository.tags().await,
        };
        let Ok(all) = all else { return Ok(None) };
        return Ok(Some(all.into_iter().map(|found| found.name).collect()));
    }
    let full_names = names.iter().map(|name| format!("{prefix}{name}")).collect();
    let Ok(existing) = repository.existing(full_names).await else {
        return Ok(None);
    };
    let short = |full_name: String| full_name[prefix.len()..].to_owned();
    Ok(Some(existing.into_iter().map(short).collect()))
}
