//! Protected tags (GitLab: `lib/api/protected_tags.rb`).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tappet_model::RefKind;
use tappet_store::{NewProtectedRef, StoreError};

use super::BASE;
use super::call::Call;
use super::entities::protected_ref::ProtectedTag;
use super::errors::{ApiError, ApiResult};
use super::protected_refs::{self, Levels};
use crate::api::operation::{self, Shape, integer, objects, text};
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::clock;

const CREATE: Levels = Levels {
    name: "create_access_level",
    list: "allowed_to_create",
};

/// Protected tags.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/protected_tags")
                .id("listProtectedTags")
                .about("Lists what protects tags of a project.")
                .paged()
                .replies_list::<ProtectedTag<'_>>(StatusCode::OK),
            list,
        )
        .add(
            operation::get("/projects/{id}/protected_tags/{name}")
                .id("getProtectedTag")
                .about("Shows a protected tag or pattern.")
                .replies::<ProtectedTag<'_>>(StatusCode::OK),
            get,
        )
        .add(
            operation::post("/projects/{id}/protected_tags")
                .id("protectTag")
                .about("Protects a tag, or all that a pattern with `*` fits.")
                .body(text("name").required())
                .body(
                    integer(CREATE.name)
                        .about("0 nobody, 30 developers, 40 maintainers, 60 administrators."),
                )
                .body(objects(CREATE.list).about("Objects with `access_level`."))
                .replies::<ProtectedTag<'_>>(StatusCode::CREATED),
            create,
        )
        .add(
            operation::delete("/projects/{id}/protected_tags/{name}")
                .id("unprotectTag")
                .about("Takes a protection away.")
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            delete,
        )
}

/// `GET /projects/:id/protected_tags`.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    protected_refs::list(&app, &call, RefKind::Tag, |rule| {
        json!(ProtectedTag::of(rule))
    })
    .await
}

/// `GET /projects/:id/protected_tags/:name`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (_, rule) = protected_refs::find(&app, &call, RefKind::Tag, Ok(())).await?;
    Ok(axum::Json(ProtectedTag::of(&rule)).into_response())
}

/// `POST /projects/:id/protected_tags`.
pub async fn create(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let name = checks.required_text("name").into_owned();
    let level = CREATE.read(&mut checks, "developers_can_create");
    let access = protected_refs::open(&app, &call, checks.finish()).await?;
    protected_refs::check_name(&name)?;
    let level = level?.unwrap_or(protected_refs::MAINTAINERS);
    let new = NewProtectedRef {
        project_id: access.project.id,
        kind: RefKind::Tag,
        name,
        push_level: level,
        merge_level: 0,
        allow_force_push: false,
        now: clock::now(),
    };
    let rule = match app.store.protect_ref(new).await {
        Err(StoreError::Taken { .. }) => {
            return Err(ApiError::unprocessable("Name has already been taken"));
        }
        other => other?,
    };
    app.audit(protected_refs::entry("tag_protected", &access, &rule))
        .await;
    Ok((StatusCode::CREATED, axum::Json(ProtectedTag::of(&rule))).into_response())
}

/// `DELETE /projects/:id/protected_tags/:name`.
pub async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    protected_refs::delete(&app, &call, RefKind::Tag, "tag_unprotected").await
}
