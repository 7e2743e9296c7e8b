//! The server's named artifacts, in memory.

use std::sync::Mutex;

use sha2::{Digest, Sha256};
use tappet_executor::{NamedUpload, TransferError};
use tappet_model::steps_payload::NamedArtifact;

/// Those of one run.
#[derive(Default)]
pub struct NamedArtifacts(Mutex<Vec<(NamedArtifact, Vec<u8>)>>);

impl NamedArtifacts {
    pub fn upload(
        &self,
        artifact: &NamedUpload,
        bytes: Vec<u8>,
    ) -> Result<NamedArtifact, TransferError> {
        let mut all = self.0.lock().unwrap();
        if all.iter().any(|(known, _)| known.name == artifact.name) && !artifact.overwrite {
            return Err(TransferError("409 Conflict".into()));
        }
        all.retain(|(known, _)| known.name != artifact.name);
        let digest = Sha256::digest(&bytes);
        let stored = NamedArtifact {
            id: 40 + i64::try_from(all.len()).unwrap(),
            name: artifact.name.clone(),
            size: bytes.len() as u64,
            digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        all.push((stored.clone(), bytes));
        Ok(stored)
    }

    pub fn list(&self) -> Vec<NamedArtifact> {
        let all = self.0.lock().unwrap();
        all.iter().map(|(artifact, _)| artifact.clone()).collect()
    }

    pub fn fetch(&self, id: i64) -> Result<Vec<u8>, TransferError> {
        let all = self.0.lock().unwrap();
        let found = all.iter().find(|(artifact, _)| artifact.id == id);
        found
            .map(|(_, bytes)| bytes.clone())
            .ok_or_else(|| TransferError("404".into()))
    }

    /// Names in the archive of an artifact.
    pub fn files(&self, name: &str) -> Vec<String> {
        let all = self.0.lock().unwrap();
        let (_, bytes) = all.iter().find(|(known, _)| known.name == name).unwrap();
        let zip = zip::ZipArchive::new(std::io::Cursor::new(bytes.clone())).unwrap();
        let mut names: Vec<String> = zip
            .file_names()
            .map(|name| name.unwrap().into_owned())
            .collect();
        names.sort();
        names
    }
}
