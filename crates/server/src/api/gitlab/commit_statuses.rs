//! Statuses of a commit, its jobs' and those that foreign systems set
//! (GitLab: `lib/api/commit_statuses.rb`, `create_commit_status_service.rb`).
//!
//! A foreign status belongs to the newest run of its commit and ref, or to a run
//! of source `external` that it brings about. It counts into that run's status.

mod list;
mod set;

use tappet_model::CommitSha;
use tappet_store::{PageRequest, Run, RunFilter};

use super::BASE;
use super::access::{self, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::errors::ApiResult;
use super::repository::Opened;
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};

/// The stage in which GitLab shows foreign statuses.
const STAGE: &str = "external";

/// Runs of one commit that are looked through.
const MOST_RUNS: PageRequest = PageRequest {
    page: 1,
    per_page: 100,
};

/// Commit statuses.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(list::operation(), list::list)
        .add(set::operation(), set::set)
}

async fn open(app: &SharedApp, call: &Call, checked: ApiResult<()>) -> ApiResult<Opened> {
    let (login, jobs) = (Login::Required, JobTokens::Ignored);
    let access = access::open_checked(app, call, login, jobs, checked).await?;
    let repository = app.repositories.of(&access.project).await?;
    Ok(Opened { access, repository })
}

async fn runs_of(
    app: &App,
    opened: &Opened,
    sha: &CommitSha,
    ref_name: Option<&str>,
) -> ApiResult<Vec<Run>> {
    let filter = RunFilter {
        sha: Some(sha.to_string()),
        ref_name: ref_name.map(str::to_owned),
        ..RunFilter::default()
    };
    let project = opened.access.project.id;
    Ok(app.store.runs(project, filter, MOST_RUNS).await?.items)
}
