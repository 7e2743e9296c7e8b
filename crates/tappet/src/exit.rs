//! Exit codes that scripts rely on, and the colour of errors.

/// All went well (warnings allowed).
pub const SUCCESS: u8 = 0;
/// The run failed, or a command did.
pub const FAILED: u8 = 1;
/// The run waits for a person at a blocking manual job.
pub const BLOCKED: u8 = 4;
/// The run was canceled.
pub const CANCELED: u8 = 130;

/// Bold red.
pub const RED: anstyle::Style = anstyle::AnsiColor::Red
    .on_default()
    .effects(anstyle::Effects::BOLD);
/// Back to normal.
pub const RESET: anstyle::Reset = anstyle::Reset;

/// The code for a run that ended (or stopped) in this status.
pub fn of_run(status: &str) -> u8 {
    match status {
        "success" | "skipped" => SUCCESS,
        "manual" => BLOCKED,
        "canceled" => CANCELED,
        _ => FAILED,
    }
}
