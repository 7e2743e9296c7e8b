//! Adding, changing and removing members.
//!
//! Nobody gives or takes a role above their own, and a project keeps an owner.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};
use tappet_model::{Timestamp, UserId};
use tappet_store::{Member as MemberRecord, MemberChange, StoreError, User};

use super::{find, open, shown};
use crate::api::gitlab::BASE;
use crate::api::gitlab::access::Access;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::member::Member;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::field_errors::FieldErrors;
use crate::api::gitlab::params::Checks;
use crate::api::operation::{self, Shape, integer, text, time};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::audit::Entry;
use crate::clock;
use crate::rights::{Right, Role};

/// Changes.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::post("/projects/{id}/members")
                .id("addMember")
                .about("Adds one person, or several whose ids have commas between.")
                .body(text("user_id").about("Or `username`."))
                .body(text("username"))
                .body(
                    integer("access_level")
                        .required()
                        .about("10, 20, 30, 40 or 50."),
                )
                .body(time("expires_at").about("A day; the membership ends as it begins."))
                .replies::<Member<'_>>(StatusCode::CREATED),
            add,
        )
        .add(
            operation::put("/projects/{id}/members/{user_id}")
                .id("updateMember")
                .about("Changes role and end of a membership.")
                .body(
                    integer("access_level")
                        .required()
                        .about("10, 20, 30, 40 or 50."),
                )
                .body(time("expires_at").about("A day, or empty for no end."))
                .replies::<Member<'_>>(StatusCode::OK),
            update,
        )
        .add(
            operation::delete("/projects/{id}/members/{user_id}")
                .id("removeMember")
                .about("Ends a membership; everybody may end their own.")
                .reply(StatusCode::NO_CONTENT, Shape::Empty),
            remove,
        )
}

/// Level and end out of a call.
struct Terms {
    level: i64,
    /// `Some(None)`: no end, said so.
    expires_at: Option<Option<Timestamp>>,
}

impl Terms {
    fn read(checks: &mut Checks<'_>) -> Self {
        let level = checks.required_integer("access_level");
        let expires_at = checks.date("expires_at");
        Self {
            level,
            expires_at: checks.names("expires_at").then_some(expires_at),
        }
    }

    /// The role, when the terms can be and are for the caller to set.
    fn role(&self, access: &Access) -> ApiResult<Role> {
        let role = u32::try_from(self.level).ok().and_then(Role::of_level);
        let mut errors = FieldErrors::default();
        if role.is_none() {
            errors.add("access_level", "is not included in the list");
        }
        if self
            .expires_at
            .flatten()
            .is_some_and(|end| end <= clock::now())
        {
            errors.add("expires_at", "cannot be a date in the past");
        }
        match role {
            Some(role) if errors.is_empty() => {
                above(access, role)?;
                Ok(role)
            }
            _ => Err(errors.into()),
        }
    }
}

/// 403 for a role above the caller's own.
fn above(access: &Access, role: Role) -> ApiResult<()> {
    if access.standing.is(role) {
        Ok(())
    } else {
        Err(ApiError::forbidden())
    }
}

/// `POST /projects/:id/members`.
pub async fn add(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let ids = checks.filled_text("user_id");
    let username = checks.filled_text("username");
    if !checks.names("user_id") && !checks.names("username") {
        checks.refuse("user_id, username are missing, at least one parameter must be provided");
    }
    if ids.is_some() && username.is_some() {
        checks.refuse("user_id, username are mutually exclusive");
    }
    let terms = Terms::read(&mut checks);
    let access = open(&app, &call, checks.finish()).await?;
    access.require(Right::ManageMembers)?;
    if let Some(list) = ids.as_deref().filter(|ids| ids.contains(',')) {
        return add_several(&app, &access, list, &terms).await;
    }
    let user = match (ids.as_deref(), username.as_deref()) {
        (Some(id), _) => user_of(&app, id).await?,
        (None, Some(name)) => app.store.user_by_username(name).await?,
        (None, None) => None,
    };
    let user = user.ok_or_else(|| ApiError::missing("User"))?;
    let held = app
        .store
        .membership(access.project.id, user.id, clock::now())
        .await?;
    if held.is_some() {
        return Err(exists());
    }
    let role = terms.role(&access)?;
    let member = add_one(&app, &access, &user, role, &terms).await?;
    shown(&app, StatusCode::CREATED, &member).await
}

fn exists() -> ApiError {
    ApiError::conflict("Member already exists")
}

async fn user_of(app: &App, id: &str) -> ApiResult<Option<User>> {
    match id.trim().parse() {
        Ok(id) => Ok(app
            .store
            .account(UserId(id))
            .await?
            .map(|account| account.user)),
        Err(_) => Ok(None),
    }
}

async fn add_one(
    app: &App,
    access: &Access,
    user: &User,
    role: Role,
    terms: &Terms,
) -> ApiResult<MemberRecord> {
    let member = MemberRecord {
        project_id: access.project.id,
        user_id: user.id,
        level: role.level(),
        expires_at: terms.expires_at.flatten(),
        created_by: access.standing.user_id,
        created_at: clock::now(),
    };
    match app.store.add_member(member.clone()).await {
        Err(StoreError::Taken { .. }) => return Err(exists()),
        other => other?,
    }
    app.audit(entry("member_added", access, &member)).await;
    Ok(member)
}

/// Several at once: GitLab tells by name who could not be added.
async fn add_several(app: &App, access: &Access, list: &str, terms: &Terms) -> ApiResult<Response> {
    let role = terms.role(access)?;
    let mut failures = Map::new();
    for id in list.split(',').map(str::trim).filter(|id| !id.is_empty()) {
        let Some(user) = user_of(app, id).await? else {
            failures.insert(id.to_owned(), json!("User not found"));
            continue;
        };
        let now = clock::now();
        let held = app
            .store
            .membership(access.project.id, user.id, now)
            .await?;
        if held.is_some() {
            failures.insert(user.username, json!("Member already exists"));
        } else {
            add_one(app, access, &user, role, terms).await?;
        }
    }
    let body = if failures.is_empty() {
        json!({ "status": "success" })
    } else {
        json!({ "status": "error", "message": Value::Object(failures) })
    };
    Ok((StatusCode::CREATED, axum::Json(body)).into_response())
}

/// `PUT /projects/:id/members/:user_id`.
pub async fn update(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let terms = Terms::read(&mut checks);
    let access = open(&app, &call, checks.finish()).await?;
    let id = UserId(call.number("user_id")?);
    access.require(Right::ManageMembers)?;
    let before = find(&app, &access, id).await?;
    let role = terms.role(&access)?;
    if let Some(held) = Role::of_level(before.level) {
        above(&access, held)?;
    }
    let change = app
        .store
        .update_member(
            access.project.id,
            id,
            role.level(),
            terms.expires_at,
            clock::now(),
        )
        .await?;
    let member = done(change)?;
    app.audit(entry("member_updated", &access, &member)).await;
    shown(&app, StatusCode::OK, &member).await
}

/// `DELETE /projects/:id/members/:user_id`.
pub async fn remove(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let id = UserId(call.number("user_id")?);
    let before = find(&app, &access, id).await?;
    if access.standing.user_id != Some(id) {
        access.require(Right::ManageMembers)?;
        if let Some(held) = Role::of_level(before.level) {
            above(&access, held)?;
        }
    }
    let change = app
        .store
        .remove_member(access.project.id, id, clock::now())
        .await?;
    let member = done(change)?;
    app.audit(entry("member_removed", &access, &member)).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn done(change: MemberChange) -> ApiResult<MemberRecord> {
    match change {
        MemberChange::Done(member) => Ok(member),
        MemberChange::Missing => Err(ApiError::record_not_found()),
        MemberChange::LastOwner => Err(ApiError::forbidden_because(
            "A project keeps at least one owner; add another one first",
        )),
    }
}

fn entry(action: &str, access: &Access, member: &MemberRecord) -> Entry {
    Entry::new(action, access.standing.user_id)
        .credential(access.caller.credential())
        .project(access.project.id)
        .details(json!({
            "user_id": member.user_id,
            "access_level": member.level,
            "expires_at": member.expires_at.map(|end| end.to_string()),
        }))
}
