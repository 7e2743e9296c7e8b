//! Personal access tokens (GitLab: `lib/api/personal_access_tokens.rb`, and their
//! creation in `lib/api/users.rb`): looking and revoking here.

mod create;
mod list;
mod rotate;

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tappet_model::{Timestamp, TokenId};
use tappet_store::AccessToken;

use super::BASE;
use super::auth::{self, Caller, JobTokens};
use super::call::Call;
use super::entities::personal_access_token::PersonalAccessToken;
use super::errors::{ApiError, ApiResult};
use crate::api::operation::{self, Shape};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::audit::Entry;
use crate::clock;

/// What a personal access token begins with.
const PREFIX: &str = "glpat-";

/// The longest life of a token (GitLab's default limit).
const MAX_LIFE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Scopes that a token may have (GitLab: `Gitlab::Auth.all_available_scopes`).
/// Those about things that are not here reach nothing.
const SCOPES: &[&str] = &[
    "api",
    "read_api",
    "read_user",
    "create_runner",
    "manage_runner",
    "k8s_proxy",
    "self_rotate",
    "read_repository",
    "write_repository",
    "read_registry",
    "write_registry",
    "read_virtual_registry",
    "write_virtual_registry",
    "read_service_ping",
    "ai_features",
    "sudo",
    "admin_mode",
];

/// Personal access tokens.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(list::operation(), list::list)
        .add(
            operation::get("/personal_access_tokens/{token_id}")
                .id("getPersonalAccessToken")
                .about("Shows a token, or with `self` the one of this call.")
                .replies::<PersonalAccessToken<'_>>(StatusCode::OK),
            get,
        )
        .add(
            operation::delete("/personal_access_tokens/{token_id}")
                .id("revokePersonalAccessToken")
                .about("Revokes a token, or with `self` the one of this call.")
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            delete,
        )
        .and(create::routes())
        .and(rotate::routes())
}

/// `GET /personal_access_tokens/:id` and `/self`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let token = match id_of(&call)? {
        None => auth::own_token(&app, &call).await?.1,
        Some(id) => {
            let caller = auth::authenticate(&app, &call, JobTokens::Ignored).await?;
            visible(&app, &caller, id).await?
        }
    };
    let shown = PersonalAccessToken::of(&token, clock::now());
    Ok(axum::Json(shown).into_response())
}

/// `DELETE /personal_access_tokens/:id` and `/self`.
pub async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (caller, token) = match id_of(&call)? {
        None => auth::own_token(&app, &call).await?,
        Some(id) => {
            let caller = auth::authenticate(&app, &call, JobTokens::Ignored).await?;
            let user = caller.require_user()?;
            let token = app.store.access_token(id).await?;
            let token = token.ok_or_else(ApiError::record_not_found)?;
            if !user.is_admin && token.user_id != user.id {
                return Err(ApiError::bad_request("Not permitted to revoke"));
            }
            (caller, token)
        }
    };
    app.store
        .revoke_access_token(token.id, clock::now())
        .await?;
    app.audit(entry("access_token_revoked", &caller, &token))
        .await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `None` stands for `self`; what is no number either is no route.
fn id_of(call: &Call) -> ApiResult<Option<TokenId>> {
    if call.path("token_id") == "self" {
        return Ok(None);
    }
    call.route_number("token_id").map(|id| Some(TokenId(id)))
}

/// A token of the caller's own, or any for administrators. Only they learn that
/// there is none.
async fn visible(app: &App, caller: &Caller, id: TokenId) -> ApiResult<AccessToken> {
    let user = caller.require_user()?;
    match app.store.access_token(id).await? {
        Some(token) if user.is_admin || token.user_id == user.id => Ok(token),
        None if user.is_admin => Err(ApiError::not_found()),
        _ => Err(ApiError::unauthorized()),
    }
}

/// The last day that a token may end on, for whoever wants a later one.
fn check_end(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), String> {
    let last = now.plus(MAX_LIFE);
    if expires_at.is_some_and(|end| end > last) {
        let text = last.to_string();
        let day = text.get(..10).unwrap_or(&text);
        return Err(format!("Expiration date must be before {day}"));
    }
    Ok(())
}

fn entry(action: &str, caller: &Caller, token: &AccessToken) -> Entry {
    let actor = caller.user.as_ref().map(|user| user.id);
    let details = json!({
        "token_id": token.id,
        "name": token.name,
        "user_id": token.user_id,
        "scopes": token.scopes,
    });
    Entry::new(action, actor)
        .credential(caller.credential())
        .details(details)
}
