//! The Unix socket of the embedded runner, also where the path is longer than
//! the 108 bytes that a socket address may have.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::net::UnixListener;

/// Name of the socket inside the data directory.
pub const SOCKET_NAME: &str = "runner.sock";

/// Listens on `runner.sock` in the data directory, mode 0600. A socket left by
/// a dead server is replaced; the caller holds the directory's lock.
pub fn listen(data_dir: &Path) -> io::Result<UnixListener> {
    let path = data_dir.join(SOCKET_NAME);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Addressed through a descriptor of the directory, the path is always short.
    let directory = File::open(data_dir)?;
    let short = format!("/proc/self/fd/{}/{SOCKET_NAME}", directory.as_raw_fd());
    let listener = UnixListener::bind(short)?;
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600))?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn listens_below_a_very_long_path_and_replaces_a_dead_socket() {
        let dir = tempfile::tempdir().unwrap();
        let long = dir.path().join("x".repeat(120)).join("y".repeat(120));
        std::fs::create_dir_all(&long).unwrap();
        drop(listen(&long).unwrap());
        let _listener = listen(&long).unwrap();
        assert!(long.join(SOCKET_NAME).exists());
    }
}
