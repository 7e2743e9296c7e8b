//! The key with which a client repeats a request safely.

use tappet_model::ProjectId;

use crate::Run;

/// A client's name for one request (architecture: idempotency).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IdempotencyKey {
    /// Project.
    pub project_id: ProjectId,
    /// Kind and id of the credential, e.g. `trigger:7`.
    pub credential: String,
    /// As sent: 1 to 255 printable characters.
    pub key: String,
}

/// The run that a key started.
#[derive(Clone, PartialEq, Debug)]
pub struct RememberedRun {
    /// Digest of the request that started it.
    pub fingerprint: [u8; 32],
    /// The run.
    pub run: Run,
}
