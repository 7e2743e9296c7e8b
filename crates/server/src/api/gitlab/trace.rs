//! The log of a job: as text, and as a stream that follows it.

mod text_chunks;

use axum::extract::State;
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::Serialize;
use serde_json::json;
use tappet_model::AttemptId;
use tappet_store::Attempt;
use tokio_util::task::AbortOnDropHandle;

use super::access::Login;
use super::call::Call;
use super::errors::{ApiError, ApiResult};
use super::events;
use super::file_reply::FileReply;
use super::jobs::{self, Opened};
use crate::app::SharedApp;
use crate::logs::LogChunk;
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
    // Followed before the status is read again, so that no end is missed.
    let chunks = app.logs.follow(attempt.id, from);
    let watch = tokio::spawn(end_with_attempt(app.clone(), attempt.clone()));
    let watch = AbortOnDropHandle::new(watch);
    let stream = log_events(chunks, from).chain(end_event(app.clone(), attempt.id, watch));
    Ok(events::reply(stream, &app.shutdown))
}

/// An attempt that ends without ever having had a log must end its followers too.
async fn end_with_attempt(app: SharedApp, attempt: Attempt) {
    let mut changes = app.changes.subscribe(attempt.run_id);
    loop {
        match app.store.attempt(attempt.id).await {
            Ok(Some(now)) if !now.status.is_completed() => {}
            _ => {
                app.end_log(attempt.id).await;
                return;
            }
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = app.shutdown.cancelled() => return,
        }
    }
}

/// Broken reads end the stream without an `end`, so a browser tries again.
fn log_events(
    chunks: impl Stream<Item = std::io::Result<LogChunk>> + Send + 'static,
    from: u64,
) -> impl Stream<Item = Event> + Send + 'static {
    let chunks = Box::pin(chunks);
    let state = Some((chunks, TextChunks::new(from)));
    stream::unfold(state, |state| async move {
        let (mut chunks, mut texts) = state?;
        loop {
            match chunks.next().await {
                Some(Ok(chunk)) => {
                    if let Some((offset, text)) = texts.push(&chunk.bytes) {
                        return Some((log_event(offset, &text), Some((chunks, texts))));
                    }
                }
                Some(Err(error)) => {
                    tracing::error!(%error, "cannot follow a log");
                    return None;
                }
                None => {
                    let (offset, text) = texts.rest()?;
                    return Some((log_event(offset, &text), None));
                }
            }
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

/// Holds on to `watch`, so that the watching ends with the stream.
fn end_event(
    app: SharedApp,
    id: AttemptId,
    watch: AbortOnDropHandle<()>,
) -> impl Stream<Item = Event> + Send + 'static {
    stream::once(async move {
        drop(watch);
        // The log is complete a moment before the attempt's end is committed.
        if let Some(mut held) = app.held.watch(id) {
            let _ = held.wait_for(|status| status.is_completed()).await;
        }
        let attempt = app.store.attempt(id).await.ok().flatten();
        let status = attempt.map(|attempt| attempt.status.as_str());
        Event::default()
            .event("end")
            .data(json!({ "status": status }).to_string())
    })
}
