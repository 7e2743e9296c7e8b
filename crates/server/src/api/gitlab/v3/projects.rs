//! Projects, of which old scripts want the ids (GitLab: `lib/api/v3/projects.rb`).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_store::{ProjectFilter, ProjectOrder};

use super::BASE;
use super::entities::Project;
use crate::api::gitlab::access::{self, Login};
use crate::api::gitlab::auth::{self, JobTokens};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::ApiResult;
use crate::api::gitlab::pagination::{self, Pages};
use crate::api::operation::{self, Audience, boolean, text};
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::clock;
use crate::rights::{self, Role};

/// Projects.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects")
                .id("v3ListProjects")
                .about("Lists the projects that the caller belongs to.")
                .query(text("search").about("A part of path, name or description."))
                .query(boolean("archived"))
                .paged()
                .replies_list::<Project<'_>>(StatusCode::OK),
            list,
        )
        .add(
            operation::get("/projects/{id}")
                .id("v3GetProject")
                .about("Shows a project.")
                .audience(Audience::Visitor)
                .replies::<Project<'_>>(StatusCode::OK),
            get,
        )
}

async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let caller = auth::authenticate(&app, &call, JobTokens::Ignored).await?;
    let user = caller.require_user()?;
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let filter = ProjectFilter {
        viewer: rights::viewer(Some(user)),
        member: (!user.is_admin).then_some((user.id, Role::Guest.level())),
        search: checks
            .filled_text("search")
            .map(std::borrow::Cow::into_owned),
        visibility: None,
        is_archived: checks.boolean("archived"),
        id_after: None,
        id_before: None,
        order_by: ProjectOrder::default(),
        ascending: false,
    };
    checks.finish()?;
    let listing = app
        .store
        .visible_projects(filter, clock::now(), page)
        .await?;
    let mut shown = Vec::with_capacity(listing.items.len());
    for project in &listing.items {
        let role = app.standing(Some(user), project).await?.effective_role();
        let branch = app.repositories.default_branch_at_hand(project).await;
        shown.push(Project::of(&app.config, project, branch, role));
    }
    let pages = Pages::of(page, &listing);
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &shown))
}

async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = access::open_project(&app, &call, Login::Optional, JobTokens::Ignored).await?;
    let project = &access.project;
    let branch = match app.repositories.of(project).await {
        Ok(repository) => app.repositories.default_branch(project, &repository).await,
        Err(_) => project.default_branch.clone(),
    };
    let role = access.standing.effective_role();
    let shown = Project::of(&app.config, project, branch, role);
    Ok(axum::Json(shown).into_response())
}
