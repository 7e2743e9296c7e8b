//! Secrets and variables of workflows: which values a job gets for the contexts
//! `secrets` and `vars`, and what people do with them.
//!
//! A setting has variants that apply in different places; [`rank`] decides which
//! one a job gets, without looking at anything else. Values are kept encrypted.

mod change;
mod glob;
mod name;
mod rank;
mod read;
mod rights;
mod show;

use tappet_model::ProjectId;
use tappet_store::{SettingKind, StoreError, WorkflowSetting, WorkflowVariant};

use crate::app::App;
use crate::secrets::{Secrets, UnsealError};
use crate::settings_variables::SettingsError;

pub use change::{Actor, Given};
pub use rank::{Context, Resolution};
pub use read::Place;
pub use show::{Filter, ShownSetting, ShownVariant};

/// What a sealed value is bound to.
pub const SEAL_CONTEXT: &str = "workflow-setting";

/// What one job gets, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JobSettings {
    /// For the context `secrets`; none of them may be shown.
    pub secrets: Vec<(String, String)>,
    /// For the context `vars`.
    pub vars: Vec<(String, String)>,
}

/// Why something was not done with a secret or variable. Nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// What was sent cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// It does not exist, or not for the caller.
    #[error("{0}")]
    NotFound(String),
    /// It exists already.
    #[error("{0}")]
    Taken(String),
    /// The caller may look, but not do.
    #[error("{0}")]
    MayNot(String),
    /// A value that cannot be opened, or a database that cannot serve.
    #[error(transparent)]
    Broken(#[from] SettingsError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Broken(error.into())
    }
}

impl App {
    /// What a job gets. `branch` is the name of the branch that it runs for, none
    /// for tags; `workflow` the path of its file, none for inline text. One read of
    /// the store.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub async fn workflow_settings(
        &self,
        project: ProjectId,
        branch: Option<&str>,
        workflow: Option<&str>,
        environment: Option<&str>,
    ) -> Result<JobSettings, SettingsError> {
        let context = Context::of_job(project, branch, workflow, environment);
        let mut job = JobSettings::default();
        for setting in self.store.workflow_settings(None).await? {
            let Some(variant) = rank::winner(&setting.variants, &context) else {
                continue;
            };
            let value = open(&self.secrets, &setting, variant)?;
            let values = match setting.kind {
                SettingKind::Secret => &mut job.secrets,
                SettingKind::Variable => &mut job.vars,
            };
            values.push((setting.name, value));
        }
        Ok(job)
    }
}

/// Encrypts a value for the store.
fn seal(secrets: &Secrets, value: &str) -> Vec<u8> {
    secrets.seal(value.as_bytes(), SEAL_CONTEXT)
}

fn open(
    secrets: &Secrets,
    setting: &WorkflowSetting,
    variant: &WorkflowVariant,
) -> Result<String, SettingsError> {
    let plain = secrets.unseal(&variant.sealed_value, SEAL_CONTEXT);
    let text = plain.and_then(|plain| String::from_utf8(plain).map_err(|_| UnsealError::Format));
    text.map_err(|_| SettingsError::Sealed {
        key: setting.name.clone(),
    })
}

/// The word for it.
pub fn kind_word(kind: SettingKind) -> &'static str {
    match kind {
        SettingKind::Secret => "secret",
        SettingKind::Variable => "variable",
    }
}
