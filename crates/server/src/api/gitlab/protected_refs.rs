//! What protected branches and protected tags have in common.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};
use tappet_model::RefKind;
use tappet_store::ProtectedRef;

use super::access::{self, Access, Login};
use super::auth::JobTokens;
use super::call::Call;
use super::errors::{ApiError, ApiResult};
use super::pagination::{self, Pages};
use super::params::{Checks, as_text};
use crate::app::SharedApp;
use crate::audit::Entry;
use crate::rights::Right;

/// The access level that a protection has unless somebody says otherwise.
pub const MAINTAINERS: u32 = 40;

/// Nobody, developers, maintainers, administrators
/// (GitLab: `ProtectedRefAccess.allowed_access_levels`).
const LEVELS: [i64; 4] = [0, 30, 40, 60];

/// Parameters of GitLab's paid tiers that would change who may do what.
const UNSUPPORTED: [&str; 3] = [
    "allowed_to_unprotect",
    "code_owner_approval_required",
    "unprotect_access_level",
];

/// A right with its two parameters: one level, or a list of objects.
pub struct Levels {
    /// `push_access_level`.
    pub name: &'static str,
    /// `allowed_to_push`.
    pub list: &'static str,
}

impl Levels {
    /// The level, if given. `developers` is GitLab's older switch for level 30.
    /// The inner error is for after [`Checks::finish`].
    pub fn read(&self, checks: &mut Checks<'_>, developers: &str) -> ApiResult<Option<u32>> {
        let known = |level: &i64| LEVELS.contains(level);
        let level = checks.integer(self.name);
        if level.is_some_and(|level| !known(&level)) {
            checks.refuse(format!("{} does not have a valid value", self.name));
        }
        let developers = checks.boolean(developers) == Some(true);
        let mut levels: Vec<i64> = level.into_iter().chain(developers.then_some(30)).collect();
        for item in checks.array(self.list).unwrap_or_default() {
            let level = item
                .get("access_level")
                .and_then(as_text)
                .and_then(|text| text.parse().ok())
                .filter(known);
            match level {
                Some(level) => levels.push(level),
                None => {
                    return Err(ApiError::bad_request(format!(
                        "{} takes objects with access_level 0, 30, 40 or 60 on this server; \
                         people and groups cannot be named",
                        self.list
                    )));
                }
            }
        }
        // Each level lets somebody in, so the lowest that lets anybody in counts.
        let lowest = levels.iter().filter(|level| **level > 0).min();
        let lowest = lowest.or(levels.first());
        Ok(lowest.and_then(|level| u32::try_from(*level).ok()))
    }
}

/// The project, for those who manage its protections.
pub async fn open(app: &SharedApp, call: &Call, checked: ApiResult<()>) -> ApiResult<Access> {
    let (login, jobs) = (Login::Required, JobTokens::Ignored);
    let access = access::open_checked(app, call, login, jobs, checked).await?;
    access.require(Right::ManageProtectedRefs)?;
    Ok(access)
}

/// One page of the protections of a kind.
pub async fn list(
    app: &SharedApp,
    call: &Call,
    kind: RefKind,
    show: impl Fn(&ProtectedRef) -> Value,
) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let search = checks.filled_text("search");
    let access = open(app, call, checks.finish()).await?;
    let mut rules = app.store.protected_refs(access.project.id, kind).await?;
    if let Some(search) = search {
        let search = search.to_lowercase();
        rules.retain(|rule| rule.name.to_lowercase().contains(&search));
    }
    let per_page = usize::try_from(page.per_page).unwrap_or(usize::MAX);
    let first = usize::try_from(page.page - 1)
        .unwrap_or(usize::MAX)
        .saturating_mul(per_page);
    let shown: Vec<Value> = rules.iter().skip(first).take(per_page).map(show).collect();
    let pages = Pages {
        shown: page,
        total: u64::try_from(rules.len()).ok(),
        has_next: rules.len() > first.saturating_add(per_page),
    };
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, call, pages, &shown))
}

/// The protection of this very name.
pub async fn find(
    app: &SharedApp,
    call: &Call,
    kind: RefKind,
    checked: ApiResult<()>,
) -> ApiResult<(Access, ProtectedRef)> {
    let access = open(app, call, checked).await?;
    let name = call.path("name");
    let rules = app.store.protected_refs(access.project.id, kind).await?;
    let rule = rules.into_iter().find(|rule| rule.name == name);
    Ok((access, rule.ok_or_else(ApiError::record_not_found)?))
}

/// 204 after the protection of this name is gone.
pub async fn delete(
    app: &SharedApp,
    call: &Call,
    kind: RefKind,
    action: &str,
) -> ApiResult<Response> {
    let (access, rule) = find(app, call, kind, Ok(())).await?;
    if !app.store.unprotect_ref(rule.id).await? {
        return Err(ApiError::record_not_found());
    }
    app.audit(entry(action, &access, &rule)).await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// 422 of a name that protects nothing.
pub fn check_name(name: &str) -> ApiResult<()> {
    if name.trim().is_empty() {
        return Err(ApiError::unprocessable("Name can't be blank"));
    }
    if name.len() > 255 {
        let text = "Name is too long (maximum is 255 characters)";
        return Err(ApiError::unprocessable(text));
    }
    Ok(())
}

/// 400 that names a parameter which this server cannot keep.
pub fn refuse_unsupported(call: &Call) -> ApiResult<()> {
    match UNSUPPORTED
        .iter()
        .find(|name| call.params.contains_key(**name))
    {
        Some(name) => Err(ApiError::bad_request(format!(
            "{name} is not supported by this server; leave it out"
        ))),
        None => Ok(()),
    }
}

/// For the audit log.
pub fn entry(action: &str, access: &Access, rule: &ProtectedRef) -> Entry {
    Entry::new(action, access.standing.user_id)
        .credential(access.caller.credential())
        .project(access.project.id)
        .details(json!({
            "name": rule.name,
            "push_access_level": rule.push_level,
            "merge_access_level": rule.merge_level,
            "allow_force_push": rule.allow_force_push,
        }))
}
