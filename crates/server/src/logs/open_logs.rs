//! The logs somebody writes or reads right now.
//!
//! A log is in the map while it has an open writer or anyone holds it, so the
//! map is as large as what goes on, however many logs there are on the disk.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tappet_model::AttemptId;
use tokio::sync::{OnceCell, watch};

use super::writer::{LogPaths, Writer};

/// What readers may see.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Progress {
    /// Stored bytes that never change again.
    pub(super) stored_len: u64,
    /// No more will come.
    pub(super) is_finished: bool,
}

/// One attempt's log, as its writer and its readers share it.
pub(super) struct OpenLog {
    pub(super) paths: LogPaths,
    pub(super) writer: Arc<tokio::sync::Mutex<Option<Writer>>>,
    progress: OnceCell<watch::Sender<Progress>>,
}

impl OpenLog {
    /// Where the log stands; read from the disk the first time.
    ///
    /// # Errors
    /// The files cannot be read.
    pub(super) async fn progress(&self) -> io::Result<&watch::Sender<Progress>> {
        self.progress
            .get_or_try_init(async || {
                let progress = self
                    .paths
                    .read_state()?
                    .map_or_else(Progress::default, |state| Progress {
                        stored_len: state.stored_len,
                        is_finished: state.is_finished,
                    });
                Ok(watch::Sender::new(progress))
            })
            .await
    }

    /// What readers see now; nothing before [`OpenLog::progress`] was asked.
    pub(super) fn published(&self) -> Progress {
        self.progress
            .get()
            .map_or_else(Progress::default, |sender| *sender.borrow())
    }

    /// Shows readers what the writer has recorded.
    pub(super) fn publish(&self, progress: Progress) {
        if let Some(sender) = self.progress.get() {
            sender.send_if_modified(|shown| std::mem::replace(shown, progress) != progress);
        }
    }
}

/// All logs in use.
pub(super) struct OpenLogs {
    dir: PathBuf,
    logs: Mutex<HashMap<AttemptId, Arc<OpenLog>>>,
}

impl OpenLogs {
    /// The logs of the files under `dir`.
    pub(super) fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            logs: Mutex::default(),
        }
    }

    /// Where the files are.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The files of a log, whether there are any or not.
    pub(super) fn paths(&self, id: AttemptId) -> LogPaths {
        let dir = self.dir.join((id.0 / 1000).to_string());
        LogPaths {
            log: dir.join(format!("{id}.log")),
            state: dir.join(format!("{id}.state")),
        }
    }

    /// Takes hold of a log. No file is touched.
    pub(super) fn hold(self: &Arc<Self>, id: AttemptId) -> LogHandle {
        let log = Arc::clone(self.lock().entry(id).or_insert_with(|| {
            Arc::new(OpenLog {
                paths: self.paths(id),
                writer: Arc::default(),
                progress: OnceCell::new(),
            })
        }));
        LogHandle {
            logs: Arc::clone(self),
            id,
            log: Some(log),
        }
    }

    /// How many logs are in use.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AttemptId, Arc<OpenLog>>> {
        // The map is whole after a panic: each use is one operation on it.
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A hold on a log. With the last one the log leaves the map, unless its writer
/// is open.
#[derive(Clone)]
pub(super) struct LogHandle {
    logs: Arc<OpenLogs>,
    id: AttemptId,
    /// `None` only while dropping.
    log: Option<Arc<OpenLog>>,
}

impl Deref for LogHandle {
    type Target = OpenLog;

    fn deref(&self) -> &OpenLog {
        self.log
            .as_ref()
            .expect("a handle has its log until it is dropped")
    }
}

impl fmt::Debug for LogHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogHandle").field(&self.id).finish()
    }
}

impl Drop for LogHandle {
    fn drop(&mut self) {
        let mut logs = self.logs.lock();
        // Under the lock, so that of two last handles one sees itself as last.
        self.log = None;
        let is_idle = logs.get(&self.id).is_some_and(|log| {
            Arc::strong_count(log) == 1
                && log.writer.try_lock().is_ok_and(|writer| writer.is_none())
        });
        if is_idle {
            logs.remove(&self.id);
        }
    }
}
