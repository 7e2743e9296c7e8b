//! The audit log (GitLab: `ee/lib/api/audit_events.rb`), for administrators, and
//! for maintainers of one project.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_model::{AuditEntryId, ProjectId, UserId};
use tappet_store::{AuditEntry, AuditFilter};

use super::BASE;
use super::access::{self, Login};
use super::auth::{self, JobTokens};
use super::call::Call;
use super::entities::audit_event::AuditEvent;
use super::errors::{ApiError, ApiResult};
use super::pagination::{self, Pages};
use crate::api::operation::{Audience, Operation, get, integer, text, time};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::rights::Right;

/// Reading the log; nothing changes it.
pub fn routes() -> Routes {
    let filtered = |operation: Operation| {
        operation
            .query(time("created_after"))
            .query(time("created_before"))
            .query(integer("author_id").about("Who did it."))
            .query(text("event_name").about("`trigger_created`, `run_started` …"))
            .paged()
            .replies_list::<AuditEvent>(StatusCode::OK)
    };
    Routes::under(BASE)
        .add(
            filtered(get("/audit_events"))
                .id("listAuditEvents")
                .about("Lists what was done on this server, the newest first.")
                .audience(Audience::Admin),
            of_instance,
        )
        .add(
            get("/audit_events/{audit_event_id}")
                .id("getAuditEvent")
                .about("Shows one entry of the audit log.")
                .audience(Audience::Admin)
                .replies::<AuditEvent>(StatusCode::OK),
            one_of_instance,
        )
        .add(
            filtered(get("/projects/{id}/audit_events"))
                .id("listProjectAuditEvents")
                .about("Lists what was done in a project, the newest first."),
            of_project,
        )
        .add(
            get("/projects/{id}/audit_events/{audit_event_id}")
                .id("getProjectAuditEvent")
                .about("Shows one entry of a project's audit log.")
                .replies::<AuditEvent>(StatusCode::OK),
            one_of_project,
        )
}

async fn require_admin(app: &SharedApp, call: &Call) -> ApiResult<()> {
    let caller = auth::authenticate(app, call, JobTokens::Ignored).await?;
    if caller.require_user()?.is_admin {
        Ok(())
    } else {
        Err(ApiError::forbidden())
    }
}

async fn project(app: &SharedApp, call: &Call) -> ApiResult<ProjectId> {
    let access = access::open_project(app, call, Login::Required, JobTokens::Ignored).await?;
    access.require(Right::ReadAudit)?;
    Ok(access.project.id)
}

/// `GET /audit_events`.
pub async fn of_instance(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    require_admin(&app, &call).await?;
    list(&app, &call, None).await
}

/// `GET /projects/:id/audit_events`.
pub async fn of_project(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let project = project(&app, &call).await?;
    list(&app, &call, Some(project)).await
}

/// `GET /audit_events/:id`.
pub async fn one_of_instance(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    require_admin(&app, &call).await?;
    one(&app, &call, None).await
}

/// `GET /projects/:id/audit_events/:id`.
pub async fn one_of_project(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let project = project(&app, &call).await?;
    one(&app, &call, Some(project)).await
}

async fn list(app: &App, call: &Call, project: Option<ProjectId>) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let filter = AuditFilter {
        project_id: project,
        actor_id: checks.integer("author_id").map(UserId),
        action: checks
            .filled_text("event_name")
            .map(|text| text.into_owned()),
        created_after: checks.time("created_after"),
        created_before: checks.time("created_before"),
    };
    checks.finish()?;
    let listing = app.store.audit_entries(filter, page).await?;
    let pages = Pages::of(page, &listing);
    let shown = shown(app, listing.items).await?;
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, call, pages, &shown))
}

async fn one(app: &App, call: &Call, project: Option<ProjectId>) -> ApiResult<Response> {
    let id = AuditEntryId(call.number("audit_event_id")?);
    let found = app.store.audit_entry(id).await?;
    let found = found.filter(|found| project.is_none() || found.entry.project_id == project);
    let found = found.ok_or_else(|| ApiError::missing("Audit Event"))?;
    let mut shown = shown(app, vec![found]).await?;
    let shown = shown.pop().expect("one entry gives one event");
    Ok(axum::Json(shown).into_response())
}

/// With the names of people and projects, each looked up once.
async fn shown(app: &App, entries: Vec<AuditEntry>) -> ApiResult<Vec<AuditEvent>> {
    let mut people: HashMap<UserId, Option<String>> = HashMap::new();
    let mut projects: HashMap<ProjectId, Option<String>> = HashMap::new();
    let mut shown = Vec::with_capacity(entries.len());
    for entry in entries {
        if let Some(id) = entry.entry.actor_id
            && let Entry::Vacant(slot) = people.entry(id)
        {
            slot.insert(app.store.user(id).await?.map(|user| user.name));
        }
        if let Some(id) = entry.entry.project_id
            && let Entry::Vacant(slot) = projects.entry(id)
        {
            slot.insert(app.store.project(id).await?.map(|project| project.path));
        }
        let author = entry.entry.actor_id.and_then(|id| people[&id].clone());
        let path = entry.entry.project_id.and_then(|id| projects[&id].clone());
        shown.push(AuditEvent::of(entry, author, path));
    }
    Ok(shown)
}
