//! Lists of builds: of a project, and of a commit.

use axum::extract::State;
use axum::response::Response;
use serde_json::Value;
use tappet_model::Status;
use tappet_store::{Attempt, AttemptFilter, PageRequest, Project, ProjectAttempts, RunFilter};

use super::build;
use crate::api::gitlab::access::{self, Access, Login};
use crate::api::gitlab::auth::JobTokens;
use crate::api::gitlab::call::Call;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::jobs::context::JobContext;
use crate::api::gitlab::pagination::{self, Pages};
use crate::app::{App, SharedApp};
use crate::rights::Right;

/// What `scope` may be.
pub const SCOPES: [&str; 6] = [
    "pending", "running", "failed", "success", "canceled", "skipped",
];

async fn open(app: &SharedApp, call: &Call) -> ApiResult<(Access, PageRequest, Vec<Status>)> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let statuses = statuses(call.params.get("scope"));
    if statuses.is_none() {
        checks.refuse("scope does not have a valid value");
    }
    let checked = checks.finish();
    let (login, jobs) = (Login::Required, JobTokens::Ignored);
    let access = access::open_checked(app, call, login, jobs, checked).await?;
    access.require(Right::ReadJobs)?;
    Ok((access, page, statuses.unwrap_or_default()))
}

/// One word, a list, or a map of words, as `scope[0]=pending` gives.
fn statuses(scope: Option<&Value>) -> Option<Vec<Status>> {
    let words: Vec<&Value> = match scope {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) if text.is_empty() => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(Value::Object(items)) => items.values().collect(),
        Some(other) => vec![other],
    };
    let word = |value: &Value| {
        let text = value.as_str().filter(|text| SCOPES.contains(text))?;
        text.parse().ok()
    };
    words.into_iter().map(word).collect()
}

/// `GET /projects/:id/builds`.
pub async fn of_project(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, page, statuses) = open(&app, &call).await?;
    let wanted = ProjectAttempts {
        statuses,
        offset: u64::from(page.page - 1) * u64::from(page.per_page),
        // One more shows whether another page follows.
        limit: page.per_page + 1,
        ..ProjectAttempts::default()
    };
    let id = access.project.id;
    let mut attempts = app.store.project_attempts(id, wanted).await?;
    let has_next = attempts.len() > page.per_page as usize;
    attempts.truncate(page.per_page as usize);
    let pages = Pages {
        shown: page,
        total: None,
        has_next,
    };
    reply(&app, &call, &access.project, pages, &attempts).await
}

/// `GET /projects/:id/repository/commits/:sha/builds`: of all runs of the commit.
pub async fn of_commit(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let (access, page, statuses) = open(&app, &call).await?;
    let repository = app.repositories.of(&access.project).await;
    let repository = repository.map_err(|_| ApiError::not_found())?;
    let sha = repository.find_commit(call.path("sha")).await;
    let sha = sha.ok().flatten().ok_or_else(ApiError::not_found)?;
    let filter = RunFilter {
        sha: Some(sha.to_string()),
        ..RunFilter::default()
    };
    let mut attempts = Vec::new();
    let mut runs = first_page();
    loop {
        let listing = app
            .store
            .runs(access.project.id, filter.clone(), runs)
            .await?;
        for run in &listing.items {
            all_of_run(&app, run.id, &statuses, &mut attempts).await?;
        }
        if !listing.has_next {
            break;
        }
        runs.page += 1;
    }
    attempts.sort_by_key(|attempt| std::cmp::Reverse(attempt.id));
    let (pages, shown) = pagination::page_of(&attempts, page);
    reply(&app, &call, &access.project, pages, shown).await
}

fn first_page() -> PageRequest {
    PageRequest {
        page: 1,
        per_page: 100,
    }
}

async fn all_of_run(
    app: &App,
    run: tappet_model::RunId,
    statuses: &[Status],
    into: &mut Vec<Attempt>,
) -> ApiResult<()> {
    let mut page = first_page();
    loop {
        let filter = AttemptFilter {
            statuses: statuses.to_vec(),
            include_retried: true,
        };
        let listing = app.store.attempts(run, filter, page).await?;
        into.extend(listing.items);
        if !listing.has_next {
            return Ok(());
        }
        page.page += 1;
    }
}

async fn reply(
    app: &App,
    call: &Call,
    project: &Project,
    pages: Pages,
    attempts: &[Attempt],
) -> ApiResult<Response> {
    let context = JobContext::read(app, project, attempts).await?;
    let shown = context
        .jobs(attempts)
        .iter()
        .map(build::of)
        .collect::<ApiResult<Vec<_>>>()?;
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, call, pages, &shown))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!(null), Some(vec![]))]
    #[case(json!(""), Some(vec![]))]
    #[case(json!("failed"), Some(vec![Status::Failed]))]
    #[case(json!(["failed", "success"]), Some(vec![Status::Failed, Status::Success]))]
    #[case(json!({"0": "pending", "1": "running"}), Some(vec![Status::Pending, Status::Running]))]
    #[case(json!("manual"), None)]
    #[case(json!(["failed", "x"]), None)]
    #[case(json!(1), None)]
    fn scopes_come_in_three_forms(#[case] scope: Value, #[case] expected: Option<Vec<Status>>) {
        assert_eq!(statuses(Some(&scope)), expected);
    }
}
