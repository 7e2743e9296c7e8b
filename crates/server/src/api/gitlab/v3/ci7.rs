//! The trigger of GitLab CI 7.14, when it was a program of its own, and where it
//! stayed when it moved into GitLab. Its refusals are few and short
//! (`gitlab-ci` 7.14: `lib/api/triggers.rb`).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use super::trigger_run::{accepted, described, given, request};
use crate::api::gitlab::call::{self, Call};
use crate::api::gitlab::errors::{ApiError, ApiResult};
use crate::api::operation;
use crate::api::routes::Routes;
use crate::app::SharedApp;
use crate::intake::{self, Refusal, RunRequest};

/// Both addresses of it.
pub fn routes() -> Routes {
    let trigger_at = |base: &'static str, id: &'static str| {
        Routes::under(base).add(
            described(operation::post("/projects/{id}/refs/{*rest}"))
                .shown_as("/projects/{id}/refs/{ref}/trigger")
                .id(id)
                .about("Builds a branch or a tag."),
            trigger,
        )
    };
    trigger_at("/api/v1", "ci7Trigger").and(trigger_at("/ci/api/v1", "ci7TriggerInGitlab"))
}

/// `POST /projects/:id/refs/:ref/trigger`.
async fn trigger(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let Some(ref_name) = ref_of_path(call.uri.path()) else {
        return Err(ApiError::unknown_route());
    };
    let mut checks = call.checks();
    let token = checks.text("token").unwrap_or_default().into_owned();
    checks.finish()?;
    if token.is_empty() {
        return Err(refused("400 (Bad request) \"token\" not given"));
    }
    if !matches!(
        call.params.get("variables"),
        None | Some(Value::Null | Value::Object(_))
    ) {
        return Err(refused("variables needs to be a hash"));
    }
    let request = request(&app, &call, ref_name, &token).await?;
    let request = RunRequest {
        keeps_invalid: false,
        ..request
    };
    match intake::start_run(&app, request).await {
        Ok(started) => Ok(accepted(started, given(&call.params))),
        Err(Refusal::NotStarted { .. } | Refusal::NothingToRun { .. }) => {
            Err(refused("No builds created"))
        }
        Err(other) => Err(other.into()),
    }
}

fn refused(text: &str) -> ApiError {
    ApiError::message(StatusCode::BAD_REQUEST, text)
}

/// What stands between `/refs/` and `/trigger`, decoded once.
fn ref_of_path(path: &str) -> Option<String> {
    let (_, rest) = path.split_once("/projects/")?;
    let (_, rest) = rest.split_once("/refs/")?;
    Some(call::decode(rest.strip_suffix("/trigger")?))
}
