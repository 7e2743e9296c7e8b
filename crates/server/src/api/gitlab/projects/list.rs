//! `GET /projects`: those that the caller sees.

use std::borrow::Cow;
use std::str::FromStr;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use tappet_model::ProjectId;
use tappet_store::{Listing, Project as ProjectRecord, ProjectFilter, ProjectOrder, User};

use super::attributes::Visibility;
use crate::api::gitlab::auth::{self, JobTokens};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::entities::project::{BasicProject, Project, RepositoryFacts};
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::pagination::{self, Pages};
use crate::api::gitlab::params::Checks;
use crate::api::operation::{self, Audience, Operation, boolean, integer, one_of, text};
use crate::app::{App, SharedApp};
use crate::clock;
use crate::rights::{self, Role};

/// Filters of GitLab that would change the list and that we do not have.
const UNSUPPORTED: [&str; 14] = [
    "active",
    "last_activity_after",
    "last_activity_before",
    "marked_for_deletion_on",
    "repository_storage",
    "starred",
    "topic",
    "topic_id",
    "updated_after",
    "updated_before",
    "with_issues_enabled",
    "with_merge_requests_enabled",
    "with_programming_language",
    "include_pending_delete",
];

const ORDERS: [&str; 8] = [
    "id",
    "name",
    "path",
    "created_at",
    "updated_at",
    "last_activity_at",
    "star_count",
    "similarity",
];

/// Access levels that a filter may name (GitLab: `Gitlab::Access.all_values`).
const LEVELS: [i64; 7] = [5, 10, 15, 20, 30, 40, 50];

/// What `GET /projects` takes and gives.
pub fn operation() -> Operation {
    operation::get("/projects")
        .id("listProjects")
        .about("Lists the projects that the caller sees.")
        .audience(Audience::Visitor)
        .query(text("search").about("A part of path, name or description."))
        .query(one_of("visibility", &["private", "internal", "public"]))
        .query(boolean("membership").about("Only those the caller belongs to."))
        .query(boolean("owned").about("Only those the caller owns."))
        .query(integer("min_access_level").about("Only those with at least this role."))
        .query(boolean("archived"))
        .query(boolean("simple").about("Fewer fields."))
        .query(one_of(
            "order_by",
            &[
                "id",
                "name",
                "path",
                "created_at",
                "updated_at",
                "last_activity_at",
            ],
        ))
        .query(one_of("sort", &["asc", "desc"]))
        .query(integer("id_after"))
        .query(integer("id_before"))
        .query(one_of("pagination", &["keyset", "legacy"]))
        .paged()
        .replies_list::<Project<'_>>(StatusCode::OK)
}

/// Smallest or greatest first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Asc,
    Desc,
}

impl FromStr for Sort {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "asc" => Ok(Sort::Asc),
            "desc" => Ok(Sort::Desc),
            _ => Err(()),
        }
    }
}

/// A list as asked for.
struct Asked {
    filter: ProjectFilter,
    is_simple: bool,
    is_keyset: bool,
    /// Only for people who are signed in, and nobody is.
    is_nobodys: bool,
}

/// `GET /projects`.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let caller = auth::authenticate(&app, &call, JobTokens::Ignored).await?;
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let asked = asked(&mut checks, caller.user.as_ref());
    let order_by = checks.filled_text("order_by");
    checks.finish()?;
    let asked = ordered(&call, asked, order_by.as_deref())?;

    let listing = if asked.is_nobodys {
        Listing {
            items: Vec::new(),
            total: Some(0),
            has_next: false,
        }
    } else {
        let filter = asked.filter.clone();
        app.store
            .visible_projects(filter, clock::now(), page)
            .await?
    };
    let address = app.config.url(call.uri.path());
    let shown = shown(&app, caller.user.as_ref(), &listing.items).await?;
    let pages = Pages::of(page, &listing);
    if asked.is_keyset {
        let last = listing.items.last().filter(|_| listing.has_next);
        let parameter = if asked.filter.ascending {
            "id_after"
        } else {
            "id_before"
        };
        let next = last.map(|project| (parameter, project.id.to_string()));
        return Ok(pagination::keyset_reply(
            &address, &call, page, next, &shown,
        ));
    }
    if asked.is_simple {
        let basic: Vec<BasicProject<'_>> = shown.into_iter().map(Project::basic).collect();
        return Ok(pagination::reply(&address, &call, pages, &basic));
    }
    Ok(pagination::reply(&address, &call, pages, &shown))
}

fn asked(checks: &mut Checks<'_>, user: Option<&User>) -> Asked {
    let min_access_level = checks.integer("min_access_level");
    if min_access_level.is_some_and(|level| !LEVELS.contains(&level)) {
        checks.refuse("min_access_level does not have a valid value");
    }
    let mut level = min_access_level.and_then(|level| u32::try_from(level).ok());
    if checks.boolean("membership") == Some(true) {
        level = level.max(Some(Role::Guest.level()));
    }
    if checks.boolean("owned") == Some(true) {
        level = level.max(Some(Role::Owner.level()));
    }
    let visibility: Option<Visibility> = checks.one_of("visibility");
    let sort = checks.one_of("sort").unwrap_or(Sort::Desc);
    let pagination = checks.word("pagination", &["keyset", "legacy"]);
    Asked {
        filter: ProjectFilter {
            viewer: rights::viewer(user),
            member: level.zip(user).map(|(level, user)| (user.id, level)),
            search: checks.filled_text("search").map(Cow::into_owned),
            visibility: visibility.map(|visibility| visibility.as_str().to_owned()),
            is_archived: checks.boolean("archived"),
            id_after: checks.integer("id_after").map(ProjectId),
            id_before: checks.integer("id_before").map(ProjectId),
            order_by: ProjectOrder::default(),
            ascending: sort == Sort::Asc,
        },
        is_simple: checks.boolean("simple") == Some(true),
        is_keyset: pagination == Some("keyset"),
        is_nobodys: level.is_some() && user.is_none(),
    }
}

/// With the order, where it is one that we have.
fn ordered(call: &Call, mut asked: Asked, order_by: Option<&str>) -> ApiResult<Asked> {
    if order_by.is_some_and(|order| !ORDERS.contains(&order)) {
        return Err(ApiError::param("order_by does not have a valid value"));
    }
    if asked.is_keyset && order_by.is_some_and(|order| order != "id") {
        return Err(ApiError::error(
            StatusCode::METHOD_NOT_ALLOWED,
            "Keyset pagination is not yet available for this type of request",
        ));
    }
    asked.filter.order_by = match order_by {
        // Ids rise with time.
        None | Some("id" | "created_at") => ProjectOrder::Id,
        Some("name") => ProjectOrder::Name,
        Some("path") => ProjectOrder::Path,
        Some("updated_at" | "last_activity_at") => ProjectOrder::UpdatedAt,
        Some(other) => return Err(unsupported(&format!("order_by={other}"))),
    };
    match UNSUPPORTED
        .iter()
        .find(|name| call.params.contains_key(**name))
    {
        Some(name) => Err(unsupported(name)),
        None => Ok(asked),
    }
}

fn unsupported(what: &str) -> ApiError {
    ApiError::bad_request(format!(
        "{what} is not supported by this server; leave it out"
    ))
}

async fn shown<'a>(
    app: &App,
    user: Option<&User>,
    projects: &'a [ProjectRecord],
) -> ApiResult<Vec<Project<'a>>> {
    let mut shown = Vec::with_capacity(projects.len());
    for project in projects {
        let facts = RepositoryFacts {
            default_branch: app.repositories.default_branch_at_hand(project).await,
            is_empty: false,
        };
        let role = app.standing(user, project).await?.effective_role();
        shown.push(Project::of(&app.config, project, facts, role));
    }
    Ok(shown)
}
