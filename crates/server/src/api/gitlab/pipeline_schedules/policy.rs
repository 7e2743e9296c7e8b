//! Who may do what with a schedule (GitLab:
//! `app/policies/ci/pipeline_schedule_policy.rb`).

use tappet_model::{RefKind, RefName};
use tappet_store::Schedule;

use crate::api::gitlab::access::Access;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::app::App;
use crate::rights::Right;

fn owns(access: &Access, schedule: &Schedule) -> bool {
    let is_owner = schedule.owner_id.is_some() && schedule.owner_id == access.standing.user_id;
    is_owner && access.may(Right::OwnSchedules)
}

/// Remove it, take it over, see its values.
pub fn may_administer(access: &Access, schedule: &Schedule) -> bool {
    access.may(Right::ManageSchedules) || owns(access, schedule)
}

/// 403 unless the caller may administer it.
pub fn require_administer(access: &Access, schedule: &Schedule) -> ApiResult<()> {
    allowed(may_administer(access, schedule))
}

/// 403 unless the caller may change it: its owner, where its ref is open to them.
pub async fn require_update(app: &App, access: &Access, schedule: &Schedule) -> ApiResult<()> {
    let is_admin = access.standing.is_admin && access.may(Right::OwnSchedules);
    allowed(is_admin || owns(access, schedule))?;
    allowed(ref_is_open(app, access, &schedule.ref_name).await?)
}

/// 403 unless the caller may start it.
pub async fn require_play(app: &App, access: &Access, schedule: &Schedule) -> ApiResult<()> {
    access.require(Right::RunPipelines)?;
    allowed(ref_is_open(app, access, &schedule.ref_name).await?)
}

/// Whether a ref, full or short, is not protected from the caller. A short name
/// that says nothing else counts as a branch.
pub async fn ref_is_open(app: &App, access: &Access, ref_name: &str) -> ApiResult<bool> {
    let Ok(name) = RefName::new(ref_name) else {
        return Ok(true);
    };
    let (kind, short) = name.split();
    let kind = kind.unwrap_or(RefKind::Branch);
    let standing = Some(&access.standing);
    Ok(app
        .may_run_on(standing, &access.project, kind, short)
        .await?)
}

fn allowed(yes: bool) -> ApiResult<()> {
    if yes {
        Ok(())
    } else {
        Err(ApiError::forbidden())
    }
}
