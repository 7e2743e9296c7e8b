//! `tappet logs`: what jobs printed, stored or live.

mod tail;

use clap::Args;
use serde_json::Value;

use crate::api::{Api, ApiError};
use crate::connection::Connection;
use crate::exit::{self, Usage};
use crate::follow::{self, Form, Label, Lines};
use crate::id::{Id, Place};
use crate::output::{self, Output, paint, printable};
pub use tail::last_lines;

/// `tappet logs …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// A run (7 or r7), a job (j12) or an attempt (a15)
    id: Id,
    /// The job of the run with this name
    job: Option<String>,
    /// Go on until the job or the run has ended; the exit code is its result
    #[arg(long, short, conflicts_with_all = ["tail", "raw"])]
    follow: bool,
    /// Only the last lines
    #[arg(long, value_name = "N", conflicts_with = "raw")]
    tail: Option<usize>,
    /// The stored bytes as they are, with section marks and control sequences
    #[arg(long)]
    raw: bool,
}

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        if output == Output::Json && !self.follow {
            let text = "a stored log is text: leave --json out, or add --follow \
                        for one JSON object a line";
            return Err(Usage(text.to_owned()).into());
        }
        let place = Place::find(&api, self.id, self.job.as_deref()).await?;
        if self.follow {
            return follow(&api, output, &place).await;
        }
        match place.attempt {
            Some(attempt) => self.one(&api, &place, attempt).await?,
            None => self.all(&api, &place).await?,
        }
        Ok(exit::SUCCESS)
    }

    /// The logs of all jobs of a run that have begun, each under its name.
    async fn all(&self, api: &Api, place: &Place) -> anyhow::Result<()> {
        for job in place.jobs(api).await? {
            let (Some(id), false) = (job["id"].as_i64(), job["started_at"].is_null()) else {
                continue;
            };
            output::print(heading(&job))?;
            self.one(api, place, id).await?;
        }
        Ok(())
    }

    async fn one(&self, api: &Api, place: &Place, attempt: i64) -> anyhow::Result<()> {
        let path = place.attempt_path(attempt, "/trace");
        match self.tail {
            Some(count) => {
                let mut shown = String::new();
                let label = Label::none(attempt);
                for line in last_lines(api, &path, count).await? {
                    label.line(&line, &mut shown);
                }
                output::print(shown)?;
                Ok(())
            }
            None if self.raw => raw(api, &path).await,
            None => stored(api, &path, &Label::none(attempt)).await,
        }
    }
}

fn heading(job: &Value) -> String {
    let word = job["status"].as_str().unwrap_or_default();
    let (title, status) = (paint::TITLE, paint::status(word));
    format!(
        "{title}── {} (a{}){title:#} {status}{word}{status:#}\n",
        printable(job["name"].as_str().unwrap_or_default()),
        job["id"],
    )
}

async fn raw(api: &Api, path: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let mut response = api.download(path, None).await?;
    let mut out = std::io::stdout().lock();
    while let Some(chunk) = chunk(api, &mut response).await? {
        out.write_all(&chunk)?;
    }
    out.flush()?;
    Ok(())
}

async fn stored(api: &Api, path: &str, label: &Label) -> anyhow::Result<()> {
    let mut response = api.download(path, None).await?;
    let mut lines = Lines::default();
    let mut torn = Vec::new();
    while let Some(chunk) = chunk(api, &mut response).await? {
        // Cut at a line's end, so that no character is torn.
        torn.extend_from_slice(&chunk);
        let whole = torn
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        lines.push(&String::from_utf8_lossy(&torn[..whole]));
        torn.drain(..whole);
        print_lines(&mut lines, label)?;
    }
    lines.push(&String::from_utf8_lossy(&torn));
    let mut shown = String::new();
    if let Some(rest) = lines.rest() {
        label.line(rest, &mut shown);
    }
    output::print(shown)?;
    Ok(())
}

fn print_lines(lines: &mut Lines, label: &Label) -> std::io::Result<()> {
    let mut shown = String::new();
    while let Some(line) = lines.next_line() {
        label.line(line, &mut shown);
    }
    output::print(shown)
}

async fn chunk(
    api: &Api,
    response: &mut reqwest::Response,
) -> Result<Option<bytes::Bytes>, ApiError> {
    let chunk = response.chunk().await;
    chunk.map_err(|error| ApiError::lost(api.server(), &error))
}

async fn follow(api: &Api, output: Output, place: &Place) -> anyhow::Result<u8> {
    let form = match output {
        Output::Text => Form::Text,
        Output::Json => Form::Json,
    };
    let following = async {
        match place.attempt {
            Some(attempt) => {
                let path = place.attempt_path(attempt, "/trace/events");
                let label = match form {
                    Form::Json => {
                        let job = api.get(&place.attempt_path(attempt, "")).await?;
                        let name = printable(job["name"].as_str().unwrap_or_default());
                        Label::new(attempt, name, paint::PLAIN, true)
                    }
                    _ => Label::none(attempt),
                };
                follow::job_log(api.clone(), path, label).await
            }
            None => follow::run(api, place, form).await,
        }
    };
    follow::or_interrupted(place.run, following, |status| exit::of_run(&status)).await
}
