//! Logs of attempts: page by page, as a stream that follows them, and as a file.

mod export;
mod stream;
mod stream_count;

use tappet_model::AttemptId;
use tappet_rpc::depot::ci::v1::{GetJobAttemptLogsResponse, LogLine as Line};
use tappet_store::Attempt;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::caller::Caller;
use super::errors::{RpcError, RpcResult};
use super::ids::Kind;
use super::opening;
use crate::app::App;
use crate::logs::lines::{LineReader, LogLine, Place};
use crate::logs::stamp::Stream;

pub use export::export;
pub use stream::stream;
pub use stream_count::StreamCount;

/// Stored bytes of one page, and of one read.
const PAGE_BYTES: u64 = 512 * 1024;

/// `GetJobAttemptLogs`: the lines from a place on, as many as make a page.
pub async fn page(
    app: &App,
    caller: &Caller,
    attempt_id: &str,
    page_token: &str,
) -> RpcResult<GetJobAttemptLogsResponse> {
    let (opened, attempt) = opening::attempt(app, caller, attempt_id).await?;
    opening::require_log(&opened, &attempt)?;
    let place = read_cursor("page_token", attempt.id, page_token)?;
    let mut snapshot = Snapshot::open(app, &attempt, place).await?;
    let mut lines = Vec::new();
    let more = snapshot
        .next(|line, _| lines.push(line_message(line)))
        .await?;
    let next_page_token = if more {
        cursor(attempt.id, snapshot.reader.place())
    } else {
        String::new()
    };
    Ok(GetJobAttemptLogsResponse {
        lines,
        next_page_token,
    })
}

/// Every line of what is stored of a log now.
pub async fn each_line(
    app: &App,
    attempt: &Attempt,
    mut each: impl FnMut(LogLine),
) -> RpcResult<()> {
    let mut snapshot = Snapshot::open(app, attempt, None).await?;
    while snapshot.next(|line, _| each(line)).await? {}
    Ok(())
}

/// The stored part of a log, read in pieces.
struct Snapshot {
    file: Option<tokio::fs::File>,
    reader: LineReader,
    length: u64,
    read: u64,
    /// Nothing will be added, so a last line without its end is a line.
    has_ended: bool,
}

impl Snapshot {
    async fn open(app: &App, attempt: &Attempt, place: Option<Place>) -> RpcResult<Self> {
        let reader = reader(attempt, place);
        let read = reader.place().offset();
        let (mut file, length) = match app.logs.open(attempt.id).await.map_err(broken)? {
            Some((file, length)) => (Some(file), length),
            None => (None, 0),
        };
        if let Some(file) = &mut file {
            file.seek(std::io::SeekFrom::Start(read))
                .await
                .map_err(broken)?;
        }
        Ok(Self {
            file,
            reader,
            length,
            read,
            has_ended: attempt.status.is_completed(),
        })
    }

    /// Reads one more piece; whether there are more.
    async fn next(&mut self, mut each: impl FnMut(LogLine, &Place)) -> RpcResult<bool> {
        let wanted = self.length.saturating_sub(self.read).min(PAGE_BYTES);
        if let Some(file) = &mut self.file
            && wanted > 0
        {
            let mut bytes = Vec::new();
            file.take(wanted)
                .read_to_end(&mut bytes)
                .await
                .map_err(broken)?;
            if bytes.is_empty() {
                // Somebody removed the log meanwhile.
                self.read = self.length;
            }
            self.read += bytes.len() as u64;
            self.reader.feed(&bytes, &mut each);
        }
        let more = self.read < self.length;
        if !more && self.has_ended {
            self.reader.finish(&mut each);
        }
        Ok(more)
    }
}

fn reader(attempt: &Attempt, place: Option<Place>) -> LineReader {
    match place {
        Some(place) => LineReader::at(place),
        None => LineReader::new(attempt.started_at.unwrap_or(attempt.created_at)),
    }
}

fn broken(error: std::io::Error) -> RpcError {
    RpcError::internal("read a log", &error)
}

fn line_message(line: LogLine) -> Line {
    // Keys that the compiler made for steps without an id are not the author's.
    let step_id = line.step.clone().filter(|key| !key.starts_with("__"));
    Line {
        step_key: line.step.unwrap_or(line.section),
        timestamp_ms: line.time.0.div_euclid(1000),
        line_number: line.number,
        stream: stream_number(line.stream),
        body: line.text,
        step_id: step_id.unwrap_or_default(),
        step_name: line.title,
    }
}

fn stream_number(stream: Stream) -> u32 {
    match stream {
        Stream::Out => 0,
        Stream::Err => 1,
    }
}

/// A place in the log of an attempt, for clients to hand back.
fn cursor(attempt: AttemptId, place: &Place) -> String {
    format!("{}.{place}", Kind::Attempt.write(attempt))
}

/// The place that a client hands back; `None` for the beginning.
fn read_cursor(name: &str, attempt: AttemptId, text: &str) -> RpcResult<Option<Place>> {
    if text.is_empty() {
        return Ok(None);
    }
    let parts = text.split_once('.');
    let parsed = parts.and_then(|(id, place)| Some((Kind::Attempt.read(id)?, place.parse().ok()?)));
    match parsed {
        Some((id, place)) if id == attempt.0 => Ok(Some(place)),
        Some((id, _)) => Err(RpcError::invalid(format!(
            "{name} belongs to the log of attempt `{}`",
            Kind::Attempt.write(id)
        ))),
        None => Err(RpcError::invalid(format!(
            "{name} is none that this server gave out; leave it out to begin again"
        ))),
    }
}
