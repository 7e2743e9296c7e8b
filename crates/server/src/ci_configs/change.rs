//! Adds, changes and removes CI configs, with their traces in the audit log.

use serde_json::json;
use tappet_model::{CiConfigId, ProjectId, UserId};
use tappet_store::{CiConfig, CiConfigSettings, StoreError};

use super::problems::{BadSetting, problems};
use crate::app::App;
use crate::audit::Entry;
use crate::clock;

/// Who changes something.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Whose rights count.
    pub user: UserId,
    /// With which credential, for the audit log.
    pub credential: String,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// These settings will not do.
    #[error("{}", in_one_line(.0))]
    Settings(Vec<BadSetting>),
    /// A project keeps one.
    #[error("this is the only CI config of the project: change it instead")]
    Last,
    /// The project has as many as it may.
    #[error("a project has at most {0} CI configs: remove one first")]
    TooMany(u64),
    /// It is gone.
    #[error("CI config not found")]
    NotFound,
    /// The database broke.
    #[error(transparent)]
    Store(StoreError),
}

fn in_one_line(problems: &[BadSetting]) -> String {
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// Adds one to a project.
pub async fn add(
    app: &App,
    actor: &Actor,
    project: ProjectId,
    settings: CiConfigSettings,
) -> Result<CiConfig, ChangeError> {
    check(&settings)?;
    let limit = app.config.limits.ci_configs_per_project;
    let added = app
        .store
        .add_ci_config(project, settings, limit, clock::now())
        .await;
    let config = added.map_err(|error| refused(error, limit))?;
    tell(app, actor, "ci_config_created", &config).await;
    Ok(config)
}

/// Sets one anew.
pub async fn update(
    app: &App,
    actor: &Actor,
    id: CiConfigId,
    settings: CiConfigSettings,
) -> Result<CiConfig, ChangeError> {
    check(&settings)?;
    let updated = app.store.update_ci_config(id, settings, clock::now()).await;
    let config = updated
        .map_err(|error| refused(error, 0))?
        .ok_or(ChangeError::NotFound)?;
    tell(app, actor, "ci_config_updated", &config).await;
    Ok(config)
}

/// Removes one and what was uploaded under it; its runs stay.
pub async fn remove(app: &App, actor: &Actor, config: &CiConfig) -> Result<(), ChangeError> {
    let removed = app.store.delete_ci_config(config.id, clock::now()).await;
    if !removed.map_err(|error| refused(error, 0))? {
        return Err(ChangeError::NotFound);
    }
    let uploads = app.delete_dbt_uploads(config.id).await;
    uploads.map_err(ChangeError::Store)?;
    tell(app, actor, "ci_config_removed", config).await;
    Ok(())
}

fn check(settings: &CiConfigSettings) -> Result<(), ChangeError> {
    let problems = problems(settings);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ChangeError::Settings(problems))
    }
}

fn refused(error: StoreError, limit: u64) -> ChangeError {
    match error {
        StoreError::Taken { field: "name" } => ChangeError::Settings(vec![BadSetting {
            field: "name",
            message: "another CI config of the project has this name".to_owned(),
        }]),
        StoreError::Taken { field: "limit" } => ChangeError::TooMany(limit),
        StoreError::Taken { field: "last" } => ChangeError::Last,
        other => ChangeError::Store(other),
    }
}

async fn tell(app: &App, actor: &Actor, action: &str, config: &CiConfig) {
    let entry = Entry::new(action, Some(actor.user))
        .credential(actor.credential.as_str())
        .project(config.project_id)
        .details(json!({ "ci_config_id": config.id, "settings": config.settings }));
    app.audit(entry).await;
}
