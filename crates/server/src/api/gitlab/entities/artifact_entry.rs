//! A file or directory inside an archive.

use serde::Serialize;
use utoipa::ToSchema;

/// GitLab: an entry of `artifacts/tree`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ArtifactEntry {
    name: String,
    path: String,
    #[serde(rename = "type")]
    kind: EntryKind,
    size: Option<u64>,
    mode: String,
}

/// What an entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A directory; its path ends in `/`.
    Directory,
    /// A file.
    File,
}

impl ArtifactEntry {
    /// Shows an entry; without a mode of its own it has the usual one.
    pub fn new(path: String, kind: EntryKind, size: Option<u64>, mode: Option<u32>) -> Self {
        let usual = match kind {
            EntryKind::Directory => 0o040_755,
            EntryKind::File => 0o100_644,
        };
        let name = path.trim_end_matches('/').rsplit('/').next();
        Self {
            name: name.unwrap_or_default().to_owned(),
            kind,
            size,
            mode: format!("{:06o}", mode.unwrap_or(usual)),
            path,
        }
    }

    /// From the root of the archive.
    #[cfg(test)]
    pub fn path(&self) -> &str {
        &self.path
    }
}
