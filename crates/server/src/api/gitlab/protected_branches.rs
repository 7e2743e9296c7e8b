//! Protected branches (GitLab: `lib/api/protected_branches.rb`).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use tappet_model::RefKind;
use tappet_store::{NewProtectedRef, ProtectedRefChange, StoreError};

use super::BASE;
use super::call::Call;
use super::entities::protected_ref::ProtectedBranch;
use super::errors::{ApiError, ApiResult};
use super::protected_refs::{self, Levels};
use crate::api::operation::{self, Operation, Shape, boolean, integer, objects, text};
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::clock;

const PUSH: Levels = Levels {
    name: "push_access_level",
    list: "allowed_to_push",
};
const MERGE: Levels = Levels {
    name: "merge_access_level",
    list: "allowed_to_merge",
};

/// Protected branches.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/protected_branches")
                .id("listProtectedBranches")
                .about("Lists what protects branches of a project.")
                .query(text("search").about("A part of the name."))
                .paged()
                .replies_list::<ProtectedBranch<'_>>(StatusCode::OK),
            list,
        )
        .add(
            operation::get("/projects/{id}/protected_branches/{name}")
                .id("getProtectedBranch")
                .about("Shows a protected branch or pattern.")
                .replies::<ProtectedBranch<'_>>(StatusCode::OK),
            get,
        )
        .add(
            with_levels(
                operation::post("/projects/{id}/protected_branches")
                    .id("protectBranch")
                    .about("Protects a branch, or all that a pattern with `*` fits.")
                    .body(text("name").required()),
            )
            .replies::<ProtectedBranch<'_>>(StatusCode::CREATED),
            create,
        )
        .add(
            with_levels(
                operation::patch("/projects/{id}/protected_branches/{name}")
                    .id("updateProtectedBranch")
                    .about("Changes who may push and merge."),
            )
            .replies::<ProtectedBranch<'_>>(StatusCode::OK),
            update,
        )
        .add(
            operation::delete("/projects/{id}/protected_branches/{name}")
                .id("unprotectBranch")
                .about("Takes a protection away.")
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            delete,
        )
}

fn with_levels(operation: Operation) -> Operation {
    operation
        .body(
            integer(PUSH.name).about("0 nobody, 30 developers, 40 maintainers, 60 administrators."),
        )
        .body(integer(MERGE.name).about("The same."))
        .body(objects(PUSH.list).about("Objects with `access_level`."))
        .body(objects(MERGE.list).about("Objects with `access_level`."))
        .body(boolean("developers_can_push"))
        .body(boolean("developers_can_merge"))
        .body(boolean("allow_force_push"))
}

/// `GET /projects/:id/protected_branches`.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    protected_refs::list(&app, &call, RefKind::Branch, |rule| {
        json!(ProtectedBranch::of(rule))
    })
    .await
}

/// `GET /projects/:id/protected_branches/:name`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (_, rule) = protected_refs::find(&app, &call, RefKind::Branch, Ok(())).await?;
    Ok(axum::Json(ProtectedBranch::of(&rule)).into_response())
}

/// `POST /projects/:id/protected_branches`.
pub async fn create(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let name = checks.required_text("name").into_owned();
    let push = PUSH.read(&mut checks, "developers_can_push");
    let merge = MERGE.read(&mut checks, "developers_can_merge");
    let allow_force_push = checks.boolean("allow_force_push").unwrap_or(false);
    let access = protected_refs::open(&app, &call, checks.finish()).await?;
    protected_refs::refuse_unsupported(&call)?;
    protected_refs::check_name(&name)?;
    let new = NewProtectedRef {
        project_id: access.project.id,
        kind: RefKind::Branch,
        name: name.clone(),
        push_level: push?.unwrap_or(protected_refs::MAINTAINERS),
        merge_level: merge?.unwrap_or(protected_refs::MAINTAINERS),
        allow_force_push,
        now: clock::now(),
    };
    let rule = match app.store.protect_ref(new).await {
        Err(StoreError::Taken { .. }) => {
            return Err(ApiError::conflict(format!(
                "Protected branch '{name}' already exists"
            )));
        }
        other => other?,
    };
    app.audit(protected_refs::entry("branch_protected", &access, &rule))
        .await;
    Ok((StatusCode::CREATED, axum::Json(ProtectedBranch::of(&rule))).into_response())
}

/// `PATCH /projects/:id/protected_branches/:name`.
pub async fn update(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let push = PUSH.read(&mut checks, "developers_can_push");
    let merge = MERGE.read(&mut checks, "developers_can_merge");
    let allow_force_push = checks.boolean("allow_force_push");
    let checked = checks.finish();
    let (access, rule) = protected_refs::find(&app, &call, RefKind::Branch, checked).await?;
    protected_refs::refuse_unsupported(&call)?;
    let change = ProtectedRefChange {
        push_level: push?,
        merge_level: merge?,
        allow_force_push,
    };
    let rule = app.store.update_protected_ref(rule.id, change).await?;
    app.audit(protected_refs::entry(
        "branch_protection_updated",
        &access,
        &rule,
    ))
    .await;
    Ok(axum::Json(ProtectedBranch::of(&rule)).into_response())
}

/// `DELETE /projects/:id/protected_branches/:name`.
pub async fn delete(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    protected_refs::delete(&app, &call, RefKind::Branch, "branch_unprotected").await
}
