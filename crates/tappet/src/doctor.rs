//! `tappet doctor`: looks for what could keep Tappet from working here, before
//! it does.

mod checks;
mod server;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::ServeFlags;
use crate::output::{self, Output, paint};
use crate::{exit, settings};

/// `tappet doctor …`.
#[derive(Args)]
pub struct Arguments {
    /// Data directory [default: ~/.local/share/tappet]
    #[arg(long, env = "TAPPET_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// A server to reach [default: the one that runs on the data directory]
    #[arg(long, env = "TAPPET_SERVER", value_name = "URL")]
    server: Option<String>,
    /// Print JSON instead of text for people
    #[arg(long)]
    json: bool,
}

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    check: &'static str,
    /// How it is.
    verdict: Verdict,
    /// What was found and, when something is wrong, what to do.
    text: String,
}

/// How serious a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Works, but not as well as it could.
    Warning,
    /// Does not work.
    Bad,
}

impl Finding {
    fn new(check: &'static str, verdict: Verdict, text: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            text: text.into(),
        }
    }

    fn good(check: &'static str, text: impl Into<String>) -> Self {
        Self::new(check, Verdict::Good, text)
    }

    fn warning(check: &'static str, text: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warning, text)
    }

    fn bad(check: &'static str, text: impl Into<String>) -> Self {
        Self::new(check, Verdict::Bad, text)
    }
}

impl Arguments {
    /// Looks; 1 when something does not work.
    pub async fn run(self) -> anyhow::Result<u8> {
        let config = settings::read(ServeFlags {
            data: self.data,
            ..ServeFlags::default()
        })?;
        let findings = vec![
            checks::git(),
            checks::shell(),
            checks::data_directory(&config.data_dir),
            checks::disk(&config.data_dir),
            checks::isolation(),
            checks::clock(),
            checks::time_zone(),
            checks::port(&config),
            server::server(&config, self.server.as_deref()).await,
        ];
        match if self.json {
            Output::Json
        } else {
            Output::Text
        } {
            Output::Json => output::print_json(&findings)?,
            Output::Text => print(&findings)?,
        }
        let is_bad = findings.iter().any(|one| one.verdict == Verdict::Bad);
        Ok(if is_bad { exit::FAILED } else { exit::SUCCESS })
    }
}

fn print(findings: &[Finding]) -> std::io::Result<()> {
    for finding in findings {
        let (mark, style) = match finding.verdict {
            Verdict::Good => ("ok", paint::GOOD),
            Verdict::Warning => ("note", paint::OPEN),
            Verdict::Bad => ("bad", paint::BAD),
        };
        let text = finding.text.replace('\n', "\n                  ");
        output::print(format_args!(
            "{style}{mark:4}{style:#}  {:10}  {text}\n",
            finding.check
        ))?;
    }
    Ok(())
}
