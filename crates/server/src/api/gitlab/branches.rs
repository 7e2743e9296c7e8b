//! Branches of a project's repository (GitLab: `lib/api/branches.rb`).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_git::Ref;
use tappet_model::RefKind;

use super::BASE;
use super::auth::JobTokens;
use super::call::Call;
use super::entities::branch::{Branch, BranchFacts};
use super::errors::{ApiError, ApiResult};
use super::pagination::{self, page_of};
use super::repository::{self, BRANCHES, Opened, found_by};
use crate::api::operation::{self, Audience, one_of, text};
use crate::api::routes::Routes;
use crate::app::SharedApp;

/// Orders of the list.
const SORTS: &[&str] = &["name_asc", "updated_asc", "updated_desc"];

/// Branches.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/repository/branches")
                .id("listBranches")
                .about("Lists the branches of the repository.")
                .audience(Audience::Visitor)
                .query(text("search").about("^ and $ bind to the ends, * is anything."))
                .query(text("regex").about("A regular expression."))
                .query(one_of("sort", SORTS))
                .paged()
                .replies_list::<Branch<'_>>(StatusCode::OK),
            list,
        )
        .add(
            operation::get("/projects/{id}/repository/branches/{branch}")
                .id("getBranch")
                .about("Shows one branch.")
                .audience(Audience::Visitor)
                .replies::<Branch<'_>>(StatusCode::OK),
            get,
        )
}

/// `GET /projects/:id/repository/branches`.
async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let opened = repository::open(&app, &call, JobTokens::Ignored).await?;
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let search = checks.filled_text("search");
    let pattern = checks.filled_text("regex");
    let sort = checks.word("sort", SORTS);
    let regex = pattern.map(|pattern| regex::Regex::new(&pattern));
    if regex.as_ref().is_some_and(Result::is_err) {
        checks.refuse("regex is invalid");
    }
    checks.finish()?;
    opened.refresh(&app).await?;
    let mut branches = opened.repository.branches().await?;
    if let Some(search) = search {
        branches.retain(|branch| found_by(&search, &branch.name));
    }
    if let Some(Ok(regex)) = regex {
        branches.retain(|branch| regex.is_match(&branch.name));
    }
    match sort {
        Some("updated_asc") => branches.sort_by_key(|branch| branch.dated),
        Some("updated_desc") => branches.sort_by_key(|branch| std::cmp::Reverse(branch.dated)),
        _ => {}
    }
    let (pages, shown) = page_of(&branches, page);
    let facts = facts(&app, &opened, &shown.iter().collect::<Vec<_>>()).await?;
    let items: Vec<Branch<'_>> = facts
        .iter()
        .map(|facts| Branch::of(&app.config, &opened.access.project, facts))
        .collect();
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &items))
}

/// `GET /projects/:id/repository/branches/:branch`.
async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let opened = repository::open(&app, &call, JobTokens::Ignored).await?;
    let name = call.path("branch");
    let branch = opened.find_ref(&app, &BRANCHES, name).await?;
    let facts = facts(&app, &opened, &[&branch]).await?;
    let facts = facts.first().ok_or_else(|| ApiError::missing("Branch"))?;
    let shown = Branch::of(&app.config, &opened.access.project, facts);
    Ok(axum::Json(shown).into_response())
}

/// What is shown of some branches beside their names.
async fn facts<'a>(
    app: &SharedApp,
    opened: &Opened,
    branches: &[&'a Ref],
) -> ApiResult<Vec<BranchFacts<'a>>> {
    let Opened { access, repository } = opened;
    let default = app
        .repositories
        .default_branch(&access.project, repository)
        .await;
    let into = match &default {
        Some(name) => repository.find_ref(RefKind::Branch, name).await?,
        None => None,
    };
    let merged = match &into {
        Some(into) => repository.merged(branches, into).await?,
        None => Default::default(),
    };
    let protections = opened.protections(app, RefKind::Branch).await?;
    let mut facts = Vec::with_capacity(branches.len());
    for branch in branches {
        let rules = protections.of(&branch.name);
        facts.push(BranchFacts {
            branch,
            commit: repository.commit(&branch.sha).await?,
            is_default: default.as_deref() == Some(&*branch.name),
            is_merged: merged.contains(&branch.name),
            can_push: access.pushes(&rules),
            rules: rules.into_iter().cloned().collect(),
        });
    }
    Ok(facts)
}
