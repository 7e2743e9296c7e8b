//! `DIR/runner.lock`: held by the runner and by the init of each of its
//! attempts, so it is free only when all processes of a dead runner are gone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

const NAME: &str = "runner.lock";

/// The lock, held as long as this value lives. Its file holds our process id.
#[derive(Debug)]
pub struct RunnerLock {
    file: File,
}

impl RunnerLock {
    /// Takes the lock of `data_dir`. Blocks until it is free.
    pub fn acquire(data_dir: &Path) -> io::Result<Self> {
        let mut file = open(data_dir)?;
        loop {
            match rustix::fs::flock(&file, FlockOperation::LockExclusive) {
                Err(Errno::INTR) => {}
                other => break other?,
            }
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { file })
    }

    /// The descriptor that inits keep open.
    pub fn descriptor(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

/// The process id of the runner that holds the lock of `data_dir`; `None` if nobody holds it.
/// After a kill −9 it names the dead runner for as long as its attempts' processes live.
pub fn holder(data_dir: &Path) -> io::Result<Option<u32>> {
    let mut file = match File::open(data_dir.join(NAME)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(None),
        Err(Errno::WOULDBLOCK) => {
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            Ok(text.trim().parse().ok())
        }
        Err(errno) => Err(errno.into()),
    }
}

fn open(data_dir: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(data_dir.join(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_named_until_the_last_descriptor_closes() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(holder(dir.path()).unwrap(), None);
        let lock = RunnerLock::acquire(dir.path()).unwrap();
        assert_eq!(holder(dir.path()).unwrap(), Some(std::process::id()));
        let kept_by_init = lock.file.try_clone().unwrap();
        drop(lock);
        assert_eq!(holder(dir.path()).unwrap(), Some(std::process::id()));
        drop(kept_by_init);
        assert_eq!(holder(dir.path()).unwrap(), None);
    }
}
