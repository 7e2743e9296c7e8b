//! `POST /personal_access_tokens/:id/rotate` and `/self/rotate`: another token
//! takes the place of one, which ends at once.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_store::NewAccessToken;

use super::{PREFIX, check_end, entry, id_of, visible};
use crate::api::gitlab::BASE;
use crate::api::gitlab::auth::{self, JobTokens};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::personal_access_token::PersonalAccessToken;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::operation::{self, time};
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::{clock, secrets};

/// How long the new token lives when nobody says.
const LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Rotation.
pub fn routes() -> Routes {
    Routes::under(BASE).add(
        operation::post("/personal_access_tokens/{token_id}/rotate")
            .id("rotatePersonalAccessToken")
            .about("Replaces a token, or with `self` the one of this call.")
            .body(time("expires_at").about("A day; a week from now unless given."))
            .replies::<PersonalAccessToken<'_>>(StatusCode::OK),
        rotate,
    )
}

/// `POST /personal_access_tokens/:id/rotate`.
pub async fn rotate(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (caller, old) = match id_of(&call)? {
        None => auth::own_rotating_token(&app, &call).await?,
        Some(id) => {
            let caller = auth::authenticate(&app, &call, JobTokens::Ignored).await?;
            let token = visible(&app, &caller, id).await?;
            (caller, token)
        }
    };
    let mut checks = call.checks();
    let expires_at = checks.date("expires_at");
    checks.finish()?;
    let now = clock::now();
    check_end(expires_at, now).map_err(ApiError::bad_request)?;
    let plain = secrets::new_token(PREFIX);
    let new = NewAccessToken {
        user_id: old.user_id,
        name: old.name.clone(),
        description: old.description.clone(),
        scopes: old.scopes.clone(),
        hash: secrets::hash(&plain),
        expires_at: Some(expires_at.unwrap_or_else(|| now.plus(LIFE).midnight())),
        now,
    };
    let token = app.store.rotate_access_token(old.id, new).await?;
    let token = token.ok_or_else(|| ApiError::bad_request("token already revoked"))?;
    app.audit(entry("access_token_rotated", &caller, &token))
        .await;
    let shown = PersonalAccessToken::of(&token, now).with_token(plain);
    Ok(axum::Json(shown).into_response())
}
