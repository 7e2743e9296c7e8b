//! Which logs there are on the disk.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use tappet_model::AttemptId;

use super::{Logs, blocking};

/// A log on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoredLog {
    /// Of which attempt.
    pub id: AttemptId,
    /// Of what readers see.
    pub bytes: u64,
}

impl Logs {
    /// Of these attempts, those that have a log, in their order.
    ///
    /// # Errors
    /// The file system refused.
    pub async fn of_attempts(&self, ids: Vec<AttemptId>) -> io::Result<Vec<StoredLog>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let open = Arc::clone(&self.open);
        blocking(move || {
            let mut logs = Vec::new();
            for id in ids {
                match fs::metadata(open.paths(id).log) {
                    Ok(metadata) => logs.push(StoredLog {
                        id,
                        bytes: metadata.size(),
                    }),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(logs)
        })
        .await?
    }

    /// The folders that logs lie in, the oldest first.
    ///
    /// # Errors
    /// The file system refused.
    pub async fn folders(&self) -> io::Result<Vec<u64>> {
        let dir = self.open.dir().to_owned();
        blocking(move || {
            let mut folders = Vec::new();
            let entries = match fs::read_dir(dir) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(folders),
                other => other?,
            };
            for entry in entries {
                let name = entry?.file_name();
                folders.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
            }
            folders.sort_unstable();
            Ok(folders)
        })
        .await?
    }

    /// The logs in one of these folders, the oldest first.
    ///
    /// # Errors
    /// The file system refused.
    pub async fn in_folder(&self, folder: u64) -> io::Result<Vec<StoredLog>> {
        let dir = self.open.dir().join(folder.to_string());
        blocking(move || {
            let mut logs = Vec::new();
            let entries = match fs::read_dir(dir) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(logs),
                other => other?,
            };
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name();
                let id = name.to_str().and_then(|name| name.strip_suffix(".log"));
                if let Some(id) = id.and_then(|id| id.parse().ok()) {
                    logs.push(StoredLog {
                        id: AttemptId(id),
                        bytes: entry.metadata().map_or(0, |metadata| metadata.size()),
                    });
                }
            }
            logs.sort_unstable_by_key(|log| log.id);
            Ok(logs)
        })
        .await?
    }
}
