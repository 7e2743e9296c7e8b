//! Trigger tokens of a project (GitLab: `lib/api/ci/triggers.rb`).
//!
//! A trigger whose `owner` is `null` is a legacy one: it came from before
//! triggers had owners and has nobody's rights.

mod change;
mod create;

use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tappet_model::{TriggerId, UserId};
use tappet_store::{Trigger as TriggerRecord, User};

use super::BASE;
use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::entities::trigger::Trigger;
use super::errors::{ApiError, ApiResult};
use super::pagination::{self, Pages};
use crate::api::operation::{self, Shape, text, time};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::audit::Entry;
use crate::clock;
use crate::rights::Right;

pub use create::add;

/// Trigger tokens.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/triggers")
                .id("listTriggers")
                .about("Lists the live trigger tokens of a project.")
                .paged()
                .replies_list::<Trigger<'_>>(StatusCode::OK),
            list,
        )
        .add(
            operation::get("/projects/{id}/triggers/{trigger_id}")
                .id("getTrigger")
                .about("Shows one trigger token.")
                .replies::<Trigger<'_>>(StatusCode::OK),
            get,
        )
        .add(
            operation::post("/projects/{id}/triggers")
                .id("createTrigger")
                .about("Makes a trigger token; the caller becomes its owner.")
                .body(text("description").required())
                .body(time("expires_at"))
                .replies::<Trigger<'_>>(StatusCode::CREATED),
            create::create,
        )
        .add(
            operation::post("/projects/{id}/triggers/import")
                .id("importTrigger")
                .about("Brings an existing token along as a legacy trigger without owner.")
                .body(
                    text("token")
                        .required()
                        .about("20 to 255 printable characters."),
                )
                .body(text("description"))
                .replies::<Trigger<'_>>(StatusCode::CREATED),
            create::import,
        )
        .add(
            operation::put("/projects/{id}/triggers/{trigger_id}")
                .id("updateTrigger")
                .about("Describes a trigger token anew; for its owner.")
                .body(text("description"))
                .replies::<Trigger<'_>>(StatusCode::OK),
            change::update,
        )
        .add(
            operation::post("/projects/{id}/triggers/{trigger_id}/take_ownership")
                .id("takeTrigger")
                .about("Makes the caller the owner: its runs have the caller's rights from now on.")
                .replies::<Trigger<'_>>(StatusCode::OK),
            change::take_ownership,
        )
        .add(
            operation::delete("/projects/{id}/triggers/{trigger_id}")
                .id("deleteTrigger")
                .about("Revokes a trigger token for good.")
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            delete,
        )
}

/// The project of a call, for somebody who manages its triggers.
pub async fn open(app: &SharedApp, call: &Call, checked: ApiResult<()>) -> ApiResult<Access> {
    let (login, jobs) = (Login::Required, JobTokens::Ignored);
    let access = access::open_checked(app, call, login, jobs, checked).await?;
    access.require(Right::ManageTriggers)?;
    Ok(access)
}

/// `GET /projects/:id/triggers`.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let access = open(&app, &call, checks.finish()).await?;
    let listing = app
        .store
        .triggers(access.project.id, clock::now(), page)
        .await?;
    let owners = owners_of(&app, &listing.items).await?;
    let shown = listing
        .items
        .iter()
        .map(|trigger| {
            let token = visible_token(&app, &access, trigger)?;
            let owner = trigger.owner_id.and_then(|id| owners.get(&id));
            Ok(Trigger::of(&app.config, trigger, token, owner))
        })
        .collect::<ApiResult<Vec<_>>>()?;
    let pages = Pages::of(page, &listing);
    Ok(pagination::reply(
        &app.config.url(call.uri.path()),
        &call,
        pages,
        &shown,
    ))
}

/// `GET /projects/:id/triggers/:trigger_id`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let trigger = find(&app, &call, &access).await?;
    shown(&app, &access, StatusCode::OK, &trigger).await
}

async fn shown(
    app: &App,
    access: &Access,
    status: StatusCode,
    trigger: &TriggerRecord,
) -> ApiResult<Response> {
    let owner = match trigger.owner_id {
        Some(id) => app.store.user(id).await?,
        None => None,
    };
    let token = visible_token(app, access, trigger)?;
    let shown = Trigger::of(&app.config, trigger, token, owner.as_ref());
    Ok((status, axum::Json(shown)).into_response())
}

/// `DELETE /projects/:id/triggers/:trigger_id`.
pub async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let trigger = find(&app, &call, &access).await?;
    revoke(&app, &call, &access, &trigger).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Ends a trigger for good, unless it changed since the caller last saw it.
pub async fn revoke(
    app: &App,
    call: &Call,
    access: &Access,
    trigger: &TriggerRecord,
) -> ApiResult<()> {
    call.require_unmodified(trigger.updated_at)?;
    let revoked = app
        .store
        .revoke_trigger(access.project.id, trigger.id, clock::now())
        .await?;
    if !revoked {
        return Err(ApiError::record_not_found());
    }
    audit(app, access, "trigger_revoked", trigger).await;
    Ok(())
}

/// Writes into the audit log what a caller did to a trigger.
async fn audit(app: &App, access: &Access, action: &str, trigger: &TriggerRecord) {
    let actor = access.caller.user.as_ref().map(|user| user.id);
    let details = json!({
        "trigger_id": trigger.id.0,
        "description": trigger.description,
        "owner_id": trigger.owner_id.map(|id| id.0),
    });
    let entry = Entry::new(action, actor)
        .credential(access.caller.credential())
        .project(access.project.id)
        .details(details);
    app.audit(entry).await;
}

/// The owners of some triggers, each read once.
pub async fn owners_of(app: &App, triggers: &[TriggerRecord]) -> ApiResult<HashMap<UserId, User>> {
    let mut owners = HashMap::new();
    for id in triggers.iter().filter_map(|trigger| trigger.owner_id) {
        if !owners.contains_key(&id)
            && let Some(user) = app.store.user(id).await?
        {
            owners.insert(id, user);
        }
    }
    Ok(owners)
}

async fn find(app: &App, call: &Call, access: &Access) -> ApiResult<TriggerRecord> {
    let id = TriggerId(call.number("trigger_id")?);
    app.store
        .trigger(access.project.id, id, clock::now())
        .await?
        .ok_or_else(ApiError::record_not_found)
}

/// Whole for its owner and administrators, else its first four characters.
pub fn visible_token(app: &App, access: &Access, trigger: &TriggerRecord) -> ApiResult<String> {
    if !access.sees_token_of(trigger.owner_id) {
        return Ok(trigger.short_token.clone());
    }
    app.trigger_token(trigger)
        .map_err(|error| ApiError::broken("decrypting a trigger token", error))
}
