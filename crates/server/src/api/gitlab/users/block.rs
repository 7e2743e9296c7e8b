//! `POST /users/:id/block` and `/unblock`. Blocking ends what the person has
//! running: nobody works on behalf of somebody who was shut out.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use tappet_engine::RunEvent;
use tappet_model::UserId;
use tappet_store::{Action, StoreError, Target};

use super::{ROOT, entry, open};
use crate::api::gitlab::BASE;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::operation::{self, Audience, Shape};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};

/// Blocking and unblocking.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::post("/users/{id}/block")
                .id("blockUser")
                .about("Shuts a person out and cancels their pipelines.")
                .audience(Audience::Admin)
                .reply(StatusCode::CREATED, Shape::Bytes("application/json")),
            block,
        )
        .add(
            operation::post("/users/{id}/unblock")
                .id("unblockUser")
                .about("Lets a person in again.")
                .audience(Audience::Admin)
                .reply(StatusCode::CREATED, Shape::Bytes("application/json")),
            unblock,
        )
}

/// `POST /users/:id/block`: `true`, or `null` for somebody blocked already.
pub async fn block(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (caller, account) = open(&app, &call).await?;
    let user = &account.user;
    if caller.user.as_ref().map(|user| user.id) == Some(user.id) {
        return Err(ApiError::forbidden_because(
            "The API initiating user cannot be blocked by the API",
        ));
    }
    if user.username == ROOT {
        return Err(ApiError::forbidden_because(
            "The built-in administrator cannot be blocked",
        ));
    }
    if !app.store.set_blocked(user.id, true).await? {
        return Ok(answer(&Value::Null));
    }
    cancel_runs(&app, user.id).await?;
    let details = json!({ "user_id": user.id, "username": user.username });
    app.audit(entry("user_blocked", &caller).details(details))
        .await;
    Ok(answer(&Value::Bool(true)))
}

/// `POST /users/:id/unblock`: `false` for somebody who is not blocked.
pub async fn unblock(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (caller, account) = open(&app, &call).await?;
    let user = &account.user;
    let is_changed = app.store.set_blocked(user.id, false).await?;
    if is_changed {
        let details = json!({ "user_id": user.id, "username": user.username });
        app.audit(entry("user_unblocked", &caller).details(details))
            .await;
    }
    Ok(answer(&Value::Bool(is_changed)))
}

async fn cancel_runs(app: &App, user: UserId) -> ApiResult<()> {
    for run in app.store.unfinished_runs_of(user).await? {
        let cancel = app.act(Target::Run(run), Action::Run(RunEvent::Cancel));
        match cancel.await {
            // One that ended meanwhile needs no cancel.
            Ok(_) | Err(StoreError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn answer(body: &Value) -> Response {
    (StatusCode::CREATED, axum::Json(body)).into_response()
}
