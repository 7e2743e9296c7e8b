//! People (GitLab: `lib/api/users.rb`): looking and removing here, the rest in
//! files of its own.

mod attributes;
mod block;
mod change;
mod list;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tappet_model::UserId;
use tappet_store::{Account, UserDeletion};

use super::BASE;
use super::auth::{self, Caller};
use super::call::Call;
use super::entities::user::{Onlooker, User};
use super::errors::{ApiError, ApiResult};
use crate::api::operation::{self, Audience, Shape, boolean};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::audit::Entry;
use crate::clock;

/// The login name of the built-in administrator, who must stay one.
const ROOT: &str = "root";

/// People.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/user")
                .id("getCurrentUser")
                .about("Shows the caller.")
                .replies::<User<'_>>(StatusCode::OK),
            own,
        )
        .add(list::operation(), list::list)
        .add(
            operation::get("/users/{id}")
                .id("getUser")
                .about("Shows a person.")
                .audience(Audience::Visitor)
                .replies::<User<'_>>(StatusCode::OK),
            get,
        )
        .add(
            operation::delete("/users/{id}")
                .id("deleteUser")
                .about("Removes a person who left nothing behind.")
                .audience(Audience::Admin)
                .query(boolean("hard_delete"))
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            delete,
        )
        .and(change::routes())
        .and(block::routes())
}

/// `GET /user`.
pub async fn own(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let caller = auth::authenticate_for_people(&app, &call).await?;
    let user = caller.require_user()?;
    let account = app.store.account(user.id).await?;
    let account = account.ok_or_else(ApiError::unauthorized)?;
    let onlooker = if user.is_admin {
        Onlooker::Admin
    } else {
        Onlooker::Oneself
    };
    Ok(axum::Json(User::of(&app.config, &account, onlooker)).into_response())
}

/// `GET /users/:id`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let id = UserId(call.route_number("id")?);
    let caller = auth::authenticate_for_people(&app, &call).await?;
    let Some(user) = &caller.user else {
        return Err(ApiError::forbidden_because("Not authorized!"));
    };
    let account = find(&app, id).await?;
    // Even about oneself, as in GitLab: that is what `/user` is for.
    let onlooker = if user.is_admin {
        Onlooker::Admin
    } else {
        Onlooker::Other
    };
    Ok(axum::Json(User::of(&app.config, &account, onlooker)).into_response())
}

/// `DELETE /users/:id`.
pub async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (caller, account) = open(&app, &call).await?;
    let mut checks = call.checks();
    let is_hard = checks.boolean("hard_delete").unwrap_or(false);
    checks.finish()?;
    if is_hard {
        return Err(ApiError::bad_request(
            "hard_delete is not supported by this server; remove what the user owns first",
        ));
    }
    let user = &account.user;
    if user.username == ROOT {
        return Err(ApiError::forbidden_because(
            "The built-in administrator cannot be removed",
        ));
    }
    match app.store.delete_user(user.id, clock::now()).await? {
        UserDeletion::Deleted => {}
        UserDeletion::LastOwner { projects } => {
            return Err(ApiError::conflict(format!(
                "User cannot be removed while is the sole-owner of {}; add another owner first",
                projects.join(", ")
            )));
        }
        UserDeletion::InUse { things } => {
            return Err(ApiError::conflict(format!(
                "User cannot be removed because of {}, which stay; block the user instead",
                things.join(", ")
            )));
        }
    }
    let details = json!({ "user_id": user.id, "username": user.username });
    app.audit(entry("user_deleted", &caller).details(details))
        .await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn find(app: &App, id: UserId) -> ApiResult<Account> {
    let account = app.store.account(id).await?;
    account.ok_or_else(|| ApiError::missing("User"))
}

/// The person of `:id`, for an administrator.
async fn open(app: &SharedApp, call: &Call) -> ApiResult<(Caller, Account)> {
    let id = UserId(call.route_number("id")?);
    let caller = auth::authenticate_for_people(app, call).await?;
    caller.require_admin()?;
    let account = find(app, id).await?;
    Ok((caller, account))
}

fn entry(action: &str, caller: &Caller) -> Entry {
    let actor = caller.user.as_ref().map(|user| user.id);
    Entry::new(action, actor).credential(caller.credential())
}
