//! A file on its way in. It removes itself unless it reaches its place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{create_private_dir, sync_dir};
use crate::secrets::new_token;

/// An upload that is being written. All calls block on the file system.
pub(super) struct Incoming {
    path: TemporaryPath,
    file: File,
    sha256: Sha256,
}

impl Incoming {
    /// A new empty file in `dir`.
    ///
    /// # Errors
    /// The file system refused.
    pub(super) fn create(dir: &Path) -> io::Result<Self> {
        create_private_dir(dir)?;
        let path = dir.join(new_token(""));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Self {
            path: TemporaryPath(path),
            file,
            sha256: Sha256::new(),
        })
    }

    /// Adds bytes at the end.
    ///
    /// # Errors
    /// The file system refused; the file is gone.
    pub(super) fn write(mut self, pieces: &[Bytes]) -> io::Result<Self> {
        for piece in pieces {
            self.file.write_all(piece)?;
            self.sha256.update(piece);
        }
        Ok(self)
    }

    /// Brings the bytes to the disk; returns their digest.
    ///
    /// # Errors
    /// The file system refused; the file is gone.
    pub(super) fn sync(self) -> io::Result<(Synced, [u8; 32])> {
        self.file.sync_all()?;
        Ok((Synced(self.path), self.sha256.finalize().into()))
    }
}

/// A whole file that still lacks its place.
pub(super) struct Synced(TemporaryPath);

impl Synced {
    /// Opens the file for reading.
    ///
    /// # Errors
    /// The file system refused.
    pub(super) fn open(&self) -> io::Result<File> {
        File::open(&self.0.0)
    }

    /// Gives the file its name, durably.
    ///
    /// # Errors
    /// The file system refused; the file is gone.
    pub(super) fn move_to(self, place: &Path) -> io::Result<()> {
        let dir = place.parent().unwrap_or(Path::new("/"));
        create_private_dir(dir)?;
        match fs::rename(&self.0.0, place) {
            // The last other file of the directory was deleted meanwhile, and
            // the directory with it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_private_dir(dir)?;
                fs::rename(&self.0.0, place)?;
            }
            other => other?,
        }
        for dir in dir.ancestors().take(3) {
            sync_dir(dir)?;
        }
        Ok(())
    }
}

/// Removes its file when dropped; after a rename there is none.
struct TemporaryPath(PathBuf);

impl Drop for TemporaryPath {
    fn drop(&mut self) {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.0.display(), %error, "cannot remove an unfinished upload");
            }
            _ => {}
        }
    }
}
