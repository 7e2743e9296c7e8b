//! Tappet's own calls for pushes to plain git repositories: the hook that a git
//! server calls, and the secret that it signs with.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;
use tappet_store::PushHook as PushHookRecord;

use super::BASE;
use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::entities::pipeline::Pipeline;
use super::entities::push_hook::PushHook;
use super::errors::{ApiError, ApiResult};
use super::idempotency;
use super::params::read_bytes;
use crate::api::operation::{self, Audience, Shape, integer, text};
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::audit::Entry;
use crate::clock;
use crate::intake::Refusal;
use crate::push_hook::{self, Outcome, PushError};
use crate::rights::Right;

/// The hook itself and its secret.
pub fn routes() -> Routes {
    let hook = Routes::under("").add(
        operation::post("/-/hooks/push")
            .id("receivePush")
            .about("Starts a pipeline for a push to a plain git repository.")
            .audience(Audience::Anybody)
            .header(
                text("X-Tappet-Signature")
                    .about("sha256=<HMAC-SHA256 of the body, in hex>; or X-Hub-Signature-256."),
            )
            .body(text("project").required().about("Id or full path."))
            .body(text("ref").required().about("refs/heads/… or refs/tags/…"))
            .body(
                text("before")
                    .required()
                    .about("The commit before, or zeros."),
            )
            .body(text("after").required().about("The commit now, or zeros."))
            .body(text("delivery").about("Sent again, it starts nothing new."))
            .body(integer("sent_at").about("Seconds since 1970."))
            .replies::<Pipeline<'_>>(StatusCode::CREATED)
            .reply(StatusCode::OK, Shape::Bytes("application/json")),
        receive,
    );
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/push_hook")
                .id("getPushHook")
                .about("Shows the secret that signs pushes of the project.")
                .replies::<PushHook<'_>>(StatusCode::OK),
            get,
        )
        .add(
            operation::post("/projects/{id}/push_hook")
                .id("createPushHook")
                .about("Makes a new secret; its pushes run with the caller's rights.")
                .replies::<PushHook<'_>>(StatusCode::CREATED),
            create,
        )
        .add(
            operation::delete("/projects/{id}/push_hook")
                .id("deletePushHook")
                .about("Ends the push hook.")
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            delete,
        )
        .and(hook)
}

async fn open(app: &SharedApp, call: &Call) -> ApiResult<Access> {
    let access = access::open_project(app, call, Login::Required, JobTokens::Ignored).await?;
    access.require(Right::ManageHooks)?;
    Ok(access)
}

/// `GET /projects/:id/push_hook`.
async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call).await?;
    let hook = app.store.push_hook(access.project.id).await?;
    let hook = hook.ok_or_else(|| ApiError::missing("Push Hook"))?;
    let owner = app.store.user(hook.owner_id).await?;
    let secret = if access.sees_token_of(Some(hook.owner_id)) {
        push_hook::secret(&app.secrets, &hook)
    } else {
        None
    };
    let shown = PushHook::of(&app.config, &hook, secret, owner.as_ref());
    Ok(axum::Json(shown).into_response())
}

/// `POST /projects/:id/push_hook`: the first secret, or the next.
async fn create(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call).await?;
    let owner = access.caller.require_user()?;
    let (secret, sealed_secret) = push_hook::new_secret(&app.secrets);
    let hook = PushHookRecord {
        project_id: access.project.id,
        owner_id: owner.id,
        sealed_secret,
        created_at: clock::now(),
        last_used_at: None,
    };
    app.store.set_push_hook(hook.clone()).await?;
    let entry = Entry::new("push_hook_secret_created", Some(owner.id));
    let entry = entry.credential(access.caller.credential());
    app.audit(entry.project(access.project.id)).await;
    let shown = PushHook::of(&app.config, &hook, Some(secret), Some(owner));
    Ok((StatusCode::CREATED, axum::Json(shown)).into_response())
}

/// `DELETE /projects/:id/push_hook`.
async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call).await?;
    if !app.store.delete_push_hook(access.project.id).await? {
        return Err(ApiError::missing("Push Hook"));
    }
    let entry = Entry::new("push_hook_removed", access.standing.user_id);
    let entry = entry.credential(access.caller.credential());
    app.audit(entry.project(access.project.id)).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /-/hooks/push`.
async fn receive(State(app): State<SharedApp>, request: Request) -> ApiResult<Response> {
    let (parts, body) = request.into_parts();
    let content_type = parts.headers.get(CONTENT_TYPE);
    let is_json = content_type
        .and_then(|value| value.to_str().ok()?.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        return Err(ApiError::error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "a push hook takes Content-Type: application/json",
        ));
    }
    let body = read_bytes(&parts, body, push_hook::MAX_BODY_BYTES).await?;
    let outcome = push_hook::receive(&app, &parts.headers, &body).await?;
    let (project, started) = match outcome {
        Outcome::Nothing(why) => {
            return Ok(axum::Json(json!({ "message": why })).into_response());
        }
        Outcome::Started(project, started) => (project, started),
    };
    let user = app.user_of(&started.run).await?;
    let shown = Pipeline::of(&app.config, &project, &started.run, user.as_ref());
    let mut response = (StatusCode::CREATED, axum::Json(shown)).into_response();
    if started.replayed {
        idempotency::mark_replayed(response.headers_mut());
    }
    Ok(response)
}

impl From<PushError> for ApiError {
    fn from(error: PushError) -> Self {
        match error {
            PushError::NotSigned => ApiError::unauthorized(),
            PushError::Invalid(text) => ApiError::param(text),
            PushError::Refused(Refusal::KeyReused) => ApiError::message(
                StatusCode::CONFLICT,
                "409 Conflict - this delivery was sent before with another body",
            ),
            PushError::Refused(refusal) => refusal.into(),
            PushError::Store(error) => error.into(),
        }
    }
}
