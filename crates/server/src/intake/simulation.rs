//! What a run of a file would be, without starting one (GitLab: the dry run of
//! `Ci::CreatePipelineService`).

use tappet_gitlab_ci::{Config, PlanError};
use tappet_model::plan::Plan;

use super::content::{Known, plan};
use super::{Refusal, RunRequest, permission, repository, resolve};
use crate::app::App;

/// Decides everything that [`start_run`](super::start_run) would, for this file.
pub async fn simulate(
    app: &App,
    request: &RunRequest,
    config: &Config,
) -> Result<Result<Plan, PlanError>, Refusal> {
    let standing = permission::standing(app, request.user.as_ref(), &request.project).await?;
    permission::may_start(&request.project, standing.as_ref())?;
    let repository = repository(app, &request.project).await?;
    let resolved = resolve(app, request, &repository).await?;
    let is_protected = permission::may_use_ref(app, request, standing.as_ref(), &resolved).await?;
    let settings = app
        .settings_variables(&request.project, is_protected)
        .await?;
    let known = Known {
        resolved: &resolved,
        is_protected,
        settings,
    };
    plan(app, request, &repository, known, config).await
}
