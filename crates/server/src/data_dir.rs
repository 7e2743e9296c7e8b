//! The data directory: private, and owned by one server at a time.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another server has it.
    #[error(
        "{} is in use by another tappet server ({owner}): stop that one, or choose another \
         directory with --data", dir.display()
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// What the owner wrote about itself.
        owner: String,
    },
    /// The file system said no.
    #[error("cannot use the data directory {}: {source}", dir.display())]
    Io {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A locked data directory. The lock ends with this value or with the process.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: File,
}

impl DataDir {
    /// Creates the directory (0700) when it is missing and takes `server.lock`.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let failed = |source| DataDirError::Io {
            dir: path.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        let path = path.canonicalize().map_err(failed)?;
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).map_err(failed)?;
        // std opens with O_CLOEXEC, so the runner does not inherit the lock.
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("server.lock"))
            .map_err(failed)?;
        if let Err(error) = flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK {
                return Err(failed(error.into()));
            }
            let mut owner = String::new();
            let _ = lock.read_to_string(&mut owner);
            let owner = owner.trim();
            let owner = if owner.is_empty() {
                "unknown process"
            } else {
                owner
            }
            .to_owned();
            return Err(DataDirError::InUse { dir: path, owner });
        }
        let mut data_dir = Self { path, lock };
        data_dir.describe(&format!("pid {}", std::process::id()))?;
        Ok(data_dir)
    }

    /// Writes who the owner is, for the message of a second server.
    pub fn describe(&mut self, owner: &str) -> Result<(), DataDirError> {
        let mut write = || -> io::Result<()> {
            self.lock.set_len(0)?;
            self.lock.rewind()?;
            self.lock.write_all(owner.as_bytes())
        };
        write().map_err(|source| DataDirError::Io {
            dir: self.path.clone(),
            source,
        })
    }

    /// Where it is, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        // Closing is not enough: a process that is being started right now has
        // a copy of the descriptor until its exec.
        let _ = flock(&self.lock, FlockOperation::Unlock);
    }
}

/// Reads a secret file, or makes it (0600) with `content`. The file appears
/// whole or not at all.
pub fn read_or_create(path: &Path, content: impl FnOnce() -> String) -> io::Result<(String, bool)> {
    match std::fs::read_to_string(path) {
        Ok(text) if !text.trim().is_empty() => return Ok((text.trim().to_owned(), false)),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let text = content();
    write_private(path, &text)?;
    Ok((text, true))
}

/// Replaces a file (0600) with `content`, whole or not at all.
pub fn write_private(path: &Path, content: &str) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    writeln!(file, "{content}")?;
    file.sync_data()?;
    std::fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_owner_is_refused_and_told_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = DataDir::open(dir.path()).unwrap();
        first.describe("pid 42, http://127.0.0.1:8080").unwrap();
        let error = DataDir::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("pid 42, http://127.0.0.1:8080"), "{error}");
        drop(first);
        DataDir::open(dir.path()).unwrap();
    }

    #[test]
    fn the_directory_and_its_secrets_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(&dir.path().join("deep/data")).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(data_dir.path()), 0o700);
        let secret = data_dir.path().join("root-token");
        assert_eq!(
            read_or_create(&secret, || "a".into()).unwrap(),
            ("a".into(), true)
        );
        assert_eq!(
            read_or_create(&secret, || "b".into()).unwrap(),
            ("a".into(), false)
        );
        assert_eq!(mode(&secret), 0o600);
    }
}
