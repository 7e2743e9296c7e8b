//! CI configs of projects: `GET` and `POST /api/v1/ci?project=…`, `GET`, `PATCH` and
//! `DELETE /api/v1/ci/{ci_config_id}`. Datafold keeps these calls to its pages; the
//! shapes are ours.

mod settings;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use tappet_model::ProjectId;
use tappet_store::{CiConfig, CiConfigSettings, Project};
use utoipa::ToSchema;

use super::access::{Access, open_config, visible};
use super::call::{Call, Head};
use super::caller::{Caller, Reach, identify};
use super::json::Json as Sent;
use super::refusal::{Refused, Reply};
use super::validation::{Checks, Fields, Place, Problem};
use crate::api::operation::{self, Operation, boolean, text, texts};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::ci_configs::{self, Actor, ChangeError};
use crate::rights::Right;

/// Characters of a project's path or number.
const LONGEST_PROJECT: usize = 1024;

/// The routes.
pub fn routes() -> Routes {
    let project = || text("project").required().about("Number or full path.");
    Routes::under("/api/v1/ci")
        .add(
            operation::get("")
                .id("listCiConfigs")
                .about("Lists the CI configs of a project, the oldest first.")
                .query(project())
                .replies_list::<ShownConfig>(StatusCode::OK),
            list,
        )
        .add(
            with_settings(
                operation::post("").body(text("name").required().about("Unique in the project.")),
            )
            .id("createCiConfig")
            .about("Adds a CI config to a project.")
            .query(project())
            .replies::<ShownConfig>(StatusCode::CREATED),
            create,
        )
        .add(
            operation::get("/{ci_config_id}")
                .id("showCiConfig")
                .about("Shows a CI config.")
                .replies::<ShownConfig>(StatusCode::OK),
            show,
        )
        .add(
            with_settings(
                operation::patch("/{ci_config_id}")
                    .body(text("name").about("Unique in the project.")),
            )
            .id("updateCiConfig")
            .about("Changes a CI config; what is not given stays as it is.")
            .replies::<ShownConfig>(StatusCode::OK),
            update,
        )
        .add(
            operation::delete("/{ci_config_id}")
                .id("deleteCiConfig")
                .about("Removes a CI config; its runs stay, and so does the last one of a project.")
                .reply(StatusCode::NO_CONTENT, operation::Shape::Empty),
            delete,
        )
}

fn with_settings(operation: Operation) -> Operation {
    operation
        .json_only()
        .body(
            texts("pipeline_files")
                .about("One pipeline file, or workflows; empty: the project's own."),
        )
        .body(
            text("base_branch")
                .about("Pull requests into this branch only, when a forge tells of them."),
        )
        .body(texts("ignored_files").about("Patterns of files whose changes alone start no run."))
        .body(text("label").about("Pull requests that a forge tells of wait for this label."))
        .body(boolean("cancels_superseded").about("A newer commit cancels runs of older ones."))
        .body(text("status_name").about("Name of the status at the commit."))
        .body(boolean("reports_jobs").about("Every job has a status at the commit, too."))
        .body(boolean("comments").about("The outcome is told in a comment."))
        .body(boolean("fails_check_on_errors").about("A failed run marks the commit as failed."))
        .body(boolean("expects_diffs").about("Runs wait for pairs of tables."))
}

/// A CI config as people see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ShownConfig {
    id: i64,
    project_id: i64,
    project: String,
    name: String,
    pipeline_files: Vec<String>,
    base_branch: Option<String>,
    ignored_files: Vec<String>,
    label: Option<String>,
    cancels_superseded: bool,
    status_name: String,
    reports_jobs: bool,
    comments: bool,
    fails_check_on_errors: bool,
    expects_diffs: bool,
    created_at: String,
    updated_at: String,
}

impl ShownConfig {
    fn of(config: CiConfig, project: &Project) -> Self {
        let settings = config.settings;
        Self {
            id: config.id.0,
            project_id: config.project_id.0,
            project: project.path.clone(),
            name: settings.name,
            pipeline_files: settings.pipeline_files,
            base_branch: settings.base_branch,
            ignored_files: settings.ignored_files,
            label: settings.label,
            cancels_superseded: settings.cancels_superseded,
            status_name: settings.status_name,
            reports_jobs: settings.reports_jobs,
            comments: settings.comments,
            fails_check_on_errors: settings.fails_check_on_errors,
            expects_diffs: settings.expects_diffs,
            created_at: config.created_at.to_string(),
            updated_at: config.updated_at.to_string(),
        }
    }
}

async fn list(State(app): State<SharedApp>, head: Head) -> Reply<Json<Vec<ShownConfig>>> {
    let caller = identify(&app, &head, Reach::Reads).await?;
    let mut checks = Checks::default();
    let project = asked_project(&head, &mut checks);
    checks.finish()?;
    let access = open_project(&app, &caller, &project).await?;
    access.require(Right::ReadPipelines)?;
    let configs = app.store.ci_configs(access.project.id).await?;
    let shown = configs
        .into_iter()
        .map(|config| ShownConfig::of(config, &access.project));
    Ok(Json(shown.collect()))
}

async fn create(
    State(app): State<SharedApp>,
    call: Call,
) -> Reply<(StatusCode, Json<ShownConfig>)> {
    let caller = identify(&app, &call, Reach::Writes).await?;
    let sent = call.sent()?;
    let mut checks = Checks::default();
    let project = asked_project(&call, &mut checks);
    let fields = sent.object(&mut checks);
    fields.required(&mut checks, "name");
    let settings = settings::read(&mut checks, &fields, CiConfigSettings::default());
    checks.finish()?;
    let access = open_project(&app, &caller, &project).await?;
    access.require(Right::ManageProject)?;
    let added = ci_configs::add(&app, &actor(&caller), access.project.id, settings).await;
    let config = added.map_err(|error| refused(error, &fields))?;
    let shown = ShownConfig::of(config, &access.project);
    Ok((StatusCode::CREATED, Json(shown)))
}

async fn show(State(app): State<SharedApp>, head: Head) -> Reply<Json<ShownConfig>> {
    let caller = identify(&app, &head, Reach::Reads).await?;
    let (access, config) = opened(&app, &caller, &head).await?;
    access.require(Right::ReadPipelines)?;
    Ok(Json(ShownConfig::of(config, &access.project)))
}

async fn update(State(app): State<SharedApp>, call: Call) -> Reply<Json<ShownConfig>> {
    let caller = identify(&app, &call, Reach::Writes).await?;
    let sent = call.sent()?;
    let (access, config) = opened(&app, &caller, &call).await?;
    access.require(Right::ManageProject)?;
    let mut checks = Checks::default();
    let fields = sent.object(&mut checks);
    let settings = settings::read(&mut checks, &fields, config.settings);
    checks.finish()?;
    let updated = ci_configs::update(&app, &actor(&caller), config.id, settings).await;
    let config = updated.map_err(|error| refused(error, &fields))?;
    Ok(Json(ShownConfig::of(config, &access.project)))
}

async fn delete(State(app): State<SharedApp>, head: Head) -> Reply<StatusCode> {
    let caller = identify(&app, &head, Reach::Writes).await?;
    let (access, config) = opened(&app, &caller, &head).await?;
    access.require(Right::ManageProject)?;
    let removed = ci_configs::remove(&app, &actor(&caller), &config).await;
    removed.map_err(|error| refused(error, &Fields::none()))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn opened(app: &App, caller: &Caller, head: &Head) -> Reply<(Access, CiConfig)> {
    let mut checks = Checks::default();
    let id = head.path_integer(&mut checks, "ci_config_id");
    checks.finish()?;
    open_config(app, caller, &id).await
}

/// The parameter `project`.
fn asked_project(head: &Head, checks: &mut Checks) -> String {
    let place = Place::query("project");
    match head.query("project") {
        Some(value) => checks.filled_text(place, &value, LONGEST_PROJECT),
        None => {
            checks.missing(place);
            String::new()
        }
    }
}

async fn open_project(app: &App, caller: &Caller, name: &str) -> Reply<Access> {
    let id = match name.parse() {
        Ok(id) => Some(ProjectId(id)),
        Err(_) => {
            let project = app.store.project_by_path(name).await?;
            project.map(|project| project.id)
        }
    };
    let access = match id {
        Some(id) => visible(app, caller, id).await?,
        None => None,
    };
    access.ok_or_else(|| Refused::missing("Project"))
}

/// Why nothing was changed; of settings that will not do, what was sent.
fn refused(error: ChangeError, fields: &Fields<'_>) -> Refused {
    match error {
        ChangeError::Settings(problems) => {
            let problems = problems.into_iter().map(|bad| {
                let value = fields.get(bad.field).unwrap_or(&Sent::Null);
                Problem::value(fields.place(bad.field), bad.message, value)
            });
            Refused::invalid(problems.collect())
        }
        ChangeError::Last => Refused::conflict(error.to_string()),
        ChangeError::TooMany(_) => {
            Refused::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
        }
        ChangeError::NotFound => Refused::missing("CI config"),
        ChangeError::Store(error) => error.into(),
    }
}

fn actor(caller: &Caller) -> Actor {
    Actor {
        user: caller.user.id,
        credential: caller.credential(),
    }
}
