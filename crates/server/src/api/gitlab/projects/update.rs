//! `PUT /projects/:id`: names and settings.

use std::borrow::Cow;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use tappet_store::{Project as ProjectRecord, ProjectChange, StoreError};

use super::attributes::{self, Visibility, checked_branch, checked_description, checked_name};
use super::ci_settings::CiSettings;
use super::path::{checked_path, taken};
use super::shown;
use crate::api::gitlab::access::{self, Login};
use crate::api::gitlab::auth::JobTokens;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::project::Project;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::params::Checks;
use crate::api::operation::{self, Operation, boolean, one_of, text};
use crate::app::SharedApp;
use crate::audit::Entry;
use crate::clock;
use crate::rights::Right;

/// Where the default pipeline file is (GitLab: an empty `ci_config_path`).
const CONFIG_PATH: &str = ".gitlab-ci.yml";

/// Parameters of which one must be there.
const PARAMETERS: [&str; 17] = [
    "auto_cancel_pending_pipelines",
    "build_timeout",
    "builds_access_level",
    "ci_config_path",
    "ci_job_token_scope_enabled",
    "ci_pipeline_variables_minimum_override_role",
    "default_branch",
    "description",
    "import_url",
    "jobs_enabled",
    "keep_latest_artifact",
    "name",
    "path",
    "public_builds",
    "public_jobs",
    "restrict_user_defined_variables",
    "visibility",
];

/// What `PUT /projects/:id` takes and gives.
pub fn operation() -> Operation {
    let named = operation::put("/projects/{id}")
        .id("updateProject")
        .about("Changes names and settings of a project.")
        .body(text("name"))
        .body(text("path").about("The last part, or the full path. The old one leads on."))
        .body(text("description"))
        .body(text("default_branch"))
        .body(text("import_url"));
    attributes::with_settings(named)
        .body(one_of("auto_cancel_pending_pipelines", &["disabled"]))
        .body(boolean("ci_job_token_scope_enabled"))
        .replies::<Project<'_>>(StatusCode::OK)
}

/// `PUT /projects/:id`.
pub async fn update(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let asked = Asked::read(&mut checks);
    let (login, jobs) = (Login::Required, JobTokens::Ignored);
    let access = access::open_checked(&app, &call, login, jobs, checks.finish()).await?;
    access.require(Right::ManageProject)?;
    if asked.is_for_owners(&access.project) {
        access.require(Right::AdministerProject)?;
    }
    attributes::refuse_unsupported(&call)?;
    let mut change = asked.change(&access.project)?;
    if let Some(address) = asked.import_url.as_deref() {
        if !access.standing.is_admin {
            return Err(ApiError::forbidden());
        }
        let checked = app.repositories.check(address).await;
        let (source, _) = checked.map_err(|message| ApiError::invalid("import_url", message))?;
        change.source = Some(source);
    }
    let details = details(&access.project, &change);
    let project = match app
        .store
        .update_project(access.project.id, change, clock::now())
        .await
    {
        Err(StoreError::Taken { .. }) => return Err(taken()),
        other => other?,
    };
    let entry = Entry::new("project_updated", access.standing.user_id)
        .credential(access.caller.credential())
        .project(project.id)
        .details(details);
    app.audit(entry).await;
    Ok(axum::Json(shown(&app, &access, &project).await).into_response())
}

struct Asked<'a> {
    name: Option<Cow<'a, str>>,
    path: Option<Cow<'a, str>>,
    description: Option<Cow<'a, str>>,
    default_branch: Option<Cow<'a, str>>,
    import_url: Option<Cow<'a, str>>,
    visibility: Option<Visibility>,
    ci: CiSettings,
}

impl<'a> Asked<'a> {
    fn read(checks: &mut Checks<'a>) -> Self {
        let asked = Self {
            name: checks.text("name"),
            path: checks.filled_text("path"),
            description: checks.text("description"),
            default_branch: checks.text("default_branch"),
            import_url: checks.filled_text("import_url"),
            visibility: checks.one_of("visibility"),
            ci: CiSettings::read(checks),
        };
        if !PARAMETERS.iter().any(|name| checks.names(name)) {
            checks.refuse(format!(
                "{} are missing, at least one parameter must be provided",
                PARAMETERS.join(", ")
            ));
        }
        asked
    }

    /// Who sees a project and where it is found is for owners to say.
    fn is_for_owners(&self, project: &ProjectRecord) -> bool {
        let name = self
            .name
            .as_deref()
            .is_some_and(|name| name != project.name);
        let visibility = self
            .visibility
            .is_some_and(|visibility| visibility.as_str() != project.visibility);
        name || visibility || self.path.is_some()
    }

    fn change(&self, project: &ProjectRecord) -> ApiResult<ProjectChange> {
        self.ci.validate()?;
        let path = self.path.as_deref().map(|path| beside(project, path));
        let config_path = self.ci.config_path.clone().map(|path| {
            if path.is_empty() {
                CONFIG_PATH.to_owned()
            } else {
                path
            }
        });
        let default_branch = match self.default_branch.as_deref() {
            Some("") => Some(None),
            Some(branch) => Some(Some(checked_branch(branch)?)),
            None => None,
        };
        Ok(ProjectChange {
            path: path.map(checked_path).transpose()?,
            name: self.name.as_deref().map(checked_name).transpose()?,
            description: self
                .description
                .as_deref()
                .map(checked_description)
                .transpose()?,
            source: None,
            default_branch,
            visibility: self
                .visibility
                .map(|visibility| visibility.as_str().to_owned()),
            ci_config_path: config_path,
            timeout_s: self
                .ci
                .timeout_s
                .and_then(|seconds| seconds.try_into().ok()),
            settings: Some(self.ci.applied_to(project.settings.clone())),
        })
    }
}

/// One part alone stays in the namespace of the project.
fn beside(project: &ProjectRecord, path: &str) -> String {
    match project.path.rsplit_once('/') {
        Some((namespace, _)) if !path.contains('/') => format!("{namespace}/{path}"),
        _ => path.to_owned(),
    }
}

/// For the audit log: what is new. An address may hold a password.
fn details(before: &ProjectRecord, change: &ProjectChange) -> Value {
    let mut details = serde_json::Map::new();
    let mut note = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            details.insert(name.to_owned(), value);
        }
    };
    note("path", change.path.as_ref().map(|path| json!(path)));
    note("name", change.name.as_ref().map(|name| json!(name)));
    note(
        "visibility",
        change.visibility.as_ref().map(|word| json!(word)),
    );
    note(
        "default_branch",
        change.default_branch.as_ref().map(|branch| json!(branch)),
    );
    note(
        "ci_config_path",
        change.ci_config_path.as_ref().map(|path| json!(path)),
    );
    note(
        "build_timeout",
        change.timeout_s.map(|seconds| json!(seconds)),
    );
    note(
        "import_url",
        change.source.as_ref().map(|_| json!("changed")),
    );
    let settings = change.settings.as_ref();
    note(
        "settings",
        settings
            .filter(|settings| **settings != before.settings)
            .map(|settings| json!(settings)),
    );
    Value::Object(details)
}
