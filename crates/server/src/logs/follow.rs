//! Follows a log as it grows.
//!
//! A follower holds an offset, not bytes: whatever it has not taken yet waits in
//! the file, so a slow one costs nothing.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::sync::watch;

use super::LogChunk;
use super::open_logs::{LogHandle, Progress};

const CHUNK_BYTES: u64 = 64 * 1024;

/// Everything stored from offset `from` on, until the log ends.
pub(super) fn follow(
    log: LogHandle,
    from: u64,
) -> impl Stream<Item = io::Result<LogChunk>> + Send + 'static {
    let follower = Follower {
        log,
        progress: None,
        file: None,
        offset: from,
    };
    stream::unfold(Some(follower), |follower| async move {
        let mut follower = follower?;
        match follower.next().await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(follower))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
}

struct Follower {
    log: LogHandle,
    progress: Option<watch::Receiver<Progress>>,
    /// Opened with the first byte to read.
    file: Option<Arc<File>>,
    offset: u64,
}

impl Follower {
    /// The next bytes; `None` at the end of the log.
    async fn next(&mut self) -> io::Result<Option<LogChunk>> {
        loop {
            let progress = match &mut self.progress {
                Some(progress) => progress,
                None => self.progress.insert(self.log.progress().await?.subscribe()),
            };
            let now = *progress.borrow_and_update();
            if now.stored_len > self.offset {
                let length = (now.stored_len - self.offset).min(CHUNK_BYTES);
                let bytes = self.read(length).await?;
                self.offset += length;
                return Ok(Some(LogChunk {
                    offset_after: self.offset,
                    bytes,
                }));
            }
            if now.is_finished || progress.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    async fn read(&mut self, length: u64) -> io::Result<Bytes> {
        let path = self.log.paths.log.clone();
        let file = self.file.clone();
        let offset = self.offset;
        let read = move || {
            let file = match file {
                Some(file) => file,
                None => Arc::new(File::open(path)?),
            };
            let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
            file.read_exact_at(&mut bytes, offset)?;
            io::Result::Ok((file, Bytes::from(bytes)))
        };
        let (file, bytes) = tokio::task::spawn_blocking(read)
            .await
            .map_err(io::Error::other)??;
        self.file = Some(file);
        Ok(bytes)
    }
}
