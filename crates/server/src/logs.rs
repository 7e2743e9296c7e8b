//! Logs of attempts: one file each, never rows of a database.
//!
//! What runners send is counted and checksummed raw, masked, and stored; readers
//! see stored bytes only, and what they once saw never changes. Before an append
//! returns, the bytes and the count reached the files, so they survive the death
//! of this process; [`Logs::finish`] brings them to the disk.
//!
//! The files are `DIR/logs/<id / 1000>/<id>.log` and `.state`, for the owner
//! alone. Every attempt has at most one writer, opened with the first bytes and
//! closed by `finish`; after a restart it goes on from the state file. Whether an
//! attempt may write at all is the caller's question.

mod follow;
pub mod lines;
mod open_logs;
pub mod section_marker;
pub mod stamp;
mod state_file;
mod stored;
#[cfg(test)]
mod tests;
mod write_turn;
mod writer;

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::Stream;
use tappet_masks::masker::MASKED;
use tappet_masks::{Masker, spellings};
use tappet_model::AttemptId;

use open_logs::OpenLogs;
pub use stored::StoredLog;
use write_turn::WriteTurn;

/// Up to this size a write into the page cache takes less time than handing it
/// to another thread.
const INLINE_BYTES: usize = 64 * 1024;

/// All logs of a data directory. Clones share everything.
#[derive(Clone)]
pub struct Logs {
    open: Arc<OpenLogs>,
    limit_bytes: u64,
}

/// An append that is recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    /// Raw bytes known now; the next append starts here.
    pub raw_len: u64,
}

/// Why bytes were not taken.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// They begin after the end of what is known.
    #[error("the bytes leave a gap: send again from offset {raw_len}")]
    Gap {
        /// Raw bytes known.
        raw_len: u64,
    },
    /// The log has ended.
    #[error("the log has ended and takes no more bytes")]
    Closed,
    /// The secrets to mask could not be had.
    #[error("cannot tell what to mask in the log: {0}")]
    Secrets(#[source] Box<dyn Error + Send + Sync>),
    /// The disk refused; nothing changed.
    #[error("cannot write the log: {0}")]
    Io(#[from] io::Error),
}

/// A log that has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogSummary {
    /// Bytes the runner sent.
    pub raw_len: u64,
    /// IEEE CRC-32 of all bytes the runner sent, stored or not.
    pub raw_crc32: u32,
    /// Bytes there are to read.
    pub stored_len: u64,
}

/// A piece of a stored log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogChunk {
    /// Stored offset of the byte after this piece; a reader that lost its
    /// connection goes on from here.
    pub offset_after: u64,
    /// At most 64 KiB, never empty.
    pub bytes: Bytes,
}

impl Logs {
    /// The logs under `data_dir`, each cut after `limit_bytes` stored bytes. No
    /// file is touched before it is needed.
    #[must_use]
    pub fn new(data_dir: &Path, limit_bytes: u64) -> Self {
        Self {
            open: Arc::new(OpenLogs::new(data_dir.join("logs"))),
            limit_bytes,
        }
    }

    /// Appends `bytes`, the first of which stands at raw offset `start`. Bytes
    /// that are known already are skipped; no bytes at all change nothing.
    ///
    /// `secrets` is called once each time the log's writer is opened, so once
    /// per attempt and life of this process.
    ///
    /// # Errors
    /// See [`AppendError`]; nothing changed then.
    pub async fn append<S, F, E>(
        &self,
        id: AttemptId,
        start: u64,
        bytes: Bytes,
        secrets: S,
    ) -> Result<Appended, AppendError>
    where
        S: FnOnce() -> F + Send,
        F: Future<Output = Result<Vec<String>, E>> + Send,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let mut turn = self.turn(id).await?;
        if turn.is_finished() {
            return Err(AppendError::Closed);
        }
        let raw_len = turn.raw_len()?;
        if bytes.is_empty() {
            return Ok(Appended { raw_len });
        }
        if start > raw_len {
            return Err(AppendError::Gap { raw_len });
        }
        let writer = turn.writer()?;
        if !writer.has_masker() {
            let secrets = secrets()
                .await
                .map_err(|error| AppendError::Secrets(error.into()))?;
            writer.set_secrets(&secrets)?;
        }
        if bytes.len() <= INLINE_BYTES {
            return turn.append(start, &bytes);
        }
        blocking(move || turn.append(start, &bytes)).await?
    }

    /// Opens the log's writer and tells it what to mask, so that the first bytes
    /// find both ready.
    ///
    /// # Errors
    /// The files cannot be made.
    pub async fn prepare(&self, id: AttemptId, secrets: &[String]) -> io::Result<()> {
        let mut turn = self.turn(id).await?;
        if turn.is_finished() {
            return Ok(());
        }
        let writer = turn.writer()?;
        if !writer.has_masker() {
            writer.set_secrets(secrets)?;
        }
        Ok(())
    }

    /// Raw bytes known; 0 when there is no log or its state cannot be read.
    pub async fn raw_len(&self, id: AttemptId) -> u64 {
        let known = match self.turn(id).await {
            Ok(turn) => turn.raw_len(),
            Err(error) => Err(error),
        };
        known.unwrap_or_else(|error| {
            tracing::error!(attempt = %id, %error, "cannot read the log's state");
            0
        })
    }

    /// Stores a line of the server's own, such as why a job failed. It stands on
    /// a line of its own and does not count as raw. It is masked if the secrets
    /// are known already, that is, after an append in this process.
    ///
    /// # Errors
    /// The log has ended, or the disk refused.
    pub async fn note(&self, id: AttemptId, text: &str) -> io::Result<()> {
        self.turn(id).await?.note(text)
    }

    /// Stores what was held back, so that all that was sent can be read. For a
    /// log that gets no more bytes.
    ///
    /// # Errors
    /// The disk refused.
    pub async fn flush(&self, id: AttemptId) -> io::Result<()> {
        self.turn(id).await?.flush()
    }

    /// Ends the log: stores what was held back, waits until all of it is on the
    /// disk, then lets followers see the end. Doing it again is harmless.
    ///
    /// An attempt without a log gets none; only those who follow it now are told
    /// that none will come.
    ///
    /// # Errors
    /// The disk refused; the log has not ended.
    pub async fn finish(&self, id: AttemptId) -> io::Result<LogSummary> {
        let turn = self.turn(id).await?;
        blocking(move || turn.finish()).await?
    }

    /// Bytes there are to read; 0 when there is no log.
    ///
    /// # Errors
    /// The files cannot be read.
    pub async fn stored_len(&self, id: AttemptId) -> io::Result<u64> {
        let log = self.open.hold(id);
        let progress = *log.progress().await?.borrow();
        Ok(progress.stored_len)
    }

    /// The log file and how many of its bytes to serve; the file may be longer.
    /// `None` when there is no log.
    ///
    /// # Errors
    /// The files cannot be read.
    pub async fn open(&self, id: AttemptId) -> io::Result<Option<(tokio::fs::File, u64)>> {
        let log = self.open.hold(id);
        let stored_len = log.progress().await?.borrow().stored_len;
        match tokio::fs::File::open(&log.paths.log).await {
            Ok(file) => Ok(Some((file, stored_len))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everything stored from offset `from` on, as it comes, without a gap or a
    /// repetition, until [`Logs::finish`].
    ///
    /// A log that has not begun is waited for, from this call on (not from the
    /// first poll). So a caller who follows first and then finds the attempt
    /// ended calls `finish` to be sure of an end.
    pub fn follow(
        &self,
        id: AttemptId,
        from: u64,
    ) -> impl Stream<Item = io::Result<LogChunk>> + Send + 'static + use<> {
        follow::follow(self.open.hold(id), from)
    }

    /// Removes the log; its followers come to the end.
    ///
    /// # Errors
    /// The file system refused.
    pub async fn delete(&self, id: AttemptId) -> io::Result<()> {
        let turn = self.turn(id).await?;
        blocking(move || turn.delete()).await?
    }

    /// Waits until nobody else writes the log.
    async fn turn(&self, id: AttemptId) -> io::Result<WriteTurn> {
        WriteTurn::wait(self.open.hold(id), self.limit_bytes).await
    }
}

/// A text that stands alone, with secrets replaced as in a log.
#[must_use]
pub fn mask(text: &str, secrets: &[String]) -> String {
    match masker(secrets) {
        Ok(masker) => String::from_utf8_lossy(&masker.mask(text.as_bytes())).into_owned(),
        Err(error) => {
            tracing::error!(%error, "cannot look for secrets in a text");
            String::from_utf8_lossy(MASKED).into_owned()
        }
    }
}

/// The masker of an attempt's log.
fn masker(secrets: &[String]) -> Result<Masker, impl Error + Send + Sync + 'static> {
    Masker::new(&spellings::of_all(secrets, spellings::SHORTEST), MASKED)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)
}
