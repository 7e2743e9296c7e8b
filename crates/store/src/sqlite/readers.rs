//! Connections that only read, each opened when it is first needed.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::connection;
use super::content::{Contents, Db};
use super::statement::statements;
use crate::{StoreError, StoreResult};

statements! {
    BEGIN = "BEGIN";
    END = "COMMIT";
}

/// A few connections, taken in turn.
pub(super) struct Readers {
    path: PathBuf,
    contents: Arc<Contents>,
    slots: Vec<Mutex<Option<Connection>>>,
    /// Counts the reads; the connection follows from it.
    next: AtomicUsize,
    is_closed: AtomicBool,
}

impl Readers {
    /// At most `count` connections, at least one.
    pub fn new(path: PathBuf, contents: Arc<Contents>, count: usize) -> Self {
        Self {
            path,
            contents,
            slots: (0..count.max(1)).map(|_| Mutex::new(None)).collect(),
            next: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Runs `work` on one snapshot of the database.
    pub fn read<T>(&self, work: impl FnOnce(&Db<'_>) -> StoreResult<T>) -> StoreResult<T> {
        let mut slot = self.slot();
        if self.is_closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed);
        }
        let conn = match &mut *slot {
            Some(conn) => conn,
            empty => empty.insert(connection::open_reader(&self.path)?),
        };
        let snapshot = Snapshot::begin(conn)?;
        let result = work(&Db {
            conn,
            contents: &self.contents,
        });
        drop(snapshot);
        result
    }

    /// How many reads there were so far.
    pub fn count(&self) -> usize {
        self.next.load(Ordering::Relaxed)
    }

    /// Closes every connection; later reads fail.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        for slot in &self.slots {
            slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    /// A free connection when there is one, else the next in turn.
    fn slot(&self) -> MutexGuard<'_, Option<Connection>> {
        let first = self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len();
        for offset in 0..self.slots.len() {
            let index = (first + offset) % self.slots.len();
            if let Ok(slot) = self.slots[index].try_lock() {
                return slot;
            }
        }
        self.slots[first]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A read transaction, ended when dropped, also by a panic.
struct Snapshot<'a>(&'a Connection);

impl<'a> Snapshot<'a> {
    fn begin(conn: &'a Connection) -> StoreResult<Self> {
        conn.prepare_cached(BEGIN)?.execute([])?;
        Ok(Self(conn))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        let ended = self
            .0
            .prepare_cached(END)
            .and_then(|mut statement| statement.execute([]));
        if let Err(error) = ended {
            tracing::error!(%error, "cannot end a read transaction");
        }
    }
}
