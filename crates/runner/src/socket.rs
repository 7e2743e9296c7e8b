//! Connecting to a Unix socket, also where its path is longer than the kernel's
//! address structure takes.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use tokio::net::UnixStream;

/// `sun_path` less its terminating NUL.
const MAX_PATH: usize = 107;

/// Connects to the socket at `path`.
pub(crate) async fn connect(path: &Path) -> io::Result<UnixStream> {
    if path.as_os_str().as_bytes().len() <= MAX_PATH {
        return UnixStream::connect(path).await;
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder, flags, Mode::empty())?;
    let short = Path::new("/proc/self/fd")
        .join(folder.as_raw_fd().to_string())
        .join(name);
    UnixStream::connect(short).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_path_longer_than_an_address_works() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("d".repeat(150));
        std::fs::create_dir(&deep).unwrap();
        let folder = std::fs::File::open(&deep).unwrap();
        let short = format!("/proc/self/fd/{}/runner.sock", folder.as_raw_fd());
        let _listener = tokio::net::UnixListener::bind(short).unwrap();
        connect(&deep.join("runner.sock")).await.unwrap();
    }

    #[tokio::test]
    async fn an_absent_server_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(connect(&dir.path().join("runner.sock")).await.is_err());
    }
}
