//! `GET /api/v1/ci/{ci_config_id}/runs`: the runs of a CI config (Datafold: "List CI
//! runs"). The newest comes first: `dbt upload-and-wait` asks for one and believes it.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use tappet_store::{CiRun, CiRunFilter};
use utoipa::ToSchema;

use super::access::open_config;
use super::call::Head;
use super::caller::{Reach, identify};
use super::json::Json as Value;
use super::refusal::{Refused, Reply};
use super::validation::{Checks, Place};
use super::words;
use crate::api::operation::{self, integer, text};
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::rights::Right;

/// Rows of an answer; more are not given, and asking for more is no mistake.
const MOST: i64 = 1000;

/// Characters of a filter.
const LONGEST_FILTER: usize = 8192;

/// The route. Its pattern is wider than its address, since every other verb there is
/// one of a pull request's number.
pub fn routes() -> Routes {
    Routes::under("/api/v1/ci").add(
        operation::get("/{ci_config_id}/{pr_num}")
            .shown_as("/{ci_config_id}/runs")
            .id("listPullRequestRuns")
            .about("Lists the runs of a CI config, the newest first.")
            .query(text("pr_sha").about("Of this newest commit, as it was told."))
            .query(text("pr_num").about("Of the pull request with this number."))
            .query(
                integer("limit").about("Rows; at most 1000 are given. 100 unless said otherwise."),
            )
            .query(integer("offset").about("Rows to leave out at the beginning."))
            .replies_list::<ApiCiRun>(StatusCode::OK),
        list,
    )
}

/// A run as Datafold's clients read it: none of the fields may be missing or null, and
/// the number is a text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct ApiCiRun {
    id: i64,
    base_branch: String,
    base_sha: String,
    pr_branch: String,
    pr_sha: String,
    pr_num: String,
    status: &'static str,
    source: &'static str,
}

impl From<CiRun> for ApiCiRun {
    fn from(run: CiRun) -> Self {
        Self {
            id: run.id.0,
            status: words::status(run.status, run.hold),
            source: words::source(run.is_repeated, run.is_from_forge),
            base_branch: run.pull_request.base_branch,
            base_sha: run.pull_request.base_sha,
            pr_branch: run.pull_request.head_branch,
            pr_sha: run.pull_request.head_sha,
            pr_num: run.pull_request.number,
        }
    }
}

async fn list(State(app): State<SharedApp>, head: Head) -> Reply<Json<Vec<ApiCiRun>>> {
    if head.path("pr_num") != "runs" {
        return Err(Refused::wrong_verb_but("POST"));
    }
    let caller = identify(&app, &head, Reach::Reads).await?;
    let mut checks = Checks::default();
    let config = head.path_integer(&mut checks, "ci_config_id");
    let mut filter = |name| {
        let value = head.query(name)?;
        Some(checks.text(Place::query(name), &value, LONGEST_FILTER))
    };
    let filter = CiRunFilter {
        head_sha: filter("pr_sha"),
        number: filter("pr_num"),
    };
    let mut number = |name, otherwise: i64, least| {
        let otherwise = Value::Integer(otherwise.to_string());
        let value = head.query(name).unwrap_or(otherwise);
        checks.integer_from(Place::query(name), &value, least)
    };
    let limit = number("limit", 100, 1).clamped(1, MOST);
    let offset = number("offset", 0, 0).clamped(0, i64::MAX);
    checks.finish()?;
    let (access, config) = open_config(&app, &caller, &config).await?;
    access.require(Right::ReadPipelines)?;
    let limit = u32::try_from(limit).unwrap_or_default();
    let offset = u64::try_from(offset).unwrap_or_default();
    let runs = app.store.ci_runs(config.id, filter, limit, offset).await?;
    Ok(Json(runs.into_iter().map(ApiCiRun::from).collect()))
}
