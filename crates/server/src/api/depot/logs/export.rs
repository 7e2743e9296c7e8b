//! `ExportJobAttemptLogs`: what is stored of a log now, as a file of text or of one
//! JSON object a line.

use connectrpc::{ConnectError, ServiceStream};
use futures_util::StreamExt;
use futures_util::stream;
use serde::Serialize;
use tappet_rpc::depot::ci::v1::export_job_attempt_logs_response::Event;
use tappet_rpc::depot::ci::v1::{
    ExportJobAttemptLogsResponse, JobAttemptLogExportFormat, JobAttemptLogExportMetadata,
};
use tappet_store::Attempt;

use super::{Snapshot, stream_number};
use crate::api::depot::caller::Caller;
use crate::api::depot::errors::{RpcError, RpcResult};
use crate::api::depot::opening;
use crate::app::App;
use crate::logs::lines::LogLine;

/// How a line is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Text,
    JsonLines,
}

impl Format {
    fn of(asked: buffa::EnumValue<JobAttemptLogExportFormat>) -> RpcResult<Self> {
        use JobAttemptLogExportFormat as Asked;
        match asked.as_known() {
            Some(Asked::Unspecified | Asked::Text) => Ok(Self::Text),
            Some(Asked::Jsonl) => Ok(Self::JsonLines),
            None => Err(RpcError::invalid(format!(
                "unsupported format: {}; use TEXT or JSONL",
                asked.to_i32()
            ))),
        }
    }

    fn metadata(self, attempt: &Attempt) -> JobAttemptLogExportMetadata {
        let (ending, content_type, format) = match self {
            Format::Text => (
                "txt",
                "text/plain; charset=utf-8",
                JobAttemptLogExportFormat::Text,
            ),
            Format::JsonLines => (
                "jsonl",
                "application/x-ndjson; charset=utf-8",
                JobAttemptLogExportFormat::Jsonl,
            ),
        };
        JobAttemptLogExportMetadata {
            filename: format!(
                "{}-attempt-{}.{ending}",
                base_name(&attempt.name),
                attempt.number
            ),
            content_type: content_type.to_owned(),
            format: format.into(),
        }
    }

    fn write(self, line: &LogLine, out: &mut Vec<u8>) {
        let timestamp = instant(line);
        match self {
            Format::Text => {
                out.extend_from_slice(timestamp.as_bytes());
                out.push(b' ');
                out.extend_from_slice(line.text.as_bytes());
            }
            Format::JsonLines => {
                let exported = ExportedLine {
                    r#type: "line",
                    timestamp,
                    timestamp_ms: line.time.0.div_euclid(1000),
                    stream: stream_number(line.stream),
                    step_key: line.step.as_deref().unwrap_or(&line.section),
                    line_number: line.number,
                    body: &line.text,
                };
                serde_json::to_writer(&mut *out, &exported)
                    .expect("numbers and texts are JSON, and memory takes all");
            }
        }
        out.push(b'\n');
    }
}

#[derive(Serialize)]
struct ExportedLine<'a> {
    r#type: &'static str,
    timestamp: String,
    timestamp_ms: i64,
    stream: u32,
    step_key: &'a str,
    line_number: u32,
    body: &'a str,
}

/// RFC 3339 with as many digits as there are.
fn instant(line: &LogLine) -> String {
    match jiff::Timestamp::from_microsecond(line.time.0) {
        Ok(time) => time.to_string(),
        Err(_) => line.time.to_string(),
    }
}

/// The name of a job as the base name of a file, in ASCII.
fn base_name(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .take(100)
        .collect();
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() { "job" } else { name }.to_owned()
}

/// Opens the stream: what the file is called, then its bytes.
pub async fn export(
    app: &App,
    caller: &Caller,
    (attempt_id, job_id): (&str, &str),
    format: buffa::EnumValue<JobAttemptLogExportFormat>,
) -> RpcResult<ServiceStream<ExportJobAttemptLogsResponse>> {
    let format = Format::of(format)?;
    let (opened, attempt) = opening::attempt_or_job(app, caller, attempt_id, job_id).await?;
    opening::require_log(&opened, &attempt)?;
    let snapshot = Snapshot::open(app, &attempt, None).await?;
    let metadata = Event::Metadata(Box::new(format.metadata(&attempt)));
    let first = stream::once(async { Ok(message(metadata)) });
    let chunks = stream::unfold(Some(snapshot), move |snapshot| async move {
        let mut snapshot = snapshot?;
        let mut bytes = Vec::new();
        match snapshot
            .next(|line, _| format.write(&line, &mut bytes))
            .await
        {
            Ok(more) => Some((Ok(bytes), more.then_some(snapshot))),
            Err(error) => Some((Err(ConnectError::from(error)), None)),
        }
    });
    let chunks = chunks.filter_map(async |chunk| match chunk {
        Ok(bytes) if bytes.is_empty() => None,
        Ok(bytes) => Some(Ok(message(Event::Chunk(bytes)))),
        Err(error) => Some(Err(error)),
    });
    Ok(Box::pin(first.chain(chunks)))
}

fn message(event: Event) -> ExportJobAttemptLogsResponse {
    ExportJobAttemptLogsResponse { event: Some(event) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tappet_model::Timestamp;

    use super::*;
    use crate::logs::stamp::Stream;

    fn line() -> LogLine {
        LogLine {
            section: "step_build".to_owned(),
            title: "Build".to_owned(),
            step: Some("build".to_owned()),
            time: Timestamp::parse("2026-11-21T20:00:00.120000Z").unwrap(),
            stream: Stream::Err,
            number: 3,
            text: "oh \"dear\"".to_owned(),
        }
    }

    #[rstest]
    #[case(Format::Text, "2026-11-21T20:00:00.12Z oh \"dear\"\n")]
    #[case(
        Format::JsonLines,
        "{\"type\":\"line\",\"timestamp\":\"2026-11-21T20:00:00.12Z\",\
         \"timestamp_ms\":1795291200120,\"stream\":1,\"step_key\":\"build\",\
         \"line_number\":3,\"body\":\"oh \\\"dear\\\"\"}\n"
    )]
    fn a_line_as_each_format_has_it(#[case] format: Format, #[case] expected: &str) {
        let mut out = Vec::new();
        format.write(&line(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[rstest]
    #[case("build", "build")]
    #[case("build (ubuntu, 20)", "build--ubuntu--20")]
    #[case("../../etc", "etc")]
    #[case("ビルド", "job")]
    fn a_file_is_named_after_its_job(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(base_name(name), expected);
    }
}
