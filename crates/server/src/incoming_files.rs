//! Files on their way in, of whatever kind: written under a directory of their
//! own, brought to the disk, and only then given a place. So a file that has its
//! place is whole, and what a crash cuts short lies where it can be swept away.

mod incoming;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt};

use incoming::{Incoming, Synced};

/// As much is gathered before another thread writes it.
const BATCH_BYTES: usize = 256 * 1024;

/// Where files arrive.
#[derive(Clone, Debug)]
pub struct IncomingFiles {
    dir: PathBuf,
    limit_bytes: u64,
}

/// A file that is on the disk but has no place yet. Unless it gets one, it
/// removes itself.
pub struct ReceivedFile {
    /// Of the content.
    pub sha256: [u8; 32],
    /// Of the content.
    pub size_bytes: u64,
    file: Synced,
}

impl ReceivedFile {
    /// Opens it for reading from its start. Blocks for a moment.
    ///
    /// # Errors
    /// The file system refused.
    pub fn open(&self) -> io::Result<File> {
        self.file.open()
    }

    /// Gives it its place, durably. A file that is there already is replaced.
    ///
    /// # Errors
    /// The file system refused; the file is gone.
    pub async fn move_to(self, place: PathBuf) -> io::Result<()> {
        blocking(move || self.file.move_to(&place)).await
    }
}

/// Why an upload was not received. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// More bytes than allowed.
    #[error("the file is larger than the limit of {limit} bytes")]
    TooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// The upload broke off.
    #[error("the upload broke off: {0}")]
    Body(#[source] E),
    /// The disk refused.
    #[error("cannot keep the uploaded file: {0}")]
    Io(#[from] io::Error),
}

impl IncomingFiles {
    /// Files arrive in `dir`, each at most `limit_bytes` long. No file is touched
    /// before it is needed.
    #[must_use]
    pub fn new(dir: PathBuf, limit_bytes: u64) -> Self {
        Self { dir, limit_bytes }
    }

    /// Removes what uploads left behind that a crash cut short. Call it before
    /// the first [`IncomingFiles::receive`]. Returns how many there were.
    ///
    /// # Errors
    /// The file system refused.
    pub async fn remove_leftovers(&self) -> io::Result<u64> {
        let incoming = self.dir.clone();
        blocking(move || {
            let entries = match fs::read_dir(incoming) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
                other => other?,
            };
            let mut removed = 0;
            for entry in entries {
                fs::remove_file(entry?.path())?;
                removed += 1;
            }
            Ok(removed)
        })
        .await
    }

    /// Brings `body` to the disk. It still lacks its place, since a form may tell
    /// the kind of its file after the file.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub async fn receive<E>(
        &self,
        body: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<ReceivedFile, WriteError<E>> {
        let dir = self.dir.clone();
        let mut file = blocking(move || Incoming::create(&dir)).await?;
        let mut body = std::pin::pin!(body);
        let mut size_bytes = 0;
        let mut batch = Vec::new();
        let mut batch_bytes = 0;
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(WriteError::Body)?;
            size_bytes += piece.len() as u64;
            if size_bytes > self.limit_bytes {
                return Err(WriteError::TooLarge {
                    limit: self.limit_bytes,
                });
            }
            batch_bytes += piece.len();
            batch.push(piece);
            if batch_bytes >= BATCH_BYTES {
                let pieces = std::mem::take(&mut batch);
                batch_bytes = 0;
                file = blocking(move || file.write(&pieces)).await?;
            }
        }
        let (file, sha256) = blocking(move || file.write(&batch)?.sync()).await?;
        Ok(ReceivedFile {
            sha256,
            size_bytes,
            file,
        })
    }
}

/// A directory for the owner alone, with those above it.
///
/// # Errors
/// The file system refused.
pub(crate) fn create_private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Brings the names in a directory to the disk.
///
/// # Errors
/// The file system refused.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Runs work that waits for the disk on a thread that may wait.
///
/// # Errors
/// What the work says.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
