//! The exclusive right to change one log, and what can be done with it.

use std::io;
use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use super::open_logs::{LogHandle, Progress};
use super::state_file::LogState;
use super::writer::Writer;
use super::{AppendError, Appended, LogSummary};

/// One caller's turn to write a log. It keeps the log in the map, also when the
/// caller went away in the middle and the work goes on without it.
pub(super) struct WriteTurn {
    // Dropped first, so that the last handle finds the writer unlocked.
    writer: OwnedMutexGuard<Option<Writer>>,
    log: LogHandle,
    limit_bytes: u64,
}

impl WriteTurn {
    /// Waits until all others are done.
    ///
    /// # Errors
    /// The files cannot be read.
    pub(super) async fn wait(log: LogHandle, limit_bytes: u64) -> io::Result<Self> {
        log.progress().await?;
        Ok(Self {
            writer: Arc::clone(&log.writer).lock_owned().await,
            log,
            limit_bytes,
        })
    }

    /// No more bytes are taken.
    pub(super) fn is_finished(&self) -> bool {
        self.log.published().is_finished
    }

    /// Raw bytes known.
    ///
    /// # Errors
    /// The files cannot be read.
    pub(super) fn raw_len(&self) -> io::Result<u64> {
        match &*self.writer {
            Some(writer) => Ok(writer.state().raw_len),
            None => Ok(self
                .log
                .paths
                .read_state()?
                .map_or(0, |state| state.raw_len)),
        }
    }

    /// The writer; opened if it was not.
    ///
    /// # Errors
    /// The files cannot be opened or made.
    pub(super) fn writer(&mut self) -> io::Result<&mut Writer> {
        match &mut *self.writer {
            Some(writer) => Ok(writer),
            closed => Ok(closed.insert(Writer::open(&self.log.paths, self.limit_bytes)?)),
        }
    }

    /// See [`Writer::append`].
    pub(super) fn append(&mut self, start: u64, bytes: &[u8]) -> Result<Appended, AppendError> {
        let writer = self.writer()?;
        writer.append(start, bytes)?;
        let raw_len = writer.state().raw_len;
        self.publish();
        Ok(Appended { raw_len })
    }

    /// See [`Writer::note`].
    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        if self.is_finished() {
            return Err(io::Error::other("cannot add a note: the log has ended"));
        }
        self.writer()?.note(text)?;
        self.publish();
        Ok(())
    }

    /// See [`Writer::flush`].
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if let Some(writer) = &mut *self.writer {
            writer.flush()?;
            self.publish();
        }
        Ok(())
    }

    /// See [`Writer::finish`]; closes the writer. Where there is no log, none is
    /// made.
    pub(super) fn finish(mut self) -> io::Result<LogSummary> {
        let state = self.state()?;
        if state.as_ref().is_none_or(|state| state.is_finished) {
            let summary = LogSummary::from(&state.unwrap_or_default());
            self.end(summary.stored_len);
            return Ok(summary);
        }
        let writer = self.writer()?;
        writer.finish()?;
        let summary = LogSummary::from(writer.state());
        self.end(summary.stored_len);
        Ok(summary)
    }

    /// Removes the files.
    pub(super) fn delete(mut self) -> io::Result<()> {
        *self.writer = None;
        self.log.paths.remove()?;
        self.end(0);
        Ok(())
    }

    fn state(&self) -> io::Result<Option<LogState>> {
        match &*self.writer {
            Some(writer) => Ok(Some(writer.state().clone())),
            None => self.log.paths.read_state(),
        }
    }

    /// Closes the writer and tells those who follow that this is all.
    fn end(&mut self, stored_len: u64) {
        *self.writer = None;
        self.log.publish(Progress {
            stored_len,
            is_finished: true,
        });
    }

    fn publish(&self) {
        if let Some(writer) = &*self.writer {
            self.log.publish(Progress {
                stored_len: writer.state().stored_len,
                is_finished: false,
            });
        }
    }
}
