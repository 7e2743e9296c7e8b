//! Files that attempts upload.

use tappet_model::{ArtifactId, AttemptId, Timestamp};

use crate::NewReport;

/// The kind of files that authors name (`actions/upload-artifact`); an attempt may
/// upload any number of them.
pub const NAMED: &str = "artifact";

/// An uploaded file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Artifact {
    /// Id.
    pub id: ArtifactId,
    /// Of which attempt.
    pub attempt_id: AttemptId,
    /// `archive`, `trace`, report kinds, [`NAMED`].
    pub kind: String,
    /// What the author calls it; only files of kind [`NAMED`] have a name.
    pub name: Option<String>,
    /// `zip`, `gzip`, `raw`.
    pub format: String,
    /// Base name as uploaded.
    pub filename: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Of the content.
    pub sha256: [u8; 32],
    /// When it goes.
    pub expires_at: Option<Timestamp>,
    /// When it came.
    pub created_at: Timestamp,
}

/// A file to remember.
#[derive(Clone, Debug)]
pub struct NewArtifact {
    /// Of which attempt.
    pub attempt_id: AttemptId,
    /// `archive` and others.
    pub kind: String,
    /// With kind [`NAMED`].
    pub name: Option<String>,
    /// `zip` and others.
    pub format: String,
    /// Base name.
    pub filename: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Of the content.
    pub sha256: [u8; 32],
    /// When it goes.
    pub expires_at: Option<Timestamp>,
    /// What the server read in it.
    pub report: Option<NewReport>,
    /// Now.
    pub now: Timestamp,
}
