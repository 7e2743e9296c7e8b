//! The live log of one job.

use std::fmt::Write;

use anstyle::Style;
use serde_json::{Value, json};
use tappet_server::logs::stamp;

use super::resumed::Resumed;
use crate::api::Api;
use crate::output::{self, log_line, paint};

/// What stands before each line of a job.
#[derive(Clone, Debug)]
pub struct Label {
    id: i64,
    name: Option<String>,
    style: Style,
    is_json: bool,
}

impl Label {
    /// Lines behind the name of their job, or as JSON objects.
    pub fn new(id: i64, name: String, style: Style, is_json: bool) -> Self {
        Self {
            id,
            name: Some(name),
            style,
            is_json,
        }
    }

    /// Lines as they are.
    pub fn none(id: i64) -> Self {
        Self {
            id,
            name: None,
            style: paint::PLAIN,
            is_json: false,
        }
    }

    /// Adds a line of the log to `shown`, as it is printed.
    pub fn line(&self, line: &str, shown: &mut String) {
        let line = stamp::text(line);
        // Writing to a String cannot fail.
        let _ = if self.is_json {
            let text = line.trim_end_matches(['\n', '\r']);
            let line = json!({ "t": "line", "job": self.name, "job_id": self.id, "text": text });
            writeln!(shown, "{line}")
        } else {
            // A colour that a line left open must not reach the next one.
            match (log_line(line), &self.name) {
                (Some(text), Some(name)) => writeln!(shown, "{}", self.behind(name, &text)),
                (Some(text), None) => writeln!(shown, "{text}{}", anstyle::Reset),
                (None, _) => Ok(()),
            }
        };
    }

    /// Prints how the job ended.
    pub fn end(&self, status: &str) -> std::io::Result<()> {
        match &self.name {
            Some(name) if !self.is_json => {
                let style = paint::status(status);
                let text = format!("{style}{status}{style:#}");
                output::print(format_args!("{}\n", self.behind(name, &text)))
            }
            _ => Ok(()),
        }
    }

    fn behind(&self, name: &str, text: &str) -> String {
        let style = self.style;
        format!("{style}{name:>10} │{style:#} {text}{}", anstyle::Reset)
    }
}

/// Prints the log at `path` as it grows, until its job has ended; gives the
/// job's status.
pub async fn job_log(api: Api, path: String, label: Label) -> anyhow::Result<String> {
    let mut events = Resumed::new(api, path);
    let mut lines = Lines::default();
    loop {
        let event = events.next().await?;
        let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
        let mut shown = String::new();
        match event.kind.as_str() {
            "log" => {
                lines.push(data["text"].as_str().unwrap_or_default());
                while let Some(line) = lines.next_line() {
                    label.line(line, &mut shown);
                }
                output::print(shown)?;
            }
            "end" => {
                if let Some(rest) = lines.rest() {
                    label.line(rest, &mut shown);
                }
                output::print(shown)?;
                let status = data["status"].as_str().unwrap_or("gone").to_owned();
                // A job that did well says so itself in its last line.
                if status != "success" {
                    label.end(&status)?;
                }
                return Ok(status);
            }
            _ => {}
        }
    }
}

/// Cuts pieces of text into whole lines.
#[derive(Default, Debug)]
pub struct Lines {
    text: String,
    /// Everything before was given out.
    start: usize,
}

impl Lines {
    /// One more piece.
    pub fn push(&mut self, text: &str) {
        self.text.drain(..self.start);
        self.start = 0;
        self.text.push_str(text);
    }

    /// The next line that is whole.
    pub fn next_line(&mut self) -> Option<&str> {
        let rest = &self.text[self.start..];
        let line = &rest[..=rest.find('\n')?];
        self.start += line.len();
        Some(line)
    }

    /// The last line, when it has no end.
    pub fn rest(&self) -> Option<&str> {
        let rest = &self.text[self.start..];
        (!rest.is_empty()).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_behind_its_time_shows_its_text_alone() {
        let mut shown = String::new();
        Label::none(1).line("2026-11-21T20:00:00.000000Z 00O hello\n", &mut shown);
        assert!(shown.starts_with("hello"), "{shown:?}");
    }

    #[test]
    fn pieces_become_whole_lines() {
        let mut lines = Lines::default();
        lines.push("one\ntw");
        assert_eq!(lines.next_line(), Some("one\n"));
        assert_eq!(lines.next_line(), None);
        lines.push("o\nthree");
        assert_eq!(lines.next_line(), Some("two\n"));
        assert_eq!(lines.rest(), Some("three"));
    }
}
