//! `PUT /jobs/:id`: heartbeat while it runs, and how it ended.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tappet_engine::JobEvent;
use tappet_model::runner_protocol::JobUpdate;
use tappet_model::steps_payload::StepsReport;
use tappet_model::{AttemptId, FailureReason, Status};
use tappet_store::{KeptStepsReport, StoreError, StoreResult};

use super::fence::{self, Refused, job_status, message};
use crate::app::{App, SharedApp};
use crate::changes::EndError;
use crate::job_outputs;

/// The longest a heartbeat may be held.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// 200 when it is taken, 400 for an unknown state, 403 when the attempt is
/// over. A repeated final report is answered 200 again.
pub async fn update(
    State(app): State<SharedApp>,
    Path(id): Path<AttemptId>,
    headers: HeaderMap,
    body: Result<Json<JobUpdate>, JsonRejection>,
) -> Response {
    let Ok(Json(update)) = body else {
        let error = Json(message("400 Bad request - the body is not a job update"));
        return (StatusCode::BAD_REQUEST, error).into_response();
    };
    let status = match fence::pass(&app, id, &headers, Some(&update.token)).await {
        Ok(status) => status,
        Err(Refused::Over(ended)) if is_repeat(&update, ended) => {
            return taken(ended);
        }
        Err(refused) => return refused.into_response(),
    };
    match update.state.as_str() {
        "running" | "pending" => match patience(&headers) {
            Some(wait) => {
                let applied = [("preference-applied", "wait")];
                (applied, taken(news(&app, id, status, wait).await)).into_response()
            }
            None => taken(status),
        },
        "success" => end(&app, id, &update, JobEvent::Success).await,
        "failed" => end(&app, id, &update, dropped(&update)).await,
        other => {
            let error = format!("400 Bad request - unknown job state `{other}`");
            (StatusCode::BAD_REQUEST, Json(message(&error))).into_response()
        }
    }
}

/// How long our own runner lets a heartbeat be held for news
/// (`Prefer: wait=N`, RFC 7240).
fn patience(headers: &HeaderMap) -> Option<Duration> {
    let prefer = headers.get("prefer")?.to_str().ok()?;
    let seconds = prefer
        .split(',')
        .find_map(|one| one.trim().strip_prefix("wait="))?;
    Some(Duration::from_secs(seconds.parse().ok()?))
}

fn taken(status: Status) -> Response {
    (StatusCode::OK, job_status(status), Json("200")).into_response()
}

/// The same end reported again, after the first answer was lost.
fn is_repeat(update: &JobUpdate, ended: Status) -> bool {
    match update.state.as_str() {
        "success" => ended == Status::Success,
        "failed" => ended == Status::Failed,
        _ => false,
    }
}

/// Holds a heartbeat until the attempt's status changes or the wait is over.
async fn news(app: &App, id: AttemptId, status: Status, wait: Duration) -> Status {
    if wait.is_zero() || status != Status::Running {
        return status;
    }
    let Some(mut watch) = app.held.watch(id) else {
        return status;
    };
    tokio::select! {
        _ = watch.wait_for(|now| *now != Status::Running) => {}
        () = tokio::time::sleep(wait.min(LONGEST_WAIT)) => {}
        () = app.shutdown.cancelled() => {}
    }
    *watch.borrow()
}

fn dropped(update: &JobUpdate) -> JobEvent {
    let reason = match update.failure_reason.as_deref() {
        None | Some("") => FailureReason::ScriptFailure,
        Some(word) => word.parse().unwrap_or(FailureReason::UnknownFailure),
    };
    JobEvent::Drop {
        reason,
        exit_code: update.exit_code,
    }
}

/// Ends the attempt; its log and its status reach the disk before the answer.
async fn end(app: &App, id: AttemptId, update: &JobUpdate, event: JobEvent) -> Response {
    if let Some(report) = &update.tappet
        && let Err(error) = keep(app, id, report).await
    {
        tracing::error!(attempt = %id, %error, "cannot keep the report of a job's steps");
        let body = Json(message("500 Internal Server Error"));
        return (StatusCode::INTERNAL_SERVER_ERROR, body).into_response();
    }
    match app.end_attempt(id, event).await {
        Ok(advance) => {
            let changed = advance.changed.iter().find(|attempt| attempt.id == id);
            taken(changed.map_or(Status::Failed, |attempt| attempt.status))
        }
        // Somebody else was first, maybe this very report on another connection.
        Err(EndError::Store(StoreError::Refused(_))) => match fence::ended(app, id).await {
            ended if is_repeat(update, ended) => taken(ended),
            ended => Refused::Over(ended).into_response(),
        },
        Err(error) => {
            tracing::error!(attempt = %id, %error, "cannot end an attempt");
            let body = Json(message("500 Internal Server Error"));
            (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
        }
    }
}

/// Keeps what the steps led to, before anybody who waits for the job looks.
async fn keep(app: &App, id: AttemptId, report: &StepsReport) -> StoreResult<()> {
    let outputs =
        (!report.outputs.is_empty()).then(|| job_outputs::seal(&app.secrets, &report.outputs));
    let kept = KeptStepsReport {
        sealed_outputs: outputs,
        summary: report.summary.clone(),
        summary_steps: report.summary_steps,
        steps: report.steps.clone(),
        error_message: report.error_message.clone(),
    };
    app.store.record_steps_report(id, kept).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_failure_reason_is_kept_as_unknown() {
        let update = |word: Option<&str>| JobUpdate {
            failure_reason: word.map(str::to_owned),
            exit_code: Some(3),
            ..JobUpdate::default()
        };
        let drop = |reason| JobEvent::Drop {
            reason,
            exit_code: Some(3),
        };
        assert_eq!(dropped(&update(None)), drop(FailureReason::ScriptFailure));
        let timeout = dropped(&update(Some("job_execution_timeout")));
        assert_eq!(timeout, drop(FailureReason::JobExecutionTimeout));
        assert_eq!(
            dropped(&update(Some("moon_phase"))),
            drop(FailureReason::UnknownFailure)
        );
    }
}
