//! Follows a run until it has ended or waits for a person, printing what happens
//! as it happens. Streams that break off are taken up where they stopped.

mod log;
mod progress;
mod resumed;

use std::collections::HashSet;
use std::future::Future;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::api::{Api, ApiError};
use crate::exit;
use crate::id::Place;
use crate::output::{self, paint, printable};
pub use log::{Label, Lines, job_log};
use progress::Progress;
use resumed::Resumed;

/// What is printed on the way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Nothing but a line that moves, on terminals.
    Quiet,
    /// The lines of all jobs, each behind its job's name.
    Text,
    /// The same as one JSON object a line.
    Json,
}

/// Something that happened in a run.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Change {
    /// A job has a new status.
    Job {
        id: i64,
        name: String,
        stage: String,
        status: String,
    },
    /// The run has a new status.
    Run { status: String },
    /// The run is over.
    End { status: String },
}

/// Prints until the run has ended or stopped at a manual job; gives its status.
pub async fn run(api: &Api, place: &Place, form: Form) -> anyhow::Result<String> {
    let mut events = Resumed::new(api.clone(), place.run_path("/events"));
    let mut progress = Progress::new(place.run, form == Form::Quiet);
    let mut followed = HashSet::new();
    let mut logs = JoinSet::new();
    let status = loop {
        let event = events.next().await?;
        match change(&event.kind, &event.data) {
            Some(Change::End { status }) => break status,
            Some(Change::Run { status }) => {
                progress.run(&status);
                // Told from the beginning: the run may have gone on since.
                if status == "manual" && is_still(api, place, &status).await? {
                    break status;
                }
            }
            Some(Change::Job {
                id,
                name,
                stage,
                status,
            }) => {
                progress.job(id, &status);
                if form == Form::Quiet {
                    continue;
                }
                if form == Form::Json {
                    let line = json!({
                        "t": "job", "job": name, "job_id": id, "stage": stage, "status": status,
                    });
                    output::print(format_args!("{line}\n"))?;
                }
                let nth = followed.len();
                if status == "running" && followed.insert(id) {
                    let label = Label::new(id, name, paint::job(nth), form == Form::Json);
                    let path = place.attempt_path(id, "/trace/events");
                    logs.spawn(job_log(api.clone(), path, label));
                } else if form == Form::Text && is_end(&status) && !followed.contains(&id) {
                    Label::new(id, name, paint::job(nth), false).end(&status)?;
                }
            }
            None => {}
        }
    };
    while let Some(log) = logs.join_next().await {
        log.context("a log reader failed")??;
    }
    progress.end();
    if form == Form::Json {
        let line = json!({ "t": "pipeline", "id": place.run, "status": status });
        output::print(format_args!("{line}\n"))?;
    }
    Ok(status)
}

/// Whether a status is the last one of an attempt.
pub fn is_end(status: &str) -> bool {
    matches!(status, "success" | "failed" | "canceled" | "skipped")
}

async fn is_still(api: &Api, place: &Place, status: &str) -> Result<bool, ApiError> {
    let run = api.get(&place.run_path("")).await?;
    Ok(run["status"].as_str() == Some(status))
}

fn change(kind: &str, data: &str) -> Option<Change> {
    let data: Value = serde_json::from_str(data).ok()?;
    let text = |key: &str| data[key].as_str().map(str::to_owned);
    let status = text("status")?;
    match kind {
        "run" => Some(Change::Run { status }),
        "end" => Some(Change::End { status }),
        "job" => Some(Change::Job {
            id: data["id"].as_i64()?,
            name: printable(&text("name")?),
            stage: printable(&text("stage")?),
            status,
        }),
        _ => None,
    }
}

/// Follows until Ctrl-C, which ends only the following.
pub async fn or_interrupted<T>(
    run: i64,
    following: impl Future<Output = anyhow::Result<T>>,
    code: impl FnOnce(T) -> u8,
) -> anyhow::Result<u8> {
    tokio::select! {
        followed = following => followed.map(code),
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.context("cannot listen for Ctrl-C")?;
            output::note(format_args!(
                "\nRun {run} goes on without you. Cancel it with `tappet cancel {run}`, \
                 see it with `tappet status {run}`."
            ))?;
            Ok(exit::CANCELED)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_run_are_understood_and_unknown_ones_passed_over() {
        let job = r#"{"id":15,"name":"build","stage":"test","status":"running"}"#;
        assert_eq!(
            change("job", job),
            Some(Change::Job {
                id: 15,
                name: "build".into(),
                stage: "test".into(),
                status: "running".into()
            })
        );
        let end = r#"{"status":"success"}"#;
        let status = || "success".to_owned();
        assert_eq!(change("end", end), Some(Change::End { status: status() }));
        assert_eq!(change("run", end), Some(Change::Run { status: status() }));
        assert_eq!(change("weather", end), None);
        assert_eq!(change("run", "not JSON"), None);
    }
}
