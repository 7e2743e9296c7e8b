//! How far a long command is, on a terminal only.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use tappet_server::backup::Progress;

/// More often nobody could read it.
const EVERY: Duration = Duration::from_millis(100);

/// One line of the terminal that changes.
pub struct Line {
    what: &'static str,
    shown: Option<Instant>,
    is_terminal: bool,
}

impl Line {
    /// Nothing is shown yet.
    pub fn start(what: &'static str) -> Self {
        Self {
            what,
            shown: None,
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Shows how far it is, unless that was shown a moment ago.
    pub fn show(&mut self, progress: Progress) {
        if !self.is_terminal || self.shown.is_some_and(|shown| shown.elapsed() < EVERY) {
            return;
        }
        self.shown = Some(Instant::now());
        let Progress { files, bytes: size } = progress;
        eprint!("\r\x1b[K{}: {files} files, {}", self.what, bytes(size));
        let _ = std::io::stderr().flush();
    }

    /// Leaves an empty line behind.
    pub fn clear(&self) {
        if self.shown.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}

/// A size for people: `12.3 MB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let mut size = count as f64;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{count} bytes")
    } else {
        format!("{size:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_fitting_units() {
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(12_345), "12.3 kB");
        assert_eq!(bytes(1_000_000_000_000_000), "1000.0 TB");
    }
}
