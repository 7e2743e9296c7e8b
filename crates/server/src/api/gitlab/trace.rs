//! The log of a job: as text, and as a stream that follows it.

mod text_chunks;

use axum::extract::State;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::Serialize;
use serde_json::json;
use tappet_model::Status;
use tappet_store::Attempt;

use super::access::Login;
use super::call::Call;
use super::errors::{ApiError, ApiResult};
use super::events;
use super::file_reply::FileReply;
use super::jobs::{self, Opened};
use crate::app::SharedApp;
use crate::attempt_log::{self, AttemptLog};
use crate::rights::{Right, reads_log};
use text_chunks::TextChunks;

const PLAIN_TEXT: &str = "text/plain";

/// An attempt whose log the caller may read.
async fn open(app: &SharedApp, call: &Call) -> ApiResult<Attempt> {
    let Opened { access, attempt } =
        jobs::open(app, call, Login::Required, Right::ReadJobs).await?;
    if !reads_log(&access.standing, &access.project, &attempt) {
        return Err(ApiError::forbidden());
    }
    Ok(attempt)
}

/// `GET /projects/:id/jobs/:job_id/trace`: the stored bytes, whatever they are.
pub async fn text(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let attempt = open(&app, &call).await?;
    let disposition = format!("infile; filename=\"{}.log\"", attempt.id);
    let opened = app
        .logs
        .open(attempt.id)
        .await
        .map_err(|error| ApiError::broken("reading a log", error))?;
    let Some((file, length)) = opened else {
        let headers = [
            (CONTENT_TYPE, PLAIN_TEXT),
            (CONTENT_DISPOSITION, &disposition),
        ];
        return Ok((headers, "").into_response());
    };
    let reply = FileReply {
        file,
        length,
        content_type: PLAIN_TEXT,
        disposition,
        etag: None,
    };
    reply.answer(&call.headers).await
}

/// `GET /projects/:id/jobs/:job_id/trace/events`: events `log` with
/// `{"offset":…,"text":…}` and their offset as id, then one `end` with
/// `{"status":…}`. `Last-Event-ID` or `?offset=` goes on where a reader stopped.
pub async fn follow(State(app): State<SharedApp>, call: Call) -> ApiResult<Response> {
    let attempt = open(&app, &call).await?;
    let from = events::resume_after(&call, "offset")?;
    let stream = events_of(app.clone(), attempt_log::follow(&app, &attempt, from), from);
    Ok(events::reply(stream, &app.shutdown))
}

/// Broken reads end the stream without an `end`, so a browser tries again.
fn events_of(
    app: SharedApp,
    log: AttemptLog,
    from: u64,
) -> impl Stream<Item = Event> + Send + 'static {
    let state = Some((log, Some(TextChunks::new(from))));
    stream::unfold(state, move |state| {
        let app = app.clone();
        async move {
            let (mut log, mut texts) = state?;
            while let Some(held) = &mut texts {
                match log.next().await {
                    Some(Ok(chunk)) => {
                        if let Some((offset, text)) = held.push(&chunk.bytes) {
                            return Some((log_event(offset, &text), Some((log, texts))));
                        }
                    }
                    Some(Err(error)) => {
                        tracing::error!(%error, "cannot follow a log");
                        return None;
                    }
                    None => {
                        let rest = texts.take().and_then(TextChunks::rest);
                        if let Some((offset, text)) = rest {
                            return Some((log_event(offset, &text), Some((log, None))));
                        }
                    }
                }
            }
            let id = log.attempt();
            drop(log);
            let status = attempt_log::final_status(&app, id)
                .await
                .map(Status::as_str);
            let data = json!({ "status": status }).to_string();
            Some((Event::default().event("end").data(data), None))
        }
    })
}

#[derive(Serialize)]
struct LogPart<'a> {
    offset: u64,
    text: &'a str,
}

fn log_event(offset: u64, text: &str) -> Event {
    Event::default()
        .event("log")
        .id(offset.to_string())
        .json_data(LogPart { offset, text })
        .expect("a number and a text are JSON")
}
