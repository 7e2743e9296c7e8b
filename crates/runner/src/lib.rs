//! The embedded runner: a process of its own that asks a server for attempts
//! over the GitLab Runner protocol and gives them to the executor.
//!
//! It outlives the server. While the server is away, jobs run on, their output
//! is held back up to a bound, and the log goes on at the byte the server
//! acknowledged last. It knows nothing about projects, runs or databases.

mod attempt;
mod backoff;
mod body;
mod client;
mod embedded;
mod lock;
mod report;
mod slot;
mod socket;
mod trace;
mod transfer;

pub use embedded::{EmbeddedSettings, RunnerError, run_embedded};
pub use lock::{RunnerLock, holder};
pub use tappet_executor::launcher::Isolation;

/// What would keep jobs apart on this machine.
///
/// # Errors
/// When a process to find out cannot be had.
pub fn isolation() -> std::io::Result<Isolation> {
    let launcher = tappet_executor::launcher::Launcher::new(false, None)?;
    Ok(launcher.isolation())
}
