//! Colours, by what they mean.

use anstyle::{AnsiColor, Style};

/// Something went wrong.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// All is well.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Neither yet.
pub const OPEN: Style = AnsiColor::Yellow.on_default().bold();
/// Headings.
pub const TITLE: Style = Style::new().bold();
/// No colour.
pub const PLAIN: Style = Style::new();

/// Colours that tell jobs apart.
const JOBS: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::Yellow,
    AnsiColor::BrightCyan,
    AnsiColor::BrightMagenta,
];

/// The colour of a status word.
pub fn status(word: &str) -> Style {
    match word {
        "success" | "active" => GOOD,
        "failed" | "blocked" => BAD,
        _ => OPEN,
    }
}

/// The colour of the nth job whose log is shown.
pub fn job(nth: usize) -> Style {
    JOBS[nth % JOBS.len()].on_default()
}
