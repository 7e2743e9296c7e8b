//! Which projects' job tokens count in a project
//! (GitLab: `lib/api/project_job_token_scope.rb`).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use tappet_model::ProjectId;
use tappet_store::{GrantOutcome, JobTokenGrant, Project as ProjectRecord};
use utoipa::ToSchema;

use super::BASE;
use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::entities::project::{BasicProject, Project, RepositoryFacts};
use super::errors::{ApiError, ApiResult};
use super::pagination::{self, Pages};
use crate::api::operation::{self, Shape, boolean, integer};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::audit::Entry;
use crate::clock;
use crate::rights::Right;

/// GitLab's limit of projects on one list.
const MAX_GRANTS: u64 = 200;

/// Whether only listed projects' job tokens count.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
struct Scope {
    inbound_enabled: bool,
    outbound_enabled: bool,
}

/// One project on the list of another.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
struct Link {
    source_project_id: i64,
    target_project_id: i64,
}

/// The scope of job tokens.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/job_token_scope")
                .id("getJobTokenScope")
                .about("Tells whether only listed projects' job tokens count here.")
                .replies::<Scope>(StatusCode::OK),
            get,
        )
        .add(
            operation::patch("/projects/{id}/job_token_scope")
                .id("setJobTokenScope")
                .about("Says whether only listed projects' job tokens count here.")
                .body(boolean("enabled").required())
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            set,
        )
        .add(
            operation::get("/projects/{id}/job_token_scope/allowlist")
                .id("listJobTokenProjects")
                .about("Lists the projects whose job tokens count here, this one first of all.")
                .paged()
                .replies_list::<BasicProject<'_>>(StatusCode::OK),
            list,
        )
        .add(
            operation::post("/projects/{id}/job_token_scope/allowlist")
                .id("addJobTokenProject")
                .about("Lets the job tokens of another project count here.")
                .body(integer("target_project_id").required())
                .replies::<Link>(StatusCode::CREATED),
            add,
        )
        .add(
            operation::delete("/projects/{id}/job_token_scope/allowlist/{target_project_id}")
                .id("removeJobTokenProject")
                .about("Lets the job tokens of another project no longer count here.")
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            remove,
        )
}

async fn open(app: &SharedApp, call: &Call, checked: ApiResult<()>) -> ApiResult<Access> {
    let (login, jobs) = (Login::Required, JobTokens::Ignored);
    let access = access::open_checked(app, call, login, jobs, checked).await?;
    access.require(Right::ManageProject)?;
    Ok(access)
}

async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let scope = Scope {
        inbound_enabled: !app
            .store
            .has_open_job_token_scope(access.project.id)
            .await?,
        outbound_enabled: false,
    };
    Ok(axum::Json(scope).into_response())
}

async fn set(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let is_limited = checks.required_boolean("enabled");
    let access = open(&app, &call, checks.finish()).await?;
    app.store
        .set_job_token_scope(access.project.id, !is_limited)
        .await?;
    let actor = access.caller.user.as_ref().map(|user| user.id);
    let entry = Entry::new("job_token_scope_changed", actor)
        .credential(access.caller.credential())
        .project(access.project.id)
        .details(json!({ "is_limited": is_limited }));
    app.audit(entry).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let access = open(&app, &call, checks.finish()).await?;
    let listing = app.store.job_token_sources(access.project.id, page).await?;
    let mut shown = Vec::with_capacity(listing.items.len());
    for project in &listing.items {
        let facts = RepositoryFacts {
            default_branch: app.repositories.default_branch_at_hand(project).await,
            is_empty: false,
        };
        shown.push(Project::of(&app.config, project, facts, None).basic());
    }
    let pages = Pages::of(page, &listing);
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &shown))
}

async fn add(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let target = checks.required_integer("target_project_id");
    let access = open(&app, &call, checks.finish()).await?;
    let target = visible(&app, &access, ProjectId(target)).await?;
    if target.id == access.project.id {
        return Err(ApiError::bad_request(
            "Validation failed: Target project can't be the same as the source project",
        ));
    }
    let grant = JobTokenGrant {
        project_id: access.project.id,
        source_id: target.id,
        added_by: access.caller.user.as_ref().map(|user| user.id),
        limit: MAX_GRANTS,
        now: clock::now(),
    };
    match app.store.let_jobs_in(grant).await? {
        GrantOutcome::Added => {}
        GrantOutcome::Known => {
            return Err(ApiError::bad_request(
                "This project is already in the job token allowlist.",
            ));
        }
        GrantOutcome::LimitReached => {
            return Err(ApiError::bad_request(
                "Validation failed: Source project exceeds the allowable number of project links \
                 in this direction",
            ));
        }
    }
    audit(&app, &access, "job_token_project_added", &target).await;
    let link = Link {
        source_project_id: access.project.id.0,
        target_project_id: target.id.0,
    };
    Ok((StatusCode::CREATED, axum::Json(link)).into_response())
}

async fn remove(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let target = ProjectId(call.number("target_project_id")?);
    // A project that was hidden from the caller meanwhile can be taken off all the same.
    let target = app.store.project(target).await?;
    let target = target.ok_or_else(|| ApiError::missing("Project"))?;
    let removed = app
        .store
        .keep_jobs_out(access.project.id, target.id)
        .await?;
    if !removed {
        return Err(ApiError::bad_request(
            "Target project is not in the job token scope",
        ));
    }
    audit(&app, &access, "job_token_project_removed", &target).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Another project, as far as the caller sees it.
async fn visible(app: &App, access: &Access, id: ProjectId) -> ApiResult<ProjectRecord> {
    let missing = || ApiError::missing("Project");
    let project = app.store.project(id).await?.ok_or_else(missing)?;
    let user = access.caller.user.as_ref();
    let standing = app.standing(user, &project).await?;
    if standing.may(Right::ReadProject, &project) {
        Ok(project)
    } else {
        Err(missing())
    }
}

async fn audit(app: &App, access: &Access, action: &str, other: &ProjectRecord) {
    let actor = access.caller.user.as_ref().map(|user| user.id);
    let entry = Entry::new(action, actor)
        .credential(access.caller.credential())
        .project(access.project.id)
        .details(json!({ "project_id": other.id.0, "path": other.path }));
    app.audit(entry).await;
}
