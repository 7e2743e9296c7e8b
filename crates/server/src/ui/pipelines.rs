//! The pipelines of a project, newest first.

use std::collections::HashMap;

use askama::Template;
use axum::response::Response;
use futures_util::future::try_join_all;
use http::Uri;
use tappet_model::{RefKind, UserId};
use tappet_store::{Project, Run, RunFilter, StoreError};

use super::moment::Moment;
use super::paging::{self, Pages};
use super::pipeline::run_duration;
use super::problem::PageResult;
use super::source_badge::SourceBadge;
use super::status_mark::{self, StageMark, StatusMark};
use super::visit::{Frame, Visit, html};

#[derive(Template)]
#[template(path = "pipelines.html")]
struct PipelinesPage {
    frame: Frame,
    project: String,
    rows: Vec<Row>,
    pages: Pages,
    /// Something in the list still moves.
    is_live: bool,
    /// The visitor may change settings.
    can_manage: bool,
    example: Example,
}

struct Row {
    id: i64,
    mark: StatusMark,
    title: String,
    ref_name: String,
    is_tag: bool,
    sha: String,
    source: SourceBadge,
    who: String,
    created: Moment,
    duration: Option<String>,
    has_yaml_errors: bool,
    stages: Vec<StageMark>,
}

/// Filled into the commands that start a first pipeline.
struct Example {
    triggers: String,
    trigger: String,
    branch: String,
}

/// `GET /:project/-/pipelines?page=`.
pub async fn page(visit: &Visit, project: Project, uri: &Uri) -> PageResult<Response> {
    let asked = paging::request(uri);
    let listing = visit
        .app
        .store
        .runs(project.id, RunFilter::default(), asked)
        .await?;
    let pages = Pages::of(asked, &listing);
    let names = usernames(visit, &listing.items).await?;
    let is_live = listing.items.iter().any(|run| !run.status.is_completed());
    let rows = listing.items.into_iter().map(|run| row(visit, run, &names));
    let rows = try_join_all(rows).await?;
    let branch = if rows.is_empty() {
        default_branch(visit, &project).await
    } else {
        None
    };
    let api = |path: &str| {
        visit
            .app
            .config
            .url(&format!("/api/v4/projects/{}{path}", project.id))
    };
    html(&PipelinesPage {
        frame: visit.frame(format!("Pipelines · {}", project.path)),
        rows,
        pages,
        is_live,
        can_manage: visit.may_manage(&project).await?,
        example: Example {
            triggers: api("/triggers"),
            trigger: api("/trigger/pipeline"),
            branch: branch.unwrap_or_else(|| "main".to_owned()),
        },
        project: project.path,
    })
}

async fn row(visit: &Visit, run: Run, names: &HashMap<UserId, String>) -> Result<Row, StoreError> {
    let attempts = visit.app.store.run_attempts(run.id).await?;
    Ok(Row {
        id: run.id.0,
        mark: StatusMark::of_run(&run),
        source: SourceBadge::of(&run),
        who: run
            .user_id
            .and_then(|id| names.get(&id).cloned())
            .unwrap_or_default(),
        created: Moment::new(run.created_at, visit.now),
        duration: run_duration(&run, visit.now),
        has_yaml_errors: run.yaml_errors.is_some(),
        stages: status_mark::stages(&run, &attempts),
        sha: run.sha.short().to_owned(),
        is_tag: run.ref_kind == RefKind::Tag,
        ref_name: shown_ref(&run),
        title: run.name.unwrap_or(run.commit_title),
    })
}

/// A pull request is known by its number, not by the ref of its head.
fn shown_ref(run: &Run) -> String {
    let name = &run.ref_name;
    let number = name.strip_prefix("refs/merge-requests/");
    match number.and_then(|rest| rest.strip_suffix("/head")) {
        Some(number) if run.ref_kind == RefKind::PullRequest => format!("pull request {number}"),
        _ => name.clone(),
    }
}

async fn usernames(visit: &Visit, runs: &[Run]) -> Result<HashMap<UserId, String>, StoreError> {
    let mut names = HashMap::new();
    for run in runs {
        if !run.user_id.is_some_and(|id| names.contains_key(&id))
            && let Some(user) = visit.app.user_of(run).await?
        {
            names.insert(user.id, user.username);
        }
    }
    Ok(names)
}

async fn default_branch(visit: &Visit, project: &Project) -> Option<String> {
    let repositories = &visit.app.repositories;
    let repository = repositories.of(project).await.ok()?;
    repositories.default_branch(project, &repository).await
}
