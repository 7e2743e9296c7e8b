//! Removing what is too old, now instead of at the next turn: for administrators,
//! and not GitLab's.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use tappet_model::UserId;

use super::BASE;
use super::auth::{self, JobTokens};
use super::call::Call;
use super::errors::{ApiError, ApiResult};
use crate::api::operation::{self, Audience};
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::audit::Entry;
use crate::clock;
use crate::retention::{Mode, Sweep, sweep};

/// What is too old.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/admin/gc")
                .id("showGarbage")
                .about("Tells what is too old to stay.")
                .audience(Audience::Admin)
                .replies::<Sweep>(StatusCode::OK),
            show,
        )
        .add(
            operation::post("/admin/gc")
                .id("collectGarbage")
                .about("Removes what is too old to stay.")
                .audience(Audience::Admin)
                .replies::<Sweep>(StatusCode::OK),
            collect,
        )
}

async fn admin(app: &SharedApp, call: &Call) -> ApiResult<UserId> {
    let caller = auth::authenticate(app, call, JobTokens::Ignored).await?;
    let user = caller.require_user()?;
    if user.is_admin {
        Ok(user.id)
    } else {
        Err(ApiError::forbidden())
    }
}

/// `GET /admin/gc`.
pub async fn show(State(app): State<SharedApp>, call: Call) -> ApiResult<Json<Sweep>> {
    admin(&app, &call).await?;
    Ok(Json(sweep(&app, clock::now(), Mode::Count).await?))
}

/// `POST /admin/gc`.
pub async fn collect(State(app): State<SharedApp>, call: Call) -> ApiResult<Json<Sweep>> {
    let admin = admin(&app, &call).await?;
    let swept = sweep(&app, clock::now(), Mode::Remove).await?;
    let details = serde_json::to_value(swept).unwrap_or_default();
    app.audit(Entry::new("garbage_collected", Some(admin)).details(details))
        .await;
    Ok(Json(swept))
}
