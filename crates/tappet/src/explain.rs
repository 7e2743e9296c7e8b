//! `tappet explain`: why a job waits, failed or was left out. The server decides
//! the reasons; here they are only put into sentences' order.

use clap::Args;
use serde_json::Value;

use crate::api::{Api, segment};
use crate::connection::Connection;
use crate::exit;
use crate::id::{Id, Place};
use crate::logs::last_lines;
use crate::output::{self, Output, log_line, paint, printable};

/// Lines of a failed job's log that are shown.
const LOG_LINES: usize = 8;

/// `tappet explain …`.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
    /// A run (7 or r7), a job (j12) or an attempt (a15)
    id: Id,
    /// The job of the run with this name, also one that was left out
    job: Option<String>,
}

impl Arguments {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<u8> {
        let (api, output) = self.connection.open()?;
        let name = self.job.as_deref().map(segment);
        let filter = name.map_or_else(String::new, |name| format!("?job={name}"));
        let path = format!("/-/explain/{}{filter}", self.id);
        let explanation = api.get(&path).await?;
        if output == Output::Json {
            output::print_json(&explanation)?;
            return Ok(exit::SUCCESS);
        }
        let place = Place {
            project: format!("/projects/{}", explanation["project_id"]),
            run: explanation["pipeline_id"].as_i64().unwrap_or_default(),
            attempt: None,
        };
        print(&api, &place, &explanation).await?;
        Ok(exit::SUCCESS)
    }
}

async fn print(api: &Api, place: &Place, explanation: &Value) -> anyhow::Result<()> {
    output::print(format_args!(
        "{}\n  {}\n",
        named(&format!("run {}", place.run), &explanation["status"]),
        printable(text(&explanation["reason"])),
    ))?;
    for error in text(&explanation["yaml_errors"]).lines() {
        output::print(format_args!("  {}\n", printable(error)))?;
    }
    for job in items(&explanation["jobs"]) {
        let id = job["id"].as_i64().unwrap_or_default();
        let name = format!("{} (a{id})", printable(text(&job["name"])));
        output::print(format_args!(
            "\n{}\n  {}\n",
            named(&name, &job["status"]),
            printable(text(&job["reason"])),
        ))?;
        if text(&job["status"]) == "failed" {
            print_log(api, place, id).await?;
        }
    }
    for job in items(&explanation["left_out"]) {
        output::print(format_args!(
            "\n{}\n  {}\n",
            named(&printable(text(&job["name"])), &Value::from("left out")),
            printable(text(&job["reason"])),
        ))?;
    }
    for warning in items(&explanation["warnings"]) {
        output::print(format_args!("\nwarning: {}\n", printable(text(warning))))?;
    }
    Ok(())
}

/// The end of the log, when the caller may read it.
async fn print_log(api: &Api, place: &Place, attempt: i64) -> anyhow::Result<()> {
    let path = place.attempt_path(attempt, "/trace");
    let lines = last_lines(api, &path, LOG_LINES).await.unwrap_or_default();
    for line in lines.iter().filter_map(|line| log_line(line)) {
        output::print(format_args!("  │ {line}{}\n", anstyle::Reset))?;
    }
    output::print(format_args!("  The whole log: tappet logs a{attempt}\n"))?;
    Ok(())
}

fn named(name: &str, status: &Value) -> String {
    let word = text(status);
    let (title, style) = (paint::TITLE, paint::status(word));
    format!("{title}{name}{title:#}: {style}{word}{style:#}")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
