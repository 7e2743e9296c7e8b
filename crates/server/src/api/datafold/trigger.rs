//! `POST /api/v1/ci/{ci_config_id}/trigger`: starts a run of a pull request (Datafold:
//! "Trigger a PR/MR run").
//!
//! The answer comes at once, with the number of the run; clients look at nothing else.
//! What is wrong with the commits is told by the run, not by a status.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::HeaderValue;
use serde_json::json;
use sha2::{Digest, Sha256};
use tappet_model::{CiConfigId, ProjectId, PullRequest};
use tappet_store::IdempotencyKey;

use super::access::open_config;
use super::call::{Call, Sent};
use super::caller::{Caller, Reach, identify};
use super::job::CiJob;
use super::refusal::{Refused, Reply};
use super::validation::Checks;
use crate::api::operation::{self, integer, text};
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::idempotency_key;
use crate::intake::{PullRequestRunRequest, start_pull_request_run};
use crate::rights::Right;
use crate::webhooks;

/// Characters of a branch or a commit; git allows far fewer.
const LONGEST_NAME: usize = 1024;

/// The route.
pub fn routes() -> Routes {
    Routes::under("/api/v1/ci").add(
        operation::post("/{ci_config_id}/trigger")
            .id("triggerPullRequestRun")
            .about("Starts a run of a pull request; one that is active for the same commits is given again.")
            .json_only()
            .body(integer("pr_number").required().about("Number of the pull request."))
            .body(text("pr_branch").required().about("Branch with the changes."))
            .body(text("base_branch").required().about("Branch that is to get them."))
            .body(text("pr_sha").required().about("Newest commit of the changes."))
            .body(text("base_sha").required().about("Commit to compare with."))
            .header(text("Idempotency-Key").about("The same key and body start one run only."))
            .replies::<CiJob>(StatusCode::OK),
        trigger,
    )
}

async fn trigger(State(app): State<SharedApp>, call: Call) -> Reply<Response> {
    let caller = identify(&app, &call, Reach::Writes).await?;
    let sent = call.sent()?;
    let mut checks = Checks::default();
    let config = call.path_integer(&mut checks, "ci_config_id");
    let pull_request = pull_request(&mut checks, &sent);
    checks.finish()?;
    let key = idempotency_key::read(&call.headers)
        .map_err(|error| Refused::new(StatusCode::BAD_REQUEST, error.to_string()))?;
    let (access, config) = open_config(&app, &caller, &config).await?;
    access.require(Right::RunPipelines)?;
    let idempotency =
        key.map(|key| scoped(key, access.project.id, config.id, &caller, &pull_request));
    let request = PullRequestRunRequest {
        project: access.project,
        config,
        credential: caller.credential(),
        user: Some(caller.user),
        pull_request,
        payload: None,
        is_from_forge: false,
        needs_approval: false,
        hooks: webhooks::chain::behind(&app, &call.headers).await?,
        idempotency,
    };
    let started = start_pull_request_run(&app, request).await?;
    let mut response = Json(CiJob::of(Some(started.run.id))).into_response();
    if started.replayed {
        let replayed = HeaderValue::from_static("true");
        response
            .headers_mut()
            .insert("idempotent-replayed", replayed);
    }
    Ok(response)
}

/// The five fields of Datafold's `APIPrDetails`, in its order.
fn pull_request(checks: &mut Checks, sent: &Sent) -> PullRequest {
    let fields = sent.object(checks);
    let number = match fields.required(checks, "pr_number") {
        Some(value) => checks.integer(fields.place("pr_number"), value).into_text(),
        None => String::new(),
    };
    let mut text = |name| fields.required_text(checks, name, LONGEST_NAME);
    PullRequest {
        number,
        head_branch: text("pr_branch"),
        base_branch: text("base_branch"),
        head_sha: text("pr_sha"),
        base_sha: text("base_sha"),
        ..PullRequest::default()
    }
}

/// Key and digest of the parsed call, as intake takes them.
fn scoped(
    key: String,
    project: ProjectId,
    config: CiConfigId,
    caller: &Caller,
    pull_request: &PullRequest,
) -> (IdempotencyKey, [u8; 32]) {
    let key = IdempotencyKey {
        project_id: project,
        credential: caller.credential(),
        key,
    };
    let asked = json!(["datafold", config, pull_request]);
    (key, Sha256::digest(asked.to_string()).into())
}
