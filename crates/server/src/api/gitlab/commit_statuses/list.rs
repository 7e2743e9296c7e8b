//! The statuses of a commit: its jobs', and those that foreign systems set.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use tappet_model::UserId;
use tappet_store::{Attempt, AttemptFilter, CommitStatus as CommitStatusRecord, Run, User};

use super::{MOST_RUNS, STAGE, open, runs_of};
use crate::api::gitlab::call::Call;
use crate::api::gitlab::commits;
use crate::api::gitlab::entities::commit_status::CommitStatus;
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::gitlab::pagination::{self, page_of};
use crate::api::operation::{self, Operation, boolean, integer, one_of, text};
use crate::app::{App, SharedApp};
use crate::rights::{Right, Role};

const ORDERS: &[&str] = &["id", "pipeline_id"];
const SORTS: &[&str] = &["asc", "desc"];

/// How the list is described.
pub fn operation() -> Operation {
    operation::get("/projects/{id}/repository/commits/{sha}/statuses")
        .id("listCommitStatuses")
        .about("Lists the statuses of a commit: its jobs', and those set from outside.")
        .query(text("ref"))
        .query(text("stage"))
        .query(text("name"))
        .query(integer("pipeline_id"))
        .query(boolean("all").about("Replaced ones too."))
        .query(one_of("order_by", ORDERS))
        .query(one_of("sort", SORTS))
        .paged()
        .replies_list::<CommitStatus<'_>>(StatusCode::OK)
}

/// One row of the list.
enum Shown<'a> {
    Job(&'a Run, Box<Attempt>),
    Foreign(&'a Run, CommitStatusRecord),
}

impl Shown<'_> {
    fn run(&self) -> &Run {
        match self {
            Shown::Job(run, _) | Shown::Foreign(run, _) => run,
        }
    }

    fn id(&self) -> i64 {
        match self {
            Shown::Job(_, attempt) => attempt.id.0,
            Shown::Foreign(_, status) => status.id.0,
        }
    }

    fn name(&self) -> &str {
        match self {
            Shown::Job(_, attempt) => &attempt.name,
            Shown::Foreign(_, status) => &status.name,
        }
    }

    fn stage(&self) -> &str {
        match self {
            Shown::Job(_, attempt) => &attempt.stage,
            Shown::Foreign(..) => STAGE,
        }
    }

    fn ref_name(&self) -> &str {
        match self {
            Shown::Job(run, _) => &run.ref_name,
            Shown::Foreign(_, status) => &status.ref_name,
        }
    }

    fn author(&self) -> Option<UserId> {
        match self {
            Shown::Job(run, _) => run.user_id,
            Shown::Foreign(_, status) => Some(status.user_id),
        }
    }
}

/// `GET /projects/:id/repository/commits/:sha/statuses`.
pub async fn list(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let mut checks = call.checks();
    let page = pagination::request(&mut checks);
    let wanted = [
        checks.filled_text("ref"),
        checks.filled_text("stage"),
        checks.filled_text("name"),
    ];
    let pipeline_id = checks.integer("pipeline_id");
    let all = checks.boolean("all").unwrap_or(false);
    let by_run = checks.word("order_by", ORDERS) == Some("pipeline_id");
    let descending = checks.word("sort", SORTS) == Some("desc");
    let opened = open(&app, &call, checks.finish()).await?;
    // Guests see pipelines of open projects, but not this list.
    opened.access.require(Right::ReadJobs)?;
    if !opened.access.standing.is(Role::Reporter) {
        return Err(ApiError::forbidden());
    }
    let sha = commits::find(&app, &opened, call.path("sha")).await?;
    let runs = runs_of(&app, &opened, &sha, None).await?;
    let mut rows = Vec::new();
    for run in &runs {
        if pipeline_id.is_none_or(|id| id == run.id.0) {
            rows.extend(rows_of(&app, run, all).await?);
        }
    }
    let [ref_name, stage, name] = wanted;
    let is = |wanted: &Option<std::borrow::Cow<'_, str>>, own: &str| {
        wanted.as_ref().is_none_or(|wanted| *wanted == own)
    };
    rows.retain(|row| {
        is(&ref_name, row.ref_name()) && is(&stage, row.stage()) && is(&name, row.name())
    });
    rows.sort_by_key(|row| (if by_run { row.run().id.0 } else { 0 }, row.id()));
    if descending {
        rows.reverse();
    }
    let (pages, rows) = page_of(&rows, page);
    let mut authors: HashMap<UserId, Option<User>> = HashMap::new();
    for id in rows.iter().filter_map(Shown::author) {
        if let Entry::Vacant(author) = authors.entry(id) {
            author.insert(app.store.user(id).await?);
        }
    }
    let items: Vec<CommitStatus<'_>> = rows
        .iter()
        .map(|row| {
            let author = row.author().and_then(|id| authors.get(&id)?.as_ref());
            match row {
                Shown::Job(run, attempt) => CommitStatus::of_job(&app.config, run, attempt, author),
                Shown::Foreign(run, status) => CommitStatus::of(&app.config, run, status, author),
            }
        })
        .collect();
    let address = app.config.url(call.uri.path());
    Ok(pagination::reply(&address, &call, pages, &items))
}

async fn rows_of<'a>(app: &App, run: &'a Run, all: bool) -> ApiResult<Vec<Shown<'a>>> {
    let mut rows = Vec::new();
    let mut page = MOST_RUNS;
    loop {
        let filter = AttemptFilter {
            include_retried: all,
            ..AttemptFilter::default()
        };
        let attempts = app.store.attempts(run.id, filter, page).await?;
        let jobs = attempts.items.into_iter();
        rows.extend(jobs.map(|attempt| Shown::Job(run, Box::new(attempt))));
        if !attempts.has_next {
            break;
        }
        page.page += 1;
    }
    let statuses = app.store.commit_statuses(run.id).await?.into_iter();
    let counting = statuses.filter(|status| all || !status.is_retried);
    rows.extend(counting.map(|status| Shown::Foreign(run, status)));
    Ok(rows)
}
