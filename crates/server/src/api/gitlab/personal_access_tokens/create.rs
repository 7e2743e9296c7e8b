//! Making tokens: for anybody by administrators, and for oneself with the few
//! scopes that GitLab allows there.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_model::{Timestamp, UserId};
use tappet_store::NewAccessToken;

use super::{PREFIX, SCOPES, check_end, entry};
use crate::api::gitlab::BASE;
use crate::api::gitlab::auth::{self, Caller, JobTokens};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::personal_access_token::PersonalAccessToken;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::operation::{self, Audience, Operation, some_of, text, time};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::{clock, secrets};

/// Scopes of a token that somebody makes for themselves.
const OWN_SCOPES: &[&str] = &["k8s_proxy", "self_rotate"];

/// How long such a token lives when nobody says.
const OWN_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Creation.
pub fn routes() -> Routes {
    let for_user = operation::post("/users/{id}/personal_access_tokens")
        .id("createPersonalAccessToken")
        .about("Makes a token for a person; it is shown this once.")
        .audience(Audience::Admin)
        .body(some_of("scopes", SCOPES).required());
    let for_oneself = operation::post("/user/personal_access_tokens")
        .id("createOwnPersonalAccessToken")
        .about("Makes a token for the caller; it is shown this once.")
        .body(some_of("scopes", OWN_SCOPES).required());
    Routes::under(BASE)
        .add(with_rest(for_user), create_for_user)
        .add(with_rest(for_oneself), create_for_oneself)
}

fn with_rest(operation: Operation) -> Operation {
    operation
        .body(text("name").required())
        .body(text("description"))
        .body(time("expires_at").about("A day, at most a year from now."))
        .replies::<PersonalAccessToken<'_>>(StatusCode::CREATED)
}

/// `POST /users/:id/personal_access_tokens`.
pub async fn create_for_user(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let id = UserId(call.route_number("id")?);
    let caller = auth::authenticate(&app, &call, JobTokens::Ignored).await?;
    caller.require_admin()?;
    let asked = asked(&call, SCOPES)?;
    let account = app.store.account(id).await?;
    account.ok_or_else(|| ApiError::missing("User"))?;
    create(&app, &caller, id, asked).await
}

/// `POST /user/personal_access_tokens`.
pub async fn create_for_oneself(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let caller = auth::authenticate(&app, &call, JobTokens::Ignored).await?;
    let id = caller.require_user()?.id;
    let mut asked = asked(&call, OWN_SCOPES)?;
    asked.expires_at = asked
        .expires_at
        .or_else(|| Some(clock::now().plus(OWN_LIFE).midnight()));
    create(&app, &caller, id, asked).await
}

struct Asked {
    name: String,
    description: String,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
}

fn asked(call: &Call, known: &[&str]) -> ApiResult<Asked> {
    let mut checks = call.checks();
    let name = checks.required_text("name").into_owned();
    let mut scopes = checks.required_texts("scopes");
    if !scopes.iter().all(|scope| known.contains(&&**scope)) {
        checks.refuse("scopes does not have a valid value");
    }
    let description = checks.text("description").unwrap_or_default().into_owned();
    let expires_at = checks.date("expires_at");
    checks.finish()?;
    scopes.sort();
    scopes.dedup();
    let unprocessable =
        |text: String| Err(ApiError::message(StatusCode::UNPROCESSABLE_ENTITY, text));
    if name.trim().is_empty() {
        return unprocessable("Name can't be blank".to_owned());
    }
    if scopes.is_empty() {
        return unprocessable("Scopes can't be blank".to_owned());
    }
    for (field, text) in [("Name", &name), ("Description", &description)] {
        if text.chars().count() > 255 {
            return unprocessable(format!("{field} is too long (maximum is 255 characters)"));
        }
    }
    if let Err(text) = check_end(expires_at, clock::now()) {
        return unprocessable(text);
    }
    Ok(Asked {
        name,
        description,
        scopes,
        expires_at,
    })
}

async fn create(app: &App, caller: &Caller, user: UserId, asked: Asked) -> ApiResult<Response> {
    let plain = secrets::new_token(PREFIX);
    let now = clock::now();
    let new = NewAccessToken {
        user_id: user,
        name: asked.name,
        description: asked.description,
        scopes: asked.scopes,
        hash: secrets::hash(&plain),
        expires_at: asked.expires_at,
        now,
    };
    let token = app.store.create_access_token(new).await?;
    app.audit(entry("access_token_created", caller, &token))
        .await;
    let shown = PersonalAccessToken::of(&token, now).with_token(plain);
    Ok((StatusCode::CREATED, axum::Json(shown)).into_response())
}
