//! What an attempt needs from whoever started it; the executor knows no HTTP.

use std::future::Future;
use std::path::Path;

use tappet_model::runner_protocol::{ArtifactUpload, Dependency};
use tappet_model::steps_payload::NamedArtifact;

/// A transfer that could not be made, after all retries.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TransferError(pub String);

/// A named artifact in the making.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedUpload {
    /// Its name.
    pub name: String,
    /// Days until it goes; `None`: as the server likes.
    pub retention_days: Option<u32>,
    /// Takes the place of an earlier one of the same name, which else refuses it.
    pub overwrite: bool,
}

/// The attempt's ways out and in.
pub trait AttemptIo: Send + Sync {
    /// Output of the job, exactly as written. Waits while the receiver is full.
    fn log(&self, bytes: &[u8]) -> impl Future<Output = ()> + Send;

    /// A line of the runner itself: in order with [`AttemptIo::log`], but it may travel
    /// with what comes next.
    fn note(&self, text: String) -> impl Future<Output = ()> + Send;

    /// Fetches the archive of `dependency` into the new file `to`.
    fn fetch(
        &self,
        dependency: &Dependency,
        to: &Path,
    ) -> impl Future<Output = Result<(), TransferError>> + Send;

    /// Uploads `file` under `name` as what `artifact` says.
    fn upload(
        &self,
        artifact: &ArtifactUpload,
        name: &str,
        file: &Path,
    ) -> impl Future<Output = Result<(), TransferError>> + Send;

    /// Uploads the zip archive `file` as a named artifact of the run.
    fn upload_named(
        &self,
        artifact: &NamedUpload,
        file: &Path,
    ) -> impl Future<Output = Result<NamedArtifact, TransferError>> + Send;

    /// The named artifacts of the run, the newest of each name.
    fn list_named(&self) -> impl Future<Output = Result<Vec<NamedArtifact>, TransferError>> + Send;

    /// Fetches the archive of a named artifact into the new file `to`.
    fn fetch_named(
        &self,
        id: i64,
        to: &Path,
    ) -> impl Future<Output = Result<(), TransferError>> + Send;

    /// Fetches the caller's local changes, stored under `key`, into the new file `to`.
    fn fetch_patch(
        &self,
        key: &str,
        to: &Path,
    ) -> impl Future<Output = Result<(), TransferError>> + Send;
}
