//! Uploads of dbt, with their archives: a row goes before its file, and a file comes
//! before its row.

use std::io;

use tappet_model::{CiConfigId, ProjectId};
use tappet_store::{DbtUpload, StoreError, StoreResult};

use crate::app::App;
use crate::dbt_files::Turn;
use crate::incoming_files::ReceivedFile;

/// Why an upload was not kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// The disk refused.
    #[error("cannot keep the uploaded archive: {0}")]
    Io(#[from] io::Error),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Keeps an archive and what it is of, in place of an earlier one.
    pub async fn keep_dbt_upload(
        &self,
        upload: DbtUpload,
        archive: ReceivedFile,
    ) -> Result<(), NotKept> {
        let most = self.config.limits.dbt_uploads_per_config;
        let turn = self.dbt_files.turn().await;
        turn.keep(archive).await?;
        remove(&turn, self.store.add_dbt_upload(upload, most).await?).await;
        Ok(())
    }

    /// Removes what was uploaded under a CI config.
    pub async fn delete_dbt_uploads(&self, config: CiConfigId) -> StoreResult<()> {
        let turn = self.dbt_files.turn().await;
        remove(&turn, self.store.delete_dbt_uploads(config).await?).await;
        Ok(())
    }

    /// Removes what was uploaded to a project.
    pub async fn delete_dbt_uploads_of_project(&self, project: ProjectId) -> StoreResult<()> {
        let turn = self.dbt_files.turn().await;
        let unused = self.store.delete_dbt_uploads_of_project(project).await?;
        remove(&turn, unused).await;
        Ok(())
    }

    /// Removes archives that a crash kept from being remembered or removed.
    pub async fn sweep_dbt_files(&self) -> Result<(), NotKept> {
        let turn = self.dbt_files.turn().await;
        let all = self.dbt_files.all().await?;
        if !all.is_empty() {
            remove(&turn, self.store.unused_dbt_digests(all).await?).await;
        }
        Ok(())
    }
}

async fn remove(turn: &Turn<'_>, unused: Vec<[u8; 32]>) {
    for digest in unused {
        if let Err(error) = turn.delete(&digest).await {
            tracing::warn!(%error, "cannot remove an archive of dbt that nobody has any more");
        }
    }
}
