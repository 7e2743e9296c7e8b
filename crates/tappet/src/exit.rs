//! Exit codes that scripts rely on.

use std::io;

use crate::api::ApiError;

/// All went well (warnings allowed).
pub const SUCCESS: u8 = 0;
/// The run failed, or a command did.
pub const FAILED: u8 = 1;
/// The pipeline file is not valid.
pub const CONFIGURATION: u8 = 2;
/// Rules left nothing to run.
pub const NO_RUN: u8 = 3;
/// The run waits for a person at a blocking manual job.
pub const BLOCKED: u8 = 4;
/// The command line makes no sense.
pub const USAGE: u8 = 64;
/// The server cannot be reached.
pub const UNREACHABLE: u8 = 69;
/// The run was canceled.
pub const CANCELED: u8 = 130;

/// The command line asks for something that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The code for a run that ended (or stopped) in this status.
pub fn of_run(status: &str) -> u8 {
    match status {
        "success" | "skipped" => SUCCESS,
        "manual" => BLOCKED,
        "canceled" => CANCELED,
        _ => FAILED,
    }
}

/// The code for a command that broke off.
pub fn of_error(error: &anyhow::Error) -> u8 {
    if error.is::<Usage>() {
        return USAGE;
    }
    match error.downcast_ref() {
        Some(
            ApiError::NoServer { .. } | ApiError::Unreachable { .. } | ApiError::BrokeOff { .. },
        ) => UNREACHABLE,
        _ => FAILED,
    }
}

/// Whether the reader of our output has gone (`tappet logs 7 | head`). That is
/// its right, so it is no failure.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
