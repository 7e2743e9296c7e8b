//! Archiving a project and removing it.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tappet_engine::RunEvent;
use tappet_store::{Action, ProjectChange, StoreError, Target};
use utoipa::ToSchema;

use super::shown;
use crate::api::gitlab::BASE;
use crate::api::gitlab::access::{self, Access, Login};
use crate::api::gitlab::auth::JobTokens;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::project::Project;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::operation;
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::audit::Entry;
use crate::clock;
use crate::rights::Right;

/// The answer to what goes on after it.
#[derive(serde::Serialize, ToSchema)]
struct Accepted {
    message: &'static str,
}

/// Archive, unarchive, delete.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::post("/projects/{id}/archive")
                .id("archiveProject")
                .about("Stops everything new in a project; what is there stays readable.")
                .replies::<Project<'_>>(StatusCode::CREATED),
            archive,
        )
        .add(
            operation::post("/projects/{id}/unarchive")
                .id("unarchiveProject")
                .about("Takes a project back into use.")
                .replies::<Project<'_>>(StatusCode::CREATED),
            unarchive,
        )
        .add(
            operation::delete("/projects/{id}")
                .id("deleteProject")
                .about("Cancels what runs and removes the project with all it has.")
                .replies::<Accepted>(StatusCode::ACCEPTED),
            delete,
        )
}

async fn open(app: &SharedApp, call: &Call) -> ApiResult<Access> {
    let access = access::open_project(app, call, Login::Required, JobTokens::Ignored).await?;
    access.require(Right::AdministerProject)?;
    Ok(access)
}

/// `POST /projects/:id/archive`.
pub async fn archive(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    set_archived(&app, &call, true).await
}

/// `POST /projects/:id/unarchive`.
pub async fn unarchive(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    set_archived(&app, &call, false).await
}

async fn set_archived(app: &SharedApp, call: &Call, is_archived: bool) -> ApiResult<Response> {
    let access = open(app, call).await?;
    let mut settings = access.project.settings.clone();
    settings.is_archived = is_archived;
    let change = ProjectChange {
        settings: Some(settings),
        ..ProjectChange::default()
    };
    let project = app
        .store
        .update_project(access.project.id, change, clock::now())
        .await?;
    let action = if is_archived {
        "project_archived"
    } else {
        "project_unarchived"
    };
    let entry = Entry::new(action, access.standing.user_id)
        .credential(access.caller.credential())
        .project(project.id);
    app.audit(entry).await;
    let shown = shown(app, &access, &project).await;
    Ok((StatusCode::CREATED, axum::Json(shown)).into_response())
}

/// `DELETE /projects/:id`. Out of sight first, so that nothing new starts; then
/// what runs is canceled. Logs and artifacts follow in the background.
pub async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call).await?;
    let project = &access.project;
    if !app.store.delete_project(project.id, clock::now()).await? {
        return Err(ApiError::missing("Project"));
    }
    for run in app.store.unfinished_runs_in(project.id).await? {
        let cancel = app.act(Target::Run(run), Action::Run(RunEvent::Cancel));
        match cancel.await {
            Ok(_) | Err(StoreError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let entry = Entry::new("project_deleted", access.standing.user_id)
        .credential(access.caller.credential())
        .project(project.id)
        .details(json!({ "path": project.path }));
    app.audit(entry).await;
    tokio::spawn(crate::project_removal::purge(app.clone()));
    let accepted = Accepted {
        message: "202 Accepted",
    };
    Ok((StatusCode::ACCEPTED, axum::Json(accepted)).into_response())
}
