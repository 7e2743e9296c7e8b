//! Projects (GitLab: `lib/api/projects.rb`): get here, everything else in files
//! of its own.

mod attributes;
mod ci_settings;
mod create;
mod lifecycle;
mod list;
mod path;
mod update;

pub use path::is_reserved;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_store::{Project as ProjectRecord, RepositorySource};

use super::BASE;
use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::entities::project::{Project, RepositoryFacts};
use super::errors::ApiResult;
use crate::api::operation::{self, Audience};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};

/// Projects and their settings.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(list::operation(), list::list)
        .add(create::operation(), create::create)
        .add(
            operation::get("/projects/{id}")
                .id("getProject")
                .about("Shows a project with its settings.")
                .audience(Audience::Visitor)
                .replies::<Project<'_>>(StatusCode::OK),
            get,
        )
        .add(update::operation(), update::update)
        .and(lifecycle::routes())
}

/// `GET /projects/:id`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = access::open_project(&app, &call, Login::Optional, JobTokens::Ignored).await?;
    Ok(axum::Json(&shown(&app, &access, &access.project).await).into_response())
}

/// A project as the caller sees it; `project` is newer than that of `access` when
/// the call changed it.
async fn shown<'a>(app: &App, access: &Access, project: &'a ProjectRecord) -> Project<'a> {
    let facts = facts(app, project).await;
    Project::of(
        &app.config,
        project,
        facts,
        access.standing.effective_role(),
    )
}

/// Default branch and emptiness; a repository that cannot be read now hides
/// nothing else of its project.
async fn facts(app: &App, project: &ProjectRecord) -> RepositoryFacts {
    let Ok(repository) = app.repositories.of(project).await else {
        return RepositoryFacts {
            default_branch: project.default_branch.clone(),
            is_empty: false,
        };
    };
    // A mirror is filled ref by ref, so its emptiness says nothing.
    let is_local = matches!(project.source, RepositorySource::Local(_));
    let is_empty = is_local && repository.is_empty().await.unwrap_or(false);
    RepositoryFacts {
        default_branch: app.repositories.default_branch(project, &repository).await,
        is_empty,
    }
}
