//! Triggers, known by their tokens (GitLab: `lib/api/v3/triggers.rb`).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_store::Trigger as TriggerRecord;

use super::BASE;
use super::entities::Trigger;
use crate::api::gitlab::access::Access;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::pagination::{self, Pages};
use crate::api::gitlab::triggers::{self as v4, open, owners_of, visible_token};
use crate::api::operation;
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::trigger_tokens::TriggerDraft;
use crate::{clock, secrets};

/// Trigger tokens.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/triggers")
                .id("v3ListTriggers")
                .about("Lists the live trigger tokens of a project.")
                .paged()
                .replies_list::<Trigger<'_>>(StatusCode::OK),
            list,
        )
        .add(
            operation::post("/projects/{id}/triggers")
                .id("v3CreateTrigger")
                .about("Makes a trigger token; the caller becomes its owner.")
                .replies::<Trigger<'_>>(StatusCode::CREATED),
            create,
        )
        .add(
            operation::get("/projects/{id}/triggers/{token}")
                .id("v3GetTrigger")
                .about("Shows one trigger token.")
                .replies::<Trigger<'_>>(StatusCode::OK),
            get,
        )
        .add(
            operation::delete("/projects/{id}/triggers/{token}")
                .id("v3DeleteTrigger")
                .about("Revokes a trigger token for good and shows it once more.")
                .replies::<Trigger<'_>>(StatusCode::OK),
            delete,
        )
}

async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let access = open(&app, &call, checks.finish()).await?;
    let project = access.project.id;
    let listing = app.store.triggers(project, clock::now(), page).await?;
    let owners = owners_of(&app, &listing.items).await?;
    let shown = listing
        .items
        .iter()
        .map(|trigger| {
            let token = visible_token(&app, &access, trigger)?;
            let owner = trigger.owner_id.and_then(|id| owners.get(&id));
            Ok(Trigger::of(&app.config, trigger, token, owner, None))
        })
        .collect::<ApiResult<Vec<_>>>()?;
    let pages = Pages::of(page, &listing);
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &shown))
}

async fn create(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let draft = TriggerDraft {
        project_id: access.project.id,
        owner_id: Some(access.caller.require_user()?.id),
        description: String::new(),
        token: secrets::new_hex_token(),
        expires_at: None,
    };
    let trigger = v4::add(&app, &access, "trigger_created", draft).await?;
    shown(&app, &access, StatusCode::CREATED, &trigger, None).await
}

async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let trigger = find(&app, &access, &call).await?;
    shown(&app, &access, StatusCode::OK, &trigger, None).await
}

async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let trigger = find(&app, &access, &call).await?;
    v4::revoke(&app, &call, &access, &trigger).await?;
    shown(&app, &access, StatusCode::OK, &trigger, Some(clock::now())).await
}

async fn find(app: &App, access: &Access, call: &Call) -> ApiResult<TriggerRecord> {
    let hash = app.secrets.keyed_hash(call.path("token"));
    app.store
        .trigger_by_hash(hash)
        .await?
        .filter(|trigger| trigger.project_id == access.project.id && trigger.is_live(clock::now()))
        .ok_or_else(|| ApiError::missing("Trigger"))
}

async fn shown(
    app: &App,
    access: &Access,
    status: StatusCode,
    trigger: &TriggerRecord,
    deleted_at: Option<tappet_model::Timestamp>,
) -> ApiResult<Response> {
    let owners = owners_of(app, std::slice::from_ref(trigger)).await?;
    let owner = trigger.owner_id.and_then(|id| owners.get(&id));
    let token = visible_token(app, access, trigger)?;
    let shown = Trigger::of(&app.config, trigger, token, owner, deleted_at);
    Ok((status, axum::Json(shown)).into_response())
}
