//! One run of a pull request: what it waits for, and `POST …/approve`, which lets a run
//! go that came from a fork. Both are ours: Datafold shows runs in lists only.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use tappet_model::RunId;
use tappet_store::{Hold, PullRequestRun, Run, StoreError};
use utoipa::ToSchema;

use super::access::{Access, visible};
use super::call::{Call, Head};
use super::caller::{Caller, Reach, identify};
use super::refusal::{Refused, Reply};
use super::validation::Checks;
use super::words;
use crate::api::operation;
use crate::api::routes::Routes;
use crate::app::{App, SharedApp};
use crate::approval;
use crate::ci_configs::Actor;
use crate::rights::Right;

/// Both routes.
pub fn routes() -> Routes {
    Routes::under("/api/v1/ci/runs")
        .add(
            operation::get("/{run_id}")
                .id("showPullRequestRun")
                .about("Shows a run of a pull request, what it waits for and which run came in its place.")
                .replies::<ShownRun>(StatusCode::OK),
            show,
        )
        .add(
            operation::post("/{run_id}/approve")
                .id("approvePullRequestRun")
                .about("Lets a run go that came from a fork and waits for approval.")
                .replies::<ShownRun>(StatusCode::OK),
            approve,
        )
}

/// A run of a pull request.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ShownRun {
    id: i64,
    ci_config_id: i64,
    project_id: i64,
    project: String,
    base_branch: String,
    base_sha: String,
    pr_branch: String,
    pr_sha: String,
    pr_num: String,
    /// Where the branches parted; null while unknown.
    merge_base: Option<String>,
    /// In Datafold's words.
    status: &'static str,
    source: &'static str,
    /// What it waits for before any job may start.
    hold: Option<ShownHold>,
    /// The run of a newer commit, on account of which it was canceled.
    superseded_by: Option<i64>,
    /// Pairs of tables that were submitted.
    #[schema(value_type = Object)]
    diffs: Value,
    /// Its page.
    web_url: String,
}

/// What a run waits for.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ShownHold {
    /// `diffs` or `approval`.
    r#for: &'static str,
    /// When it fails, if it waits for pairs of tables.
    until: Option<String>,
}

impl ShownHold {
    fn of(hold: Hold) -> Self {
        match hold {
            Hold::Diffs { until } => Self {
                r#for: "diffs",
                until: Some(until.to_string()),
            },
            Hold::Approval { .. } => Self {
                r#for: "approval",
                until: None,
            },
        }
    }
}

async fn show(State(app): State<SharedApp>, head: Head) -> Reply<Json<ShownRun>> {
    let caller = identify(&app, &head, Reach::Reads).await?;
    let (access, run) = opened(&app, &caller, &head).await?;
    access.require(Right::ReadPipelines)?;
    shown(&app, &access, run.id).await
}

async fn approve(State(app): State<SharedApp>, call: Call) -> Reply<Json<ShownRun>> {
    let caller = identify(&app, &call, Reach::Writes).await?;
    let (access, run) = opened(&app, &caller, &call).await?;
    access.require(Right::RunPipelines)?;
    let actor = Actor {
        user: caller.user.id,
        credential: caller.credential(),
    };
    match approval::approve(&app, &actor, &run).await {
        Ok(_) => {}
        Err(StoreError::Refused(_)) => {
            return Err(Refused::conflict("the run does not wait for approval"));
        }
        Err(error) => return Err(error.into()),
    }
    shown(&app, &access, run.id).await
}

/// The run of the address and its project; 404 for one that the caller may not see, and
/// for one of no pull request.
async fn opened(app: &App, caller: &Caller, head: &Head) -> Reply<(Access, Run)> {
    let missing = || Refused::missing("CI run");
    let mut checks = Checks::default();
    let id = head.path_integer(&mut checks, "run_id");
    checks.finish()?;
    let id = RunId(id.to_i64().ok_or_else(missing)?);
    let run = app.store.run(id).await?.ok_or_else(missing)?;
    let access = visible(app, caller, run.project_id).await?;
    let access = access.ok_or_else(missing)?;
    pull_request_of(app, id).await?;
    Ok((access, run))
}

async fn pull_request_of(app: &App, id: RunId) -> Reply<PullRequestRun> {
    let found = app.store.pull_request_run(id).await?;
    found.ok_or_else(|| Refused::missing("CI run"))
}

/// As it stands now.
async fn shown(app: &App, access: &Access, id: RunId) -> Reply<Json<ShownRun>> {
    let of = pull_request_of(app, id).await?;
    let run = app.store.run(id).await?;
    let run = run.ok_or_else(|| Refused::missing("CI run"))?;
    let pull_request = of.pull_request;
    let diffs = of.diffs.as_deref().map(serde_json::from_str);
    let path = &access.project.path;
    Ok(Json(ShownRun {
        id: run.id.0,
        ci_config_id: of.config_id.0,
        project_id: run.project_id.0,
        project: path.clone(),
        base_branch: pull_request.base_branch,
        base_sha: pull_request.base_sha,
        pr_branch: pull_request.head_branch,
        pr_sha: pull_request.head_sha,
        pr_num: pull_request.number,
        merge_base: pull_request.merge_base.map(|sha| sha.to_string()),
        status: words::status(run.status, of.hold),
        source: words::source(of.is_repeated, of.is_from_forge),
        hold: of.hold.map(ShownHold::of),
        superseded_by: of.superseded_by.map(|run| run.0),
        diffs: diffs.and_then(Result::ok).unwrap_or(Value::Null),
        web_url: app.config.url(&format!("/{path}/-/pipelines/{}", run.id)),
    }))
}
