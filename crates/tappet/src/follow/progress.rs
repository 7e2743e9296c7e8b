//! One line that moves, for people who wait. Nothing where nobody looks.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};

use super::is_end;

/// The line at the bottom of a terminal.
pub struct Progress {
    run: i64,
    is_shown: bool,
    status: String,
    jobs: HashMap<i64, bool>,
}

impl Progress {
    /// Shown only where `wanted` and standard error is a terminal.
    pub fn new(run: i64, wanted: bool) -> Self {
        Self {
            run,
            is_shown: wanted && std::io::stderr().is_terminal(),
            status: "created".to_owned(),
            jobs: HashMap::new(),
        }
    }

    /// The run has a new status.
    pub fn run(&mut self, status: &str) {
        status.clone_into(&mut self.status);
        self.draw();
    }

    /// A job has a new status.
    pub fn job(&mut self, id: i64, status: &str) {
        self.jobs.insert(id, is_end(status));
        self.draw();
    }

    /// Takes the line away.
    pub fn end(&self) {
        self.write("");
    }

    fn draw(&self) {
        let done = self.jobs.values().filter(|&&ended| ended).count();
        self.write(&format!(
            "run {}: {}, {done} of {} jobs done",
            self.run,
            self.status,
            self.jobs.len()
        ));
    }

    fn write(&self, text: &str) {
        if self.is_shown {
            // Decoration: whether it can be written changes nothing.
            let _ = write!(std::io::stderr().lock(), "\r\x1b[2K{text}");
        }
    }
}
