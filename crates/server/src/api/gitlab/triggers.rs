//! Trigger tokens of a project (GitLab: `lib/api/ci/triggers.rb`).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::IF_UNMODIFIED_SINCE;
use jiff::fmt::rfc2822;
use serde_json::json;
use tappet_model::{Timestamp, TriggerId, UserId};
use tappet_store::{NewTrigger, Trigger as TriggerRecord, User};

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
use crate::rights::Right;
use crate::{clock, secrets};

/// What a sealed trigger token is bound to.
pub const SEAL_CONTEXT: &str = "trigger-token";

const PREFIX: &str = "glptt-";

/// The instance's longest life of a token (GitLab: personal access tokens).
const MAX_LIFE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Descriptions beyond this help nobody.
const MAX_DESCRIPTION_BYTES: usize = 10_000;

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
            create,
        )
        .add(
            operation::delete("/projects/{id}/triggers/{trigger_id}")
                .id("deleteTrigger")
                .about("Revokes a trigger token for good.")
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            delete,
        )
}

async fn open(app: &SharedApp, call: &Call) -> ApiResult<Access> {
    let access = access::open_project(app, call, Login::Required, JobTokens::Ignored).await?;
    access.require(Right::ManageTriggers)?;
    Ok(access)
}

/// `GET /projects/:id/triggers`.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call).await?;
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    checks.finish()?;
    let listing = app
        .store
        .triggers(access.project.id, clock::now(), page)
        .await?;
    let mut owners: HashMap<UserId, Option<User>> = HashMap::new();
    for trigger in &listing.items {
        if let Some(id) = trigger.owner_id
            && let Entry::Vacant(owner) = owners.entry(id)
        {
            owner.insert(app.store.user(id).await?);
        }
    }
    let shown = listing
        .items
        .iter()
        .map(|trigger| {
            let token = visible_token(&app, &access, trigger)?;
            let owner = trigger
                .owner_id
                .and_then(|id| owners.get(&id))
                .and_then(Option::as_ref);
            Ok(Trigger::of(&app.config, trigger, token, owner))
        })
        .collect::<ApiResult<Vec<_>>>()?;
    let pages = Pages {
        shown: page,
        total: listing.total,
        has_next: listing.has_next,
    };
    Ok(pagination::reply(
        &app.config.url(call.uri.path()),
        &call,
        pages,
        &shown,
    ))
}

/// `GET /projects/:id/triggers/:trigger_id`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call).await?;
    let trigger = find(&app, &call, &access).await?;
    let owner = match trigger.owner_id {
        Some(id) => app.store.user(id).await?,
        None => None,
    };
    let token = visible_token(&app, &access, &trigger)?;
    let shown = Trigger::of(&app.config, &trigger, token, owner.as_ref());
    Ok(axum::Json(shown).into_response())
}

/// `POST /projects/:id/triggers`; the caller becomes the owner.
pub async fn create(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call).await?;
    let mut checks = call.checks();
    let description = checks.required_text("description");
    let expires_at = checks.time("expires_at");
    checks.finish()?;
    if description.len() > MAX_DESCRIPTION_BYTES {
        let error = json!({ "description": ["is too long (maximum is 10000 bytes)"] });
        return Err(ApiError::bad_request(error));
    }
    let now = clock::now();
    let last_day = now.plus(MAX_LIFE);
    if expires_at.is_some_and(|expires_at| expires_at > last_day) {
        let text = last_day.to_string();
        let day = text.get(..10).unwrap_or_default();
        let error = json!({ "expires_at": [format!("must be before {day}")] });
        return Err(ApiError::bad_request(error));
    }
    let owner = access.caller.require_user()?;
    let token = secrets::new_token(PREFIX);
    let new = NewTrigger {
        project_id: access.project.id,
        owner_id: Some(owner.id),
        description: description.into_owned(),
        token_hash: app.secrets.keyed_hash(&token),
        sealed_token: app.secrets.seal(token.as_bytes(), SEAL_CONTEXT),
        short_token: token[PREFIX.len()..].chars().take(4).collect(),
        expires_at,
        now,
    };
    let trigger = app.store.create_trigger(new).await?;
    let shown = Trigger::of(&app.config, &trigger, token, Some(owner));
    Ok((StatusCode::CREATED, axum::Json(shown)).into_response())
}

/// `DELETE /projects/:id/triggers/:trigger_id`.
pub async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call).await?;
    let trigger = find(&app, &call, &access).await?;
    if let Some(since) = unmodified_since(&call)
        && trigger.updated_at.unix_seconds() > since
    {
        return Err(ApiError::precondition_failed());
    }
    let revoked = app
        .store
        .revoke_trigger(access.project.id, trigger.id, clock::now())
        .await?;
    if revoked {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(ApiError::record_not_found())
    }
}

async fn find(app: &App, call: &Call, access: &Access) -> ApiResult<TriggerRecord> {
    let id = TriggerId(call.number("trigger_id")?);
    app.store
        .trigger(access.project.id, id, clock::now())
        .await?
        .ok_or_else(ApiError::record_not_found)
}

/// Whole for its owner and administrators, else its first four characters.
fn visible_token(app: &App, access: &Access, trigger: &TriggerRecord) -> ApiResult<String> {
    if !access.sees_token_of(trigger.owner_id) {
        return Ok(trigger.short_token.clone());
    }
    let plain = app
        .secrets
        .unseal(&trigger.sealed_token, SEAL_CONTEXT)
        .map_err(|error| ApiError::broken("decrypting a trigger token", error))?;
    String::from_utf8(plain).map_err(|error| ApiError::broken("reading a trigger token", error))
}

/// Whole seconds; a date that cannot be read is ignored, as in GitLab.
fn unmodified_since(call: &Call) -> Option<i64> {
    let text = call.headers.get(IF_UNMODIFIED_SINCE)?.to_str().ok()?;
    let time = rfc2822::parse(&text.replace("GMT", "+0000"))
        .map(|zoned| Timestamp(zoned.timestamp().as_microsecond()))
        .ok()
        .or_else(|| Timestamp::parse(text))?;
    Some(time.unix_seconds())
}
