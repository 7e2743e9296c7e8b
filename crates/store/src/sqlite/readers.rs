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

/// A few connections.
pub(super) struct Readers {
    path: PathBuf,
    contents: Arc<Contents>,
    slots: Vec<Mutex<Option<Connection>>>,
    /// Counts the reads; whose turn it is to wait for follows from it.
    count: AtomicUsize,
    is_closed: AtomicBool,
}

impl Readers {
    /// At most `count` connections, at least one.
    pub fn new(path: PathBuf, contents: Arc<Contents>, count: usize) -> Self {
        Self {
            path,
            contents,
            slots: (0..count.max(1)).map(|_| Mutex::new(None)).collect(),
            count: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Runs `work` on one snapshot of the database.
    pub fn read<T>(&self, work: impl FnOnce(&Db<'_>) -> StoreResult<T>) -> StoreResult<T> {
        self.with(|db| {
            let snapshot = Snapshot::begin(db.conn)?;
            let result = work(db);
            drop(snapshot);
            result
        })
    }

    /// Runs `work`, which executes one statement only: that is a snapshot by itself.
    pub fn look_up<T>(&self, work: impl FnOnce(&Db<'_>) -> StoreResult<T>) -> StoreResult<T> {
        self.with(work)
    }

    fn with<T>(&self, work: impl FnOnce(&Db<'_>) -> StoreResult<T>) -> StoreResult<T> {
        let mut slot = self.slot();
        if self.is_closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed);
        }
        let conn = match &mut *slot {
            Some(conn) => conn,
            empty => empty.insert(connection::open_reader(&self.path)?),
        };
        work(&Db {
            conn,
            contents: &self.contents,
        })
    }

    /// How many reads there were so far.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Closes every connection; later reads fail.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        for slot in &self.slots {
            slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    /// A free connection, the first ones before the others: what is idle is not
    /// worth the memory of another connection and its caches.
    fn slot(&self) -> MutexGuard<'_, Option<Connection>> {
        let turn = self.count.fetch_add(1, Ordering::Relaxed) % self.slots.len();
        let mut unopened = None;
        for slot in &self.slots {
            match slot.try_lock() {
                Ok(slot) if slot.is_some() => return slot,
                Ok(slot) => unopened = unopened.or(Some(slot)),
                Err(_) => {}
            }
        }
        unopened.unwrap_or_else(|| {
            self.slots[turn]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(readers: &Readers) -> usize {
        let is_open = |slot: &Mutex<Option<Connection>>| slot.lock().unwrap().is_some();
        readers.slots.iter().filter(|slot| is_open(slot)).count()
    }

    #[test]
    fn another_connection_is_opened_only_beside_one_in_use() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tappet.db");
        let _writer = connection::open_writer(&path).unwrap();
        let readers = Readers::new(path, Arc::new(Contents::new()), 4);
        for _ in 0..5 {
            readers.read(|_| Ok(())).unwrap();
        }
        assert_eq!(opened(&readers), 1);
        let inner = readers.read(|_| readers.read(|_| Ok(())));
        inner.unwrap();
        assert_eq!(opened(&readers), 2);
    }
}
