//! Settings of a project for CI: its CI configs, with forms to add, change and
//! remove them.

use std::str::FromStr;

use askama::Template;
use axum::body::Body;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use tappet_store::{CiConfig, CiConfigSettings, Project};

use super::address::CiConfigChange;
use super::problem::{PageResult, Problem};
use super::visit::{Frame, Visit, html};
use crate::ci_configs::{self, Actor, ChangeError};

/// Bytes of a form that are read.
const FORM_LIMIT: usize = 64 * 1024;

#[derive(Template)]
#[template(path = "ci_settings.html")]
struct CiSettingsPage {
    frame: Frame,
    project: String,
    configs: Vec<ConfigForm>,
    new: ConfigForm,
    /// The only one cannot be removed.
    can_remove: bool,
    complaint: Option<String>,
    /// For the example.
    server: String,
}

/// A CI config as its form shows it.
struct ConfigForm {
    /// None for the one to be added.
    id: Option<i64>,
    is_open: bool,
    settings: CiConfigSettings,
    /// One a line.
    pipeline_files: String,
    /// One a line.
    ignored_files: String,
}

impl ConfigForm {
    fn new(id: Option<i64>, settings: CiConfigSettings, is_open: bool) -> Self {
        Self {
            id,
            is_open,
            pipeline_files: settings.pipeline_files.join("\n"),
            ignored_files: settings.ignored_files.join("\n"),
            settings,
        }
    }

    fn of(config: CiConfig) -> Self {
        Self::new(Some(config.id.0), config.settings, false)
    }

    fn blank() -> Self {
        let settings = CiConfigSettings {
            name: String::new(),
            ..CiConfigSettings::default()
        };
        Self::new(None, settings, false)
    }
}

/// `GET /:project/-/settings/ci_cd`.
pub async fn page(visit: &Visit, project: Project) -> PageResult<Response> {
    let configs = open(visit, &project).await?;
    let configs = configs.into_iter().map(ConfigForm::of).collect();
    html(&filled(visit, &project, configs, ConfigForm::blank(), None))
}

/// `POST /:project/-/settings/ci_configs…`.
pub async fn change(
    visit: &Visit,
    project: &str,
    change: CiConfigChange,
    body: Body,
) -> PageResult<Response> {
    let project = visit.project(project).await?;
    let configs = open(visit, &project).await?;
    let user = visit.user.as_ref().ok_or(Problem::SignInFirst)?;
    let actor = Actor {
        user: user.id,
        credential: format!("user:{}", user.id),
    };
    let settings = read(body).await?;
    let one = |id| configs.iter().find(|config| config.id == id);
    let app = &visit.app;
    let outcome = match change {
        CiConfigChange::Add => ci_configs::add(app, &actor, project.id, settings.clone())
            .await
            .map(|config| Some(config.id)),
        CiConfigChange::Update(id) => {
            one(id).ok_or(Problem::NotFound)?;
            ci_configs::update(app, &actor, id, settings.clone())
                .await
                .map(|config| Some(config.id))
        }
        CiConfigChange::Remove(id) => {
            let config = one(id).ok_or(Problem::NotFound)?;
            ci_configs::remove(app, &actor, config).await.map(|()| None)
        }
    };
    let complaint = match outcome {
        Ok(changed) => {
            let anchor =
                changed.map_or_else(|| "ci-configs".to_owned(), |id| format!("ci-config-{id}"));
            let page = format!("/{}/-/settings/ci_cd#{anchor}", project.path);
            return Ok(Redirect::to(&visit.path(&page)).into_response());
        }
        Err(ChangeError::NotFound) => return Err(Problem::NotFound),
        Err(ChangeError::Store(error)) => return Err(error.into()),
        Err(refused) => refused.to_string(),
    };
    let mut forms: Vec<_> = configs.into_iter().map(ConfigForm::of).collect();
    let mut new = ConfigForm::blank();
    match change {
        CiConfigChange::Add => new = ConfigForm::new(None, settings, true),
        CiConfigChange::Update(id) => {
            let again = forms.iter_mut().find(|form| form.id == Some(id.0));
            if let Some(form) = again {
                *form = ConfigForm::new(Some(id.0), settings, true);
            }
        }
        CiConfigChange::Remove(_) => {}
    }
    let page = html(&filled(visit, &project, forms, new, Some(complaint)))?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// The CI configs, for those who may change them.
async fn open(visit: &Visit, project: &Project) -> PageResult<Vec<CiConfig>> {
    if visit.user.is_none() {
        return Err(Problem::SignInFirst);
    }
    if !visit.may_manage(project).await? {
        return Err(Problem::MayNot);
    }
    Ok(visit.app.store.ci_configs(project.id).await?)
}

fn filled(
    visit: &Visit,
    project: &Project,
    configs: Vec<ConfigForm>,
    new: ConfigForm,
    complaint: Option<String>,
) -> CiSettingsPage {
    CiSettingsPage {
        frame: visit.frame(format!("CI/CD settings · {}", project.path)),
        project: project.path.clone(),
        can_remove: configs.len() > 1,
        configs,
        new,
        complaint,
        server: visit.app.config.url(""),
    }
}

/// The settings of a form. Boxes that are not ticked are not sent.
async fn read(body: Body) -> PageResult<CiConfigSettings> {
    let form = axum::body::to_bytes(body, FORM_LIMIT)
        .await
        .map_err(|_| Problem::BadForm {
            reason: "it is too long or was cut off",
        })?;
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&form).into_owned().collect();
    let text = |name: &str| {
        let field = fields.iter().find(|(field, _)| field == name);
        field.map_or("", |(_, value)| value.trim()).to_owned()
    };
    let filled = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
    let lines = |name: &str| -> Vec<String> {
        let text = text(name);
        let lines = text.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let ticked = |name: &str| bool::from_str(&text(name)).unwrap_or(false);
    Ok(CiConfigSettings {
        name: text("name"),
        pipeline_files: lines("pipeline_files"),
        base_branch: filled("base_branch"),
        ignored_files: lines("ignored_files"),
        label: filled("label"),
        cancels_superseded: ticked("cancels_superseded"),
        status_name: text("status_name"),
        reports_jobs: ticked("reports_jobs"),
        comments: ticked("comments"),
        fails_check_on_errors: ticked("fails_check_on_errors"),
        expects_diffs: ticked("expects_diffs"),
    })
}
