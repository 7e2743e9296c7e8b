//! Members of a project (GitLab: `lib/api/members.rb`): looking here, changing in
//! a file of its own. There are no groups, so "all" members are the direct ones.

mod change;

use std::borrow::Cow;
use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_model::UserId;
use tappet_store::{Member as MemberRecord, MemberFilter, User};

use super::BASE;
use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::entities::member::Member;
use super::errors::{ApiError, ApiResult};
use super::pagination::{self, Pages};
use crate::api::operation::{self, Operation, integer, text};
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::clock;
use crate::rights::Right;

/// Members.
pub fn routes() -> Routes {
    let lists = |operation: Operation| {
        operation
            .query(text("query").about("A part of the names, or the whole address."))
            .query(integer("user_ids").about("One id, or several with commas between."))
            .paged()
            .replies_list::<Member<'_>>(StatusCode::OK)
    };
    Routes::under(BASE)
        .add(
            lists(operation::get("/projects/{id}/members"))
                .id("listMembers")
                .about("Lists the members of a project."),
            list,
        )
        .add(
            lists(operation::get("/projects/{id}/members/all"))
                .id("listAllMembers")
                .about("Lists the same, since there are no groups to inherit from."),
            list,
        )
        .add(
            operation::get("/projects/{id}/members/{user_id}")
                .id("getMember")
                .about("Shows a member.")
                .replies::<Member<'_>>(StatusCode::OK),
            get,
        )
        .add(
            operation::get("/projects/{id}/members/all/{user_id}")
                .id("getAnyMember")
                .about("Shows a member.")
                .replies::<Member<'_>>(StatusCode::OK),
            get,
        )
        .and(change::routes())
}

async fn open(app: &SharedApp, call: &Call, checked: ApiResult<()>) -> ApiResult<Access> {
    let (login, jobs) = (Login::Required, JobTokens::Ignored);
    let access = access::open_checked(app, call, login, jobs, checked).await?;
    access.require(Right::ReadMembers)?;
    Ok(access)
}

/// `GET /projects/:id/members` and `/members/all`.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let search = checks.filled_text("query").map(Cow::into_owned);
    let ids: Option<Result<Vec<UserId>, _>> = checks
        .texts("user_ids")
        .map(|ids| ids.iter().map(|id| id.parse()).collect());
    if matches!(ids, Some(Err(_))) {
        checks.refuse("user_ids is invalid");
    }
    let access = open(&app, &call, checks.finish()).await?;
    let filter = MemberFilter {
        search,
        user_ids: ids.and_then(Result::ok),
    };
    let listing = app
        .store
        .members(access.project.id, filter, clock::now(), page)
        .await?;
    let mut inviters: HashMap<UserId, User> = HashMap::new();
    for (member, _) in &listing.items {
        if let Some(id) = member.created_by
            && !inviters.contains_key(&id)
            && let Some(user) = app.store.user(id).await?
        {
            inviters.insert(id, user);
        }
    }
    let members = listing.items.iter();
    let shown: Vec<Member<'_>> = members
        .map(|(member, user)| {
            let inviter = member.created_by.and_then(|id| inviters.get(&id));
            Member::of(&app.config, member, user, inviter)
        })
        .collect();
    let pages = Pages::of(page, &listing);
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &shown))
}

/// `GET /projects/:id/members/:user_id` and `/members/all/:user_id`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = open(&app, &call, Ok(())).await?;
    let id = UserId(call.number("user_id")?);
    let member = find(&app, &access, id).await?;
    shown(&app, StatusCode::OK, &member).await
}

async fn find(app: &App, access: &Access, id: UserId) -> ApiResult<MemberRecord> {
    app.store
        .membership(access.project.id, id, clock::now())
        .await?
        .ok_or_else(ApiError::record_not_found)
}

async fn shown(app: &App, status: StatusCode, member: &MemberRecord) -> ApiResult<Response> {
    let user = app.store.user(member.user_id).await?;
    let user = user.ok_or_else(ApiError::record_not_found)?;
    let inviter = match member.created_by {
        Some(id) => app.store.user(id).await?,
        None => None,
    };
    let shown = Member::of(&app.config, member, &user, inviter.as_ref());
    Ok((status, axum::Json(shown)).into_response())
}
