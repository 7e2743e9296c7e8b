//! Follows a run live: the lines of all its jobs, each behind its job's name.

use std::collections::HashSet;

use anstyle::{AnsiColor, Style};
use anyhow::Context;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::client::Client;

/// Colours that tell jobs apart.
const COLORS: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::Yellow,
    AnsiColor::BrightCyan,
    AnsiColor::BrightMagenta,
];

/// Prints until the run has ended; gives its last status.
pub async fn run(client: &Client, project: i64, run: i64) -> anyhow::Result<String> {
    let path = format!("/api/v4/projects/{project}/pipelines/{run}");
    let mut events = client.events(&format!("{path}/events")).await?;
    let mut followed = HashSet::new();
    let mut logs = JoinSet::new();
    loop {
        // The state first: what happened before the stream opened counts too.
        let jobs = client.get(&format!("{path}/jobs?per_page=100")).await?;
        let mut jobs: Vec<&Value> = jobs.as_array().into_iter().flatten().collect();
        jobs.sort_by_key(|job| job["id"].as_i64());
        for (at, job) in jobs.iter().enumerate() {
            let begun = !job["started_at"].is_null();
            let id = job["id"].as_i64().context("a job has no id")?;
            if begun && followed.insert(id) {
                let name = job["name"].as_str().unwrap_or_default().to_owned();
                let color = COLORS[at % COLORS.len()].on_default();
                logs.spawn(log(client.clone(), project, id, name, color));
            }
        }
        let status = client.get(&path).await?["status"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if matches!(
            status.as_str(),
            "success" | "failed" | "canceled" | "skipped" | "manual"
        ) {
            while let Some(log) = logs.join_next().await {
                log.context("a log reader failed")??;
            }
            return Ok(status);
        }
        if events.next().await?.is_none() {
            events = client.events(&format!("{path}/events")).await?;
        }
    }
}

/// Prints the log of one job as it grows.
async fn log(
    client: Client,
    project: i64,
    job: i64,
    name: String,
    style: Style,
) -> anyhow::Result<()> {
    let path = format!("/api/v4/projects/{project}/jobs/{job}/trace/events");
    let mut events = client.events(&path).await?;
    let mut rest = String::new();
    while let Some(event) = events.next().await? {
        if event.kind == "log" {
            let chunk: Value = serde_json::from_str(&event.data)?;
            rest.push_str(chunk["text"].as_str().unwrap_or_default());
            while let Some(end) = rest.find('\n') {
                let line: String = rest.drain(..=end).collect();
                print_line(&name, style, line.trim_end_matches('\n'));
            }
        } else if event.kind == "end" {
            break;
        }
    }
    if !rest.is_empty() {
        print_line(&name, style, &rest);
    }
    Ok(())
}

fn print_line(name: &str, style: Style, line: &str) {
    if let Some(text) = visible(line) {
        anstream::println!("{style}{name:>10} │{style:#} {text}");
    }
}

/// What a terminal would show of a line: nothing before the last "erase line",
/// and no line that only marks a section.
fn visible(line: &str) -> Option<&str> {
    const ERASE: &str = "\r\x1b[0K";
    let is_marker = line.contains("section_start:") || line.contains("section_end:");
    let text = match line.rfind(ERASE) {
        Some(at) => &line[at + ERASE.len()..],
        None => line
            .rsplit('\r')
            .find(|part| !part.is_empty())
            .unwrap_or(""),
    };
    (!is_marker || !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_marks_are_not_shown() {
        assert_eq!(visible("plain"), Some("plain"));
        assert_eq!(visible("section_end:1:x\r\x1b[0K"), None);
        assert_eq!(visible("section_start:1:x\r\x1b[0KTitle"), Some("Title"));
        assert_eq!(visible("10%\r50%\r100%"), Some("100%"));
        assert_eq!(visible(""), Some(""));
    }
}
