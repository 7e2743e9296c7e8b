//! Lines that the runner itself writes into the log: section markers and
//! coloured messages, as GitLab's log viewer knows them.

use std::fmt::Display;
use std::time::{SystemTime, UNIX_EPOCH};

const CLEAR: &str = "\u{1b}[0K";
const RESET: &str = "\u{1b}[0;m";

/// A stage of the job, as its section in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Section {
    /// Name in the markers.
    pub name: &'static str,
    /// Heading for people.
    pub title: &'static str,
}

impl Section {
    /// Choosing where and how the job runs.
    pub const PREPARE: Self = Self {
        name: "prepare_executor",
        title: "Preparing the \"shell\" executor",
    };
    /// The checkout.
    pub const GET_SOURCES: Self = Self {
        name: "get_sources",
        title: "Getting source from Git repository",
    };
    /// Archives of earlier jobs.
    pub const DOWNLOAD_ARTIFACTS: Self = Self {
        name: "download_artifacts",
        title: "Downloading artifacts",
    };
    /// `before_script` and `script`.
    pub const SCRIPT: Self = Self {
        name: "step_script",
        title: "Executing \"step_script\" stage of the job script",
    };
    /// `after_script`.
    pub const AFTER_SCRIPT: Self = Self {
        name: "after_script",
        title: "Running after_script",
    };
    /// Upload after success.
    pub const UPLOAD_ON_SUCCESS: Self = Self {
        name: "upload_artifacts_on_success",
        title: "Uploading artifacts for successful job",
    };
    /// Upload after failure.
    pub const UPLOAD_ON_FAILURE: Self = Self {
        name: "upload_artifacts_on_failure",
        title: "Uploading artifacts for failed job",
    };

    /// The opening marker (if `markers`) and the heading.
    pub fn start(self, markers: bool, out: &mut String) {
        if markers {
            out.push_str(&format!("section_start:{}:{}\r{CLEAR}", now(), self.name));
        }
        out.push_str(&format!(
            "{CLEAR}\u{1b}[36;1m{}{RESET}{RESET}\n",
            self.title
        ));
    }

    /// The closing marker.
    pub fn end(self, markers: bool, out: &mut String) {
        if markers {
            out.push_str(&format!("section_end:{}:{}\r{CLEAR}", now(), self.name));
        }
    }
}

/// A line in bold green: good news.
pub fn success(text: impl Display) -> String {
    format!("\u{1b}[32;1m{text}{RESET}\n")
}

/// A line in yellow that starts with `WARNING: `.
pub fn warning(text: impl Display) -> String {
    format!("\u{1b}[0;33mWARNING: {text}{RESET}\n")
}

/// A line in bold red that starts with `ERROR: `.
pub fn error(text: impl Display) -> String {
    format!("\u{1b}[31;1mERROR: {text}{RESET}\n")
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
