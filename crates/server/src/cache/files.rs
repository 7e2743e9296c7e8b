//! The content of cached files: `DIR/cache/<two digits of the id>/<id>`, and while
//! it arrives `DIR/cache/parts/<id>.<number>`. Names are made from ids alone, which
//! are random and never used twice.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use futures_util::stream::Stream;
use tappet_store::CacheEntryId;

use crate::incoming_files::{
    IncomingFiles, ReceivedFile, WriteError, blocking, create_private_dir, sync_dir,
};

/// The cached files of a data directory.
#[derive(Clone, Debug)]
pub struct CacheFiles {
    dir: PathBuf,
    incoming: IncomingFiles,
}

impl CacheFiles {
    /// The files under `data_dir`, each part at most `limit_bytes` long.
    #[must_use]
    pub fn new(data_dir: &Path, limit_bytes: u64) -> Self {
        let dir = data_dir.join("cache");
        Self {
            incoming: IncomingFiles::new(dir.join("incoming"), limit_bytes),
            dir,
        }
    }

    /// See [`IncomingFiles::remove_leftovers`].
    ///
    /// # Errors
    /// The file system refused.
    pub async fn remove_leftovers(&self) -> io::Result<u64> {
        self.incoming.remove_leftovers().await
    }

    /// Where the content of an entry is.
    #[must_use]
    pub fn path(&self, id: &CacheEntryId) -> PathBuf {
        self.dir.join(&id.as_str()[..2]).join(id.as_str())
    }

    /// Opens the content of an entry.
    ///
    /// # Errors
    /// It is gone, or the file system refused.
    pub async fn open(&self, id: &CacheEntryId) -> io::Result<tokio::fs::File> {
        tokio::fs::File::open(self.path(id)).await
    }

    pub(super) async fn read(&self, id: &CacheEntryId) -> io::Result<Vec<u8>> {
        tokio::fs::read(self.path(id)).await
    }

    pub(super) async fn receive<E>(
        &self,
        body: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<ReceivedFile, WriteError<E>> {
        self.incoming.receive(body).await
    }

    pub(super) async fn keep_part(
        &self,
        id: &CacheEntryId,
        number: u32,
        received: ReceivedFile,
    ) -> io::Result<()> {
        received.move_to(self.part(id, number)).await
    }

    pub(super) async fn delete_part(&self, id: &CacheEntryId, number: u32) -> io::Result<()> {
        let path = self.part(id, number);
        blocking(move || remove(&path)).await
    }

    /// Makes the content of an entry out of its parts, durably. The parts stay
    /// until the store has taken note, so that it can be done again.
    pub(super) async fn assemble(&self, id: &CacheEntryId, count: usize) -> io::Result<()> {
        let parts: Vec<PathBuf> = (1..)
            .take(count)
            .map(|number| self.part(id, number))
            .collect();
        let place = self.path(id);
        blocking(move || {
            let dir = place.parent().unwrap_or(Path::new("/"));
            create_private_dir(dir)?;
            // One that an earlier try left unfinished.
            remove(&place)?;
            match parts.as_slice() {
                [whole] => fs::hard_link(whole, &place)?,
                several => join(several, &place)?,
            }
            for dir in dir.ancestors().take(2) {
                sync_dir(dir)?;
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn delete_parts(&self, id: &CacheEntryId) -> io::Result<()> {
        let dir = self.dir.join("parts");
        let prefix = format!("{id}.");
        blocking(move || {
            let entries = match fs::read_dir(&dir) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                other => other?,
            };
            for entry in entries {
                let entry = entry?;
                if entry.file_name().to_string_lossy().starts_with(&prefix) {
                    remove(&entry.path())?;
                }
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn delete(&self, id: &CacheEntryId) -> io::Result<()> {
        self.delete_parts(id).await?;
        let path = self.path(id);
        blocking(move || remove(&path)).await
    }

    fn part(&self, id: &CacheEntryId, number: u32) -> PathBuf {
        self.dir.join("parts").join(format!("{id}.{number}"))
    }
}

fn join(parts: &[PathBuf], place: &Path) -> io::Result<()> {
    let mut whole = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(place)?;
    for part in parts {
        io::copy(&mut File::open(part)?, &mut whole)?;
    }
    whole.sync_all()
}

/// One that is gone already is no error.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    fn id() -> CacheEntryId {
        "0123456789abcdef0123456789abcd".parse().unwrap()
    }

    async fn part(files: &CacheFiles, number: u32, content: &'static [u8]) {
        let body = stream::iter([Ok::<_, Infallible>(Bytes::from_static(content))]);
        let received = files.receive(body).await.unwrap();
        files.keep_part(&id(), number, received).await.unwrap();
    }

    #[tokio::test]
    async fn parts_become_one_file_and_can_do_so_twice() {
        let dir = tempfile::tempdir().unwrap();
        let files = CacheFiles::new(dir.path(), 100);
        part(&files, 1, b"one,").await;
        part(&files, 2, b"two").await;
        for _ in 0..2 {
            files.assemble(&id(), 2).await.unwrap();
            assert_eq!(files.read(&id()).await.unwrap(), b"one,two");
        }
        files.assemble(&id(), 1).await.unwrap();
        files.delete_parts(&id()).await.unwrap();
        assert_eq!(files.read(&id()).await.unwrap(), b"one,");
        files.delete(&id()).await.unwrap();
        files.delete(&id()).await.unwrap();
        assert!(files.open(&id()).await.is_err());
    }

    #[tokio::test]
    async fn a_part_that_came_again_counts() {
        let dir = tempfile::tempdir().unwrap();
        let files = CacheFiles::new(dir.path(), 100);
        part(&files, 1, b"first").await;
        part(&files, 1, b"second").await;
        files.assemble(&id(), 1).await.unwrap();
        assert_eq!(files.read(&id()).await.unwrap(), b"second");
    }
}
