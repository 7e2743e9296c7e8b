//! A caller in front of a CI config.

use tappet_model::{CiConfigId, ProjectId};
use tappet_store::{CiConfig, Project};

use super::caller::Caller;
use super::refusal::{Refused, Reply};
use super::validation::Integer;
use crate::app::App;
use crate::rights::{Right, Standing};

/// A caller in front of a project.
#[derive(Debug)]
pub struct Access {
    /// Which project.
    pub project: Project,
    standing: Standing,
}

impl Access {
    /// 403 unless the caller may do something here.
    pub fn require(&self, right: Right) -> Reply<()> {
        if self.may(right) {
            return Ok(());
        }
        Err(Refused::forbidden(format!(
            "you may not do that in the project {}",
            self.project.path
        )))
    }

    /// Whether the caller may do something here.
    pub fn may(&self, right: Right) -> bool {
        self.standing.may(right, &self.project)
    }
}

/// The CI config with this id and its project; 404 for what is not there as for what
/// the caller may not see.
pub async fn open_config(app: &App, caller: &Caller, id: &Integer) -> Reply<(Access, CiConfig)> {
    let missing = || Refused::missing("CI config");
    let id = CiConfigId(id.to_i64().ok_or_else(missing)?);
    let config = app.store.ci_config(id).await?.ok_or_else(missing)?;
    let access = visible(app, caller, config.project_id).await?;
    Ok((access.ok_or_else(missing)?, config))
}

/// A project, when the caller may see it.
pub async fn visible(app: &App, caller: &Caller, id: ProjectId) -> Reply<Option<Access>> {
    let Some(project) = app.store.project(id).await? else {
        return Ok(None);
    };
    let standing = app.standing(Some(&caller.user), &project).await?;
    let access = Access { project, standing };
    Ok(access.may(Right::ReadProject).then_some(access))
}
