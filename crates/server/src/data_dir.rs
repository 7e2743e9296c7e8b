//! The data directory: private, and owned by one server at a time.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, test_kill_process};

/// The file whose lock says that a server runs here.
const LOCK_NAME: &str = "server.lock";

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
    #[error(
        "cannot use the data directory {}: {source}; choose another one with --data",
        dir.display()
    )]
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
            .open(path.join(LOCK_NAME))
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
        data_dir.describe(&Owner::of_this_process(String::new()))?;
        Ok(data_dir)
    }

    /// Writes who the owner is, for the message of a second server and for
    /// clients on this machine.
    pub fn describe(&mut self, owner: &Owner) -> Result<(), DataDirError> {
        let owner = owner.to_string();
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

/// The server that has a data directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// Its process.
    pub pid: u32,
    /// Where clients on this machine reach it; empty while it is opening.
    pub url: String,
}

impl Owner {
    /// This process, answering at `url`.
    pub fn of_this_process(url: String) -> Self {
        Self {
            pid: std::process::id(),
            url,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (pid, url) = text.trim().strip_prefix("pid ")?.split_once(", ")?;
        Some(Self {
            pid: pid.parse().ok()?,
            url: url.to_owned(),
        })
    }

    /// Whether the process is there and ours: one that was killed leaves its
    /// words behind, and another user's process may have got its number.
    fn is_alive(&self) -> bool {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        pid.is_some_and(|pid| test_kill_process(pid).is_ok())
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {}", self.pid)?;
        if !self.url.is_empty() {
            write!(f, ", {}", self.url)?;
        }
        Ok(())
    }
}

/// The server that runs on a data directory and answers, without disturbing it.
pub fn owner(dir: &Path) -> Option<Owner> {
    let text = std::fs::read_to_string(dir.join(LOCK_NAME)).ok()?;
    Owner::parse(&text).filter(Owner::is_alive)
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
        let me = Owner::of_this_process("http://127.0.0.1:8080".to_owned());
        first.describe(&me).unwrap();
        let error = DataDir::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains(&me.to_string()), "{error}");
        drop(first);
        DataDir::open(dir.path()).unwrap();
    }

    #[test]
    fn clients_find_a_server_that_lives_and_answers() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(owner(dir.path()), None);
        let mut data_dir = DataDir::open(dir.path()).unwrap();
        assert_eq!(owner(dir.path()), None, "it does not answer yet");
        let me = Owner::of_this_process("http://127.0.0.1:8080".to_owned());
        data_dir.describe(&me).unwrap();
        assert_eq!(owner(dir.path()), Some(me.clone()));
        // No process has this number: Linux ends at 2^22.
        data_dir
            .describe(&Owner {
                pid: 5_000_000,
                ..me
            })
            .unwrap();
        assert_eq!(owner(dir.path()), None, "it was killed");
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
