//! Whether a run may be started at all, on this ref, with these variables
//! (GitLab: `chain/validate/abilities.rb`, `chain/build/associations.rb`).

use tappet_git::ResolvedRef;
use tappet_model::Source;
use tappet_store::{BuildsAccess, Project, User};

use super::{Refusal, RunRequest, not_started};
use crate::app::App;
use crate::rights::{Right, Standing, is_open};

/// What the trigger route adds by itself.
const PAYLOAD: &str = "TRIGGER_PAYLOAD";

/// Who asks; `None` for a legacy trigger, which has its project alone.
pub async fn standing(
    app: &App,
    user: Option<&User>,
    project: &Project,
) -> Result<Option<Standing>, Refusal> {
    Ok(match user {
        Some(user) => Some(app.standing(Some(user), project).await?),
        None => None,
    })
}

/// The project takes runs, and this one's.
pub fn may_start(project: &Project, standing: Option<&Standing>) -> Result<(), Refusal> {
    if project.settings.builds_access == BuildsAccess::Disabled {
        return Err(not_started("Pipelines are disabled!"));
    }
    let may = match standing {
        Some(standing) => standing.may(Right::RunPipelines, project),
        None => !project.settings.is_archived,
    };
    if may {
        Ok(())
    } else {
        Err(not_started(
            "Insufficient permissions to create a new pipeline",
        ))
    }
}

/// Protected branches and tags are for those who may change them. Gives whether
/// the ref is protected.
pub async fn may_use_ref(
    app: &App,
    request: &RunRequest,
    standing: Option<&Standing>,
    resolved: &ResolvedRef,
) -> Result<bool, Refusal> {
    let protections = app
        .protections(&request.project, resolved.kind, &resolved.name)
        .await?;
    if is_open(standing, &protections) {
        return Ok(!protections.is_empty());
    }
    Err(not_started(format!(
        "You do not have sufficient permission to run a pipeline on '{}'. Please select a \
         different branch or contact your administrator for assistance.",
        resolved.name
    )))
}

/// Variables from outside are for those whom the project's setting names. What a
/// schedule holds was checked when it was set.
pub fn may_set_variables(request: &RunRequest, standing: Option<&Standing>) -> Result<(), Refusal> {
    let Some(standing) = standing else {
        return Ok(());
    };
    let is_free = |key: &str| key == PAYLOAD && request.source == Source::Trigger;
    let gives_any = request
        .variables
        .iter()
        .any(|variable| !is_free(&variable.key));
    let checked = gives_any && request.source != Source::Schedule;
    if !checked || standing.may(Right::SetPipelineVariables, &request.project) {
        return Ok(());
    }
    Err(not_started(
        "Insufficient permissions to set pipeline variables",
    ))
}
