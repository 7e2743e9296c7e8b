//! `StreamJobAttemptLogs`: the lines of a log as they come, until the attempt has
//! ended. A client that lost the connection goes on behind the last line it got.

use std::collections::VecDeque;

use connectrpc::{ConnectError, ServiceStream};
use futures_util::StreamExt;
use futures_util::stream;
use tappet_model::Status;
use tappet_rpc::depot::ci::v1::StreamJobAttemptLogsResponse;
use tappet_store::Attempt;

use super::stream_count::{Counted, StreamCount};
use super::{broken, cursor, line_message, read_cursor, reader};
use crate::api::depot::caller::Caller;
use crate::api::depot::errors::{RpcError, RpcResult};
use crate::api::depot::{opening, words};
use crate::app::SharedApp;
use crate::attempt_log::{AttemptLog, final_status, follow};
use crate::logs::lines::LineReader;

/// Opens the stream.
pub async fn stream(
    app: &SharedApp,
    caller: &Caller,
    streams: &StreamCount,
    (attempt_id, job_id): (&str, &str),
    from: &str,
) -> RpcResult<ServiceStream<StreamJobAttemptLogsResponse>> {
    let (opened, attempt) = opening::attempt_or_job(app, caller, attempt_id, job_id).await?;
    opening::require_log(&opened, &attempt)?;
    let place = read_cursor("cursor", attempt.id, from)?;
    let counted = streams.enter(caller.user.id)?;
    let reader = reader(&attempt, place);
    let log = follow(app, &attempt, reader.place().offset());
    let following = Following {
        app: app.clone(),
        attempt,
        reader,
        log,
        ready: VecDeque::new(),
        is_over: false,
        _counted: counted,
    };
    let first = following.status_only(following.attempt.status);
    let rest = stream::unfold(Some(following), |following| async move {
        let mut following = following?;
        let next = following.next().await?;
        let rest = next.is_ok().then_some(following);
        Some((next, rest))
    });
    Ok(Box::pin(stream::once(async { Ok(first) }).chain(rest)))
}

struct Following {
    app: SharedApp,
    attempt: Attempt,
    reader: LineReader,
    log: AttemptLog,
    ready: VecDeque<StreamJobAttemptLogsResponse>,
    is_over: bool,
    _counted: Counted,
}

impl Following {
    async fn next(&mut self) -> Option<Result<StreamJobAttemptLogsResponse, ConnectError>> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some(Ok(message));
            }
            if self.is_over {
                return None;
            }
            let stop = self.app.shutdown.clone();
            let chunk = tokio::select! {
                chunk = self.log.next() => chunk,
                () = stop.cancelled() => {
                    let error = RpcError::unavailable(
                        "the server is stopping; go on with the last cursor",
                    );
                    return Some(Err(error.into()));
                }
            };
            match chunk {
                Some(Ok(chunk)) => self.take(Some(&chunk.bytes), Status::Running),
                Some(Err(error)) => return Some(Err(broken(error).into())),
                None => {
                    let status = final_status(&self.app, self.attempt.id).await;
                    let status = status.unwrap_or(self.attempt.status);
                    self.take(None, status);
                    self.ready.push_back(self.status_only(status));
                    self.is_over = true;
                }
            }
        }
    }

    /// Lines of these bytes, or of what is left at the end.
    fn take(&mut self, bytes: Option<&[u8]>, status: Status) {
        let (id, ready) = (self.attempt.id, &mut self.ready);
        let status = words::run_status(status);
        let each = |line, place: &_| {
            ready.push_back(StreamJobAttemptLogsResponse {
                line: line_message(line).into(),
                next_cursor: cursor(id, place),
                attempt_status: status.to_owned(),
            });
        };
        match bytes {
            Some(bytes) => self.reader.feed(bytes, each),
            None => self.reader.finish(each),
        }
    }

    fn status_only(&self, status: Status) -> StreamJobAttemptLogsResponse {
        StreamJobAttemptLogsResponse {
            attempt_status: words::run_status(status).to_owned(),
            ..StreamJobAttemptLogsResponse::default()
        }
    }
}
