//! Runs one attempt of a job on this machine: workspace, checkout, processes,
//! artifacts. It is given a job as the runner protocol describes it and tells
//! its story through [`AttemptIo`]; it knows no server and no HTTP.
//!
//! [`Executor::execute`] walks through GitLab's stages. Programs run through
//! the [`launcher`], which leaves no process behind, whatever happens.

mod artifacts;
mod attempt;
mod control;
mod environment;
mod executor;
mod expand;
mod io;
pub mod launcher;
mod outcome;
mod script;
mod section;
mod sources;
mod steps;
mod supervise;
mod workspace;

pub use artifacts::restore::Limits as RestoreLimits;
pub use control::Control;
pub use executor::{Executor, ExecutorError, ExecutorSettings};
pub use io::{AttemptIo, NamedUpload, TransferError};
pub use outcome::Outcome;
