//! Artifacts of dbt that Datafold's clients upload: which are there. The files
//! themselves are the server's.

use tappet_model::{CiConfigId, ProjectId, Timestamp};

use crate::Verb;

/// One upload, the newest of its kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DbtUpload {
    /// Under which CI config.
    pub config_id: CiConfigId,
    /// Of which commit, as told.
    pub commit_sha: String,
    /// `production` or `pull_request`.
    pub run_type: String,
    /// What links the two uploads of one pull request, as told.
    pub run_key: Option<String>,
    /// Bytes of the archive.
    pub size_bytes: u64,
    /// SHA-256 of the archive, its name on disk.
    pub sha256: [u8; 32],
    /// When.
    pub created_at: Timestamp,
}

/// Verbs about uploads of dbt.
pub trait DbtUploads {
    /// Remembers an upload in place of the earlier one of the same config, commit and
    /// type; of each config and type the newest `keep` stay. Gives the digests that no
    /// upload has any more.
    fn add_dbt_upload(&self, upload: DbtUpload, keep: u32) -> Verb<'_, Vec<[u8; 32]>>;
    /// The upload of a commit.
    fn dbt_upload(
        &self,
        config: CiConfigId,
        commit_sha: String,
        run_type: String,
    ) -> Verb<'_, Option<DbtUpload>>;
    /// Forgets the uploads of a CI config. Gives the digests that no upload has any more.
    fn delete_dbt_uploads(&self, config: CiConfigId) -> Verb<'_, Vec<[u8; 32]>>;
    /// Those of the digests that no upload has.
    fn unused_dbt_digests(&self, digests: Vec<[u8; 32]>) -> Verb<'_, Vec<[u8; 32]>>;
    /// Forgets the uploads of all CI configs of a project, deleted ones included.
    fn delete_dbt_uploads_of_project(&self, project: ProjectId) -> Verb<'_, Vec<[u8; 32]>>;
}
