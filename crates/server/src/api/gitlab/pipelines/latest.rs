//! `GET /projects/:id/pipelines/latest`.

use axum::extract::State;
use axum::response::Response;
use tappet_model::RefName;
use tappet_store::RunFilter;

use super::named;
use crate::api::gitlab::access::{self, Access, Login};
use crate::api::gitlab::auth::JobTokens;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::app::{App, SharedApp};
use crate::rights::Right;

/// The newest run of the commit that the ref points to now; 403 when there is
/// none, as in GitLab.
pub async fn latest(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let ref_name = checks.filled_text("ref").map(std::borrow::Cow::into_owned);
    let checked = checks.finish();
    let (login, jobs) = (Login::Optional, JobTokens::Ignored);
    let access = access::open_checked(&app, &call, login, jobs, checked).await?;
    access.require(Right::ReadPipelines)?;
    let filter = head_of(&app, &access, ref_name)
        .await
        .ok_or_else(ApiError::forbidden)?;
    let runs = app.store.newest_runs(access.project.id, filter, 1).await?;
    let run = runs.first().ok_or_else(ApiError::forbidden)?;
    named(&app, &access, run).await
}

/// Runs of the ref's commit; `None` when there is no such ref.
async fn head_of(app: &App, access: &Access, ref_name: Option<String>) -> Option<RunFilter> {
    let repository = app.repositories.of(&access.project).await.ok()?;
    let ref_name = match ref_name {
        Some(ref_name) => ref_name,
        None => {
            let repositories = &app.repositories;
            let default = repositories.default_branch(&access.project, &repository);
            default.await?
        }
    };
    let name = RefName::new(ref_name).ok()?;
    let head = repository.resolve(&name).await.ok()?;
    Some(RunFilter {
        ref_name: Some(head.name),
        sha: Some(head.sha.to_string()),
        ..RunFilter::default()
    })
}
