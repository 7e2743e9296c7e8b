//! `PATCH /jobs/:id/trace`: log bytes at an offset.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tappet_model::{AttemptId, Status};

use super::fence::{self, job_status, message};
use crate::app::{App, SharedApp};
use crate::dispatch;
use crate::logs::AppendError;

/// Seconds between two patches of a gitlab-runner; also the latency of a cancel.
const UPDATE_INTERVAL: HeaderValue = HeaderValue::from_static("3");

/// 202 once the bytes cannot be lost by a killed server; 416 with the true
/// range when they do not fit; 403 when the attempt is over.
pub async fn append(
    State(app): State<SharedApp>,
    Path(id): Path<AttemptId>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let status = match fence::pass(&app, id, &headers, None).await {
        Ok(status) => status,
        Err(refused) => return refused.into_response(),
    };
    let Some(start) = range_start(&headers) else {
        let error = Json(message("400 Missing header Content-Range"));
        return (StatusCode::BAD_REQUEST, error).into_response();
    };
    let appended = app.logs.append(id, start, body, || secrets(&app, id)).await;
    match appended {
        Ok(appended) => answer(StatusCode::ACCEPTED, appended.raw_len, status),
        Err(AppendError::Gap { raw_len }) => {
            answer(StatusCode::RANGE_NOT_SATISFIABLE, raw_len, status)
        }
        Err(AppendError::Closed) => {
            fence::Refused::Over(fence::ended(&app, id).await).into_response()
        }
        Err(error @ (AppendError::Io(_) | AppendError::Secrets(_))) => {
            tracing::error!(attempt = %id, %error, "cannot write a log");
            let body = Json(message("500 cannot store the log"));
            (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
        }
    }
}

/// The start of `Content-Range: <start>-<end>`. Clients disagree on whether the
/// end counts, so GitLab ignores it (`append_build_trace_service.rb`).
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get("content-range")?.to_str().ok()?;
    text.trim()
        .trim_start_matches("bytes ")
        .split('-')
        .next()?
        .trim()
        .parse()
        .ok()
}

fn answer(code: StatusCode, raw_len: u64, status: Status) -> Response {
    let mut response = (code, job_status(status)).into_response();
    let headers = response.headers_mut();
    if let Ok(range) = HeaderValue::from_str(&format!("0-{raw_len}")) {
        headers.insert("range", range);
    }
    headers.insert("x-gitlab-trace-update-interval", UPDATE_INTERVAL);
    response
}

/// What must not appear in the log of an attempt, as it was delivered. Only
/// needed when an earlier server process delivered it.
async fn secrets(
    app: &App,
    id: AttemptId,
) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    let assignment = app.store.assignment(id).await?;
    let assignment = assignment.ok_or("the attempt is gone")?;
    let runner = match assignment.attempt.runner_id {
        Some(runner) => app.store.runner(runner).await?,
        None => None,
    };
    let runner = runner.ok_or("the attempt has no runner")?;
    let delivery = dispatch::payload(app, &assignment, &runner).await?;
    Ok(delivery.secrets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0-1776", Some(0))]
    #[case("15-20/6", Some(15))]
    #[case("bytes 7-9", Some(7))]
    #[case("x-1", None)]
    #[case("-5", None)]
    fn only_the_start_of_a_range_counts(#[case] text: &str, #[case] expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert("content-range", HeaderValue::from_str(text).unwrap());
        assert_eq!(range_start(&headers), expected);
    }
}
