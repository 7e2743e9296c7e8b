//! What an attempt needs from whoever started it; the executor knows no HTTP.

use std::future::Future;
use std::path::Path;

use tappet_model::runner_protocol::{ArtifactUpload, Dependency};

/// A transfer that could not be made, after all retries.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TransferError(pub String);

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
}
