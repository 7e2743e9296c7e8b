//! Projects: list and get (GitLab: `lib/api/projects.rb`). Creation has its own file.

pub mod create;

use std::str::FromStr;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use tappet_store::{PageRequest, Project as ProjectRecord, RepositorySource, User};

use super::access::{self, Access, Login};
use super::auth::{self, JobTokens};
use super::call::Call;
use super::entities::project::{Project, RepositoryFacts};
use super::errors::{ApiError, ApiResult};
use super::pagination::{self, Pages};
use crate::app::{App, SharedApp};
use crate::rights::{Right, Role, Standing};

/// Filters of GitLab that would change the list and that we do not have.
const UNSUPPORTED: [&str; 14] = [
    "id_after",
    "id_before",
    "last_activity_after",
    "last_activity_before",
    "min_access_level",
    "marked_for_deletion_on",
    "repository_storage",
    "starred",
    "topic",
    "topic_id",
    "updated_after",
    "updated_before",
    "with_issues_enabled",
    "with_programming_language",
];

/// `GET /projects/:id`.
pub async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let access = access::open_project(&app, &call, Login::Optional, JobTokens::Ignored).await?;
    Ok(axum::Json(&shown(
        &app,
        &access.project,
        &facts(&app, &access).await,
        access.standing.effective_role(),
    ))
    .into_response())
}

fn shown<'a>(
    app: &App,
    project: &'a ProjectRecord,
    facts: &'a RepositoryFacts,
    role: Option<Role>,
) -> Project<'a> {
    Project::of(&app.config, project, facts, role)
}

/// Default branch and emptiness; a repository that cannot be read now hides
/// nothing else of its project.
async fn facts(app: &App, access: &Access) -> RepositoryFacts {
    let project = &access.project;
    let as_set = || RepositoryFacts {
        default_branch: project.default_branch.clone(),
        is_empty: false,
    };
    let Ok(repository) = app.repositories.of(project).await else {
        return as_set();
    };
    // A mirror is filled ref by ref, so its emptiness says nothing.
    let is_local = matches!(project.source, RepositorySource::Local(_));
    let is_empty = is_local && repository.is_empty().await.unwrap_or(false);
    RepositoryFacts {
        default_branch: app.repositories.default_branch(project, &repository).await,
        is_empty,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visibility {
    Private,
    Internal,
    Public,
}

impl Visibility {
    fn as_str(self) -> &'static str {
        match self {
            Visibility::Private => "private",
            Visibility::Internal => "internal",
            Visibility::Public => "public",
        }
    }
}

impl FromStr for Visibility {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [
            Visibility::Private,
            Visibility::Internal,
            Visibility::Public,
        ]
        .into_iter()
        .find(|visibility| visibility.as_str() == text)
        .ok_or(())
    }
}

/// Which projects of those that the store finds.
struct Wanted {
    user: Option<User>,
    visibility: Option<Visibility>,
    /// Only those in which the caller has a role.
    membership: bool,
    /// Only those that the caller owns.
    owned: bool,
    /// No project is archived.
    archived: bool,
}

impl Wanted {
    /// Everything the store finds is wanted.
    fn takes_all(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.is_admin)
            && self.visibility.is_none()
            && !self.membership
            && !self.owned
            && !self.archived
    }

    fn takes(&self, project: &ProjectRecord, standing: &Standing) -> bool {
        let visible = standing.may(Right::ReadProject, project);
        let matches = self
            .visibility
            .is_none_or(|visibility| visibility.as_str() == project.visibility);
        let is_mine = match (self.owned, self.membership) {
            (true, _) => standing.role == Some(Role::Owner),
            (false, true) => standing.role.is_some(),
            (false, false) => true,
        };
        visible && matches && is_mine && self.archived == project.settings.is_archived
    }
}

/// `GET /projects`, the newest first.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let caller = auth::authenticate(&app, &call, JobTokens::Ignored).await?;
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let search = checks
        .filled_text("search")
        .map(std::borrow::Cow::into_owned);
    let wanted = Wanted {
        user: caller.user,
        visibility: checks.one_of("visibility"),
        membership: checks.boolean("membership").unwrap_or(false),
        owned: checks.boolean("owned").unwrap_or(false),
        archived: checks.boolean("archived").unwrap_or(false),
    };
    let order_by = checks.filled_text("order_by");
    let sort = checks.filled_text("sort");
    checks.finish()?;
    refuse_unsupported(&call, order_by.as_deref(), sort.as_deref())?;

    let (items, total, has_next) = if wanted.takes_all() {
        let listing = app.store.projects(search, page).await?;
        (listing.items, listing.total, listing.has_next)
    } else {
        filtered(&app, search, &wanted, page).await?
    };
    let facts: Vec<RepositoryFacts> = items
        .iter()
        .map(|project| RepositoryFacts {
            default_branch: project.default_branch.clone(),
            is_empty: false,
        })
        .collect();
    let mut entities: Vec<Project<'_>> = Vec::with_capacity(items.len());
    for (project, facts) in items.iter().zip(&facts) {
        let standing = app.standing(wanted.user.as_ref(), project).await?;
        entities.push(shown(&app, project, facts, standing.effective_role()));
    }
    let pages = Pages {
        shown: page,
        total,
        has_next,
    };
    Ok(pagination::reply(
        &app.config.url(call.uri.path()),
        &call,
        pages,
        &entities,
    ))
}

fn refuse_unsupported(call: &Call, order_by: Option<&str>, sort: Option<&str>) -> ApiResult<()> {
    const ORDERS: [&str; 7] = [
        "id",
        "name",
        "path",
        "created_at",
        "updated_at",
        "star_count",
        "last_activity_at",
    ];
    if order_by.is_some_and(|order| !ORDERS.contains(&order)) {
        return Err(ApiError::param("order_by does not have a valid value"));
    }
    if sort.is_some_and(|sort| !matches!(sort, "asc" | "desc")) {
        return Err(ApiError::param("sort does not have a valid value"));
    }
    let unsupported = |what: &str| {
        Err(ApiError::bad_request(format!(
            "{what} is not supported by this server; projects come newest first"
        )))
    };
    if let Some(order) = order_by.filter(|order| !matches!(*order, "id" | "created_at")) {
        return unsupported(&format!("order_by={order}"));
    }
    if sort == Some("asc") {
        return unsupported("sort=asc");
    }
    match UNSUPPORTED
        .iter()
        .find(|name| call.params.contains_key(**name))
    {
        Some(name) => unsupported(name),
        None => Ok(()),
    }
}

/// Walks all projects, since the store knows nothing of who sees what.
async fn filtered(
    app: &App,
    search: Option<String>,
    wanted: &Wanted,
    page: PageRequest,
) -> ApiResult<(Vec<ProjectRecord>, Option<u64>, bool)> {
    let skip = u64::from(page.page - 1) * u64::from(page.per_page);
    let end = skip + u64::from(page.per_page);
    let mut items = Vec::new();
    let mut seen = 0;
    let mut step = PageRequest {
        page: 1,
        per_page: 100,
    };
    loop {
        let listing = app.store.projects(search.clone(), step).await?;
        for project in listing.items {
            let standing = app.standing(wanted.user.as_ref(), &project).await?;
            if !wanted.takes(&project, &standing) {
                continue;
            }
            if (skip..end).contains(&seen) {
                items.push(project);
            }
            seen += 1;
        }
        if !listing.has_next {
            return Ok((items, Some(seen), seen > end));
        }
        step.page += 1;
    }
}
