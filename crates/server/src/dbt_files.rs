//! Archives of dbt that clients upload: `DIR/dbt/<two digits>/<digest>.zip`. The same
//! archive is kept once, whoever uploads it.

use std::io;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use futures_util::stream::Stream;
use tokio::sync::{Mutex, MutexGuard};

use crate::incoming_files::{IncomingFiles, ReceivedFile, WriteError, blocking};

/// The archives of a data directory.
pub struct DbtFiles {
    dir: PathBuf,
    incoming: IncomingFiles,
    turn: Mutex<()>,
}

/// The right to add and remove archives, held while the store takes note: a file that
/// nobody has any more must not go while somebody else uploads it again.
pub struct Turn<'a> {
    files: &'a DbtFiles,
    _held: MutexGuard<'a, ()>,
}

impl DbtFiles {
    /// The archives under `data_dir`, each at most `limit_bytes` long.
    #[must_use]
    pub fn new(data_dir: &Path, limit_bytes: u64) -> Self {
        let dir = data_dir.join("dbt");
        Self {
            incoming: IncomingFiles::new(dir.join("incoming"), limit_bytes),
            dir,
            turn: Mutex::default(),
        }
    }

    /// See [`IncomingFiles::remove_leftovers`].
    ///
    /// # Errors
    /// The file system refused.
    pub async fn remove_leftovers(&self) -> io::Result<u64> {
        self.incoming.remove_leftovers().await
    }

    /// Brings `body` to the disk, still without a place.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn receive<E>(
        &self,
        body: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<ReceivedFile, WriteError<E>> {
        self.incoming.receive(body).await
    }

    /// The digests of all archives. A name that is none is left alone.
    ///
    /// # Errors
    /// The file system refused.
    pub async fn all(&self) -> io::Result<Vec<[u8; 32]>> {
        let dir = self.dir.clone();
        blocking(move || {
            let mut digests = Vec::new();
            for folder in names(&dir)? {
                for name in names(&dir.join(folder))? {
                    digests.extend(name.strip_suffix(".zip").and_then(digest));
                }
            }
            Ok(digests)
        })
        .await
    }

    /// Whether an archive is there.
    pub async fn holds(&self, sha256: &[u8; 32]) -> bool {
        tokio::fs::try_exists(self.path(sha256))
            .await
            .unwrap_or(false)
    }

    /// Waits for the right to change something.
    pub async fn turn(&self) -> Turn<'_> {
        Turn {
            files: self,
            _held: self.turn.lock().await,
        }
    }

    /// Where an archive is.
    #[must_use]
    pub fn path(&self, sha256: &[u8; 32]) -> PathBuf {
        let name: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        self.dir.join(&name[..2]).join(format!("{name}.zip"))
    }
}

/// Names in a directory; none when it is no directory.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    use io::ErrorKind::{NotADirectory, NotFound};
    let entries = match std::fs::read_dir(dir) {
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(Vec::new()),
        other => other?,
    };
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}

/// The bytes that 64 hexadecimal digits stand for.
fn digest(text: &str) -> Option<[u8; 32]> {
    let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_digest {
        return None;
    }
    let mut digest = [0; 32];
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(digest)
}

impl Turn<'_> {
    /// Gives a received archive its place, durably.
    ///
    /// # Errors
    /// The file system refused.
    pub async fn keep(&self, received: ReceivedFile) -> io::Result<()> {
        let place = self.files.path(&received.sha256);
        received.move_to(place).await
    }

    /// Removes an archive. One that is gone already is no error.
    ///
    /// # Errors
    /// The file system refused.
    pub async fn delete(&self, sha256: &[u8; 32]) -> io::Result<()> {
        let path = self.files.path(sha256);
        blocking(move || match std::fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn the_same_archive_is_kept_once_and_can_go() {
        let dir = tempfile::tempdir().unwrap();
        let files = DbtFiles::new(dir.path(), 100);
        let mut digest = [0; 32];
        for _ in 0..2 {
            let body = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"archive"))]);
            let received = files.receive(body).await.unwrap();
            digest = received.sha256;
            files.turn().await.keep(received).await.unwrap();
        }
        assert!(files.holds(&digest).await);
        assert_eq!(files.all().await.unwrap(), [digest]);
        let turn = files.turn().await;
        turn.delete(&digest).await.unwrap();
        turn.delete(&digest).await.unwrap();
        assert!(!files.holds(&digest).await);
        assert_eq!(files.all().await.unwrap(), [[0; 32]; 0]);
    }
}
