//! Commits of a project's repository (GitLab: `lib/api/commits.rb`).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tappet_git::HistoryFilter;
use tappet_model::CommitSha;
use tappet_store::{PageRequest, Run, RunFilter};

use super::BASE;
use super::auth::JobTokens;
use super::call::Call;
use super::entities::commit::{Commit, CommitDetail, CommitWithStats};
use super::errors::{ApiError, ApiResult};
use super::pagination::{self, Pages};
use super::repository::{self, Opened};
use crate::api::operation::{self, Audience, boolean, one_of, text, time};
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::rights::Right;

const ORDERS: &[&str] = &["default", "topo"];

/// Commits.
pub fn routes() -> Routes {
    Routes::under(BASE)
        .add(
            operation::get("/projects/{id}/repository/commits")
                .id("listCommits")
                .about("Lists the commits that lead to a branch, a tag or a commit.")
                .audience(Audience::Visitor)
                .query(text("ref_name").about("The default branch unless given."))
                .query(text("path").about("Only commits that change it."))
                .query(text("author"))
                .query(time("since"))
                .query(time("until"))
                .query(boolean("all").about("Of every branch and tag."))
                .query(boolean("first_parent"))
                .query(boolean("with_stats"))
                .query(one_of("order", ORDERS))
                .paged()
                .replies_list::<CommitWithStats<'_>>(StatusCode::OK),
            list,
        )
        .add(
            operation::get("/projects/{id}/repository/commits/{sha}")
                .id("getCommit")
                .about("Shows a commit by its id, its first digits, a branch or a tag.")
                .audience(Audience::Visitor)
                .query(boolean("stats").about("With counts of changed lines."))
                .replies::<CommitDetail<'_>>(StatusCode::OK),
            get,
        )
}

/// `GET /projects/:id/repository/commits`. As in GitLab it is not counted, and a
/// ref that does not exist has no commits.
async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let opened = repository::open(&app, &call, JobTokens::Ignored).await?;
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let ref_name = checks.filled_text("ref_name");
    let order = checks.word("order", ORDERS);
    let all = checks.boolean("all").unwrap_or(false);
    let with_stats = checks.boolean("with_stats").unwrap_or(false);
    let filter = HistoryFilter {
        path: checks.filled_text("path").map(Into::into),
        since: checks.time("since"),
        until: checks.time("until"),
        author: checks.filled_text("author").map(Into::into),
        first_parent: checks.boolean("first_parent").unwrap_or(false),
        topological: order == Some("topo"),
    };
    checks.finish()?;
    if ref_name.as_ref().is_some_and(|name| name.starts_with('-')) {
        let text = "ref_name is invalid";
        return Err(ApiError::message(StatusCode::BAD_REQUEST, text));
    }
    let from = if all {
        opened.refresh(&app).await?;
        Some(Vec::new())
    } else {
        start(&app, &opened, ref_name.as_deref())
            .await?
            .map(|sha| vec![sha])
    };
    let repository = &opened.repository;
    let listed = match from {
        Some(from) => {
            let skip = u64::from(page.page - 1) * u64::from(page.per_page);
            repository
                .history(&from, &filter, skip, page.per_page + 1)
                .await?
        }
        None => Vec::new(),
    };
    let shown = usize::try_from(page.per_page).unwrap_or(usize::MAX);
    let mut commits = Vec::new();
    for sha in listed.iter().take(shown) {
        let stats = match with_stats {
            true => Some(repository.stats(sha).await?),
            false => None,
        };
        commits.push((repository.commit(sha).await?, stats));
    }
    let project = &opened.access.project;
    let items: Vec<CommitWithStats<'_>> = commits
        .iter()
        .map(|(commit, stats)| {
            CommitWithStats::of(Commit::in_project(&app.config, project, commit), *stats)
        })
        .collect();
    let pages = Pages {
        shown: page,
        total: None,
        has_next: listed.len() > shown,
    };
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &items))
}

/// The commit that a history begins with.
async fn start(
    app: &SharedApp,
    opened: &Opened,
    name: Option<&str>,
) -> ApiResult<Option<CommitSha>> {
    let name = match name {
        Some(name) => name.to_owned(),
        None => {
            let project = &opened.access.project;
            let repository = &opened.repository;
            match app.repositories.default_branch(project, repository).await {
                Some(branch) => format!("refs/heads/{branch}"),
                None => return Ok(None),
            }
        }
    };
    opened.refresh_ref(app, &name).await?;
    Ok(opened.repository.find_commit(&name).await?)
}

/// `GET /projects/:id/repository/commits/:sha`.
async fn get(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let opened = repository::open(&app, &call, JobTokens::Accepted).await?;
    let mut checks = call.checks();
    let with_stats = checks.boolean("stats").unwrap_or(true);
    checks.finish()?;
    let sha = find(&app, &opened, call.path("sha")).await?;
    let commit = opened.repository.commit(&sha).await?;
    let stats = match with_stats {
        true => Some(opened.repository.stats(&sha).await?),
        false => None,
    };
    let project = &opened.access.project;
    let run = match opened.access.may(Right::ReadPipelines) {
        true => newest_run(&app, &opened, &sha).await?,
        false => None,
    };
    let shown = CommitDetail::of(&app.config, project, &commit, stats, run.as_ref());
    Ok(axum::Json(shown).into_response())
}

/// A commit by whatever a caller calls it, or `404 Commit Not Found`.
pub async fn find(app: &SharedApp, opened: &Opened, name: &str) -> ApiResult<CommitSha> {
    if let Some(sha) = opened.repository.resolve_commit(name).await? {
        return Ok(sha.sha);
    }
    opened.refresh_ref(app, name).await?;
    let found = opened.repository.find_commit(name).await?;
    found.ok_or_else(|| ApiError::missing("Commit"))
}

async fn newest_run(app: &SharedApp, opened: &Opened, sha: &CommitSha) -> ApiResult<Option<Run>> {
    let filter = RunFilter {
        sha: Some(sha.to_string()),
        ..RunFilter::default()
    };
    let page = PageRequest {
        page: 1,
        per_page: 1,
    };
    let project = opened.access.project.id;
    let listing = app.store.runs(project, filter, page).await?;
    Ok(listing.items.into_iter().next())
}
