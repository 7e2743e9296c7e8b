//! The thread that owns the only writing connection and shares commits.
//!
//! Callers send closures. The thread opens a transaction, runs each closure in
//! a savepoint, takes along what else is waiting, commits once and only then
//! answers everyone. A closure that fails or panics loses its own savepoint and
//! nothing else. Closures must not block or do I/O of their own.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot};

use super::connection::{self, WriterConnection};
use super::content::Contents;
use super::session::Session;
use super::statement::statements;
use crate::{StoreError, StoreResult};

statements! {
    BEGIN = "BEGIN IMMEDIATE";
    COMMIT = "COMMIT";
    ROLLBACK = "ROLLBACK";
    SAVE = "SAVEPOINT closure";
    KEEP = "RELEASE closure";
    UNDO = "ROLLBACK TO closure";
}

/// The most closures that share one commit.
const BATCH: usize = 512;

/// The most closures that wait; more callers wait to be let in.
const WAITING: usize = 1024;

/// A closure that reports its result through the returned [`Answer`], or at
/// once when it cannot run at all.
type Work = Box<dyn FnOnce(Result<&mut Session, Loss>) -> Answer + Send>;

/// Tells the caller, once it is known whether the transaction was committed.
type Answer = Box<dyn FnOnce(&Result<(), Loss>) + Send>;

enum Message {
    Work(Work),
    Close(oneshot::Sender<StoreResult<()>>),
}

/// Why a whole transaction was lost.
#[derive(Clone, Debug)]
enum Loss {
    Full,
    Broken(String),
}

impl From<StoreError> for Loss {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Loss::Full,
            other => Loss::Broken(other.to_string()),
        }
    }
}

impl From<Loss> for StoreError {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::Full => StoreError::Full,
            Loss::Broken(text) => StoreError::Database(text),
        }
    }
}

/// The callers' end.
pub(super) struct Writer {
    inbox: Mutex<Option<mpsc::Sender<Message>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Opens the database, migrates it and starts the thread.
    pub fn open(path: &Path, contents: Arc<Contents>) -> StoreResult<Self> {
        let WriterConnection {
            conn,
            file,
            is_unsynced,
        } = connection::open_writer(path)?;
        let session = Session::new(conn, contents)?;
        let (sender, receiver) = mpsc::channel(WAITING);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || Thread::run(session, &file, is_unsynced, receiver))
            .map_err(|error| {
                StoreError::Database(format!("cannot start the writer thread: {error}"))
            })?;
        Ok(Self {
            inbox: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs `work` inside a transaction and returns after its commit.
    pub async fn write<T, F>(&self, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Session) -> StoreResult<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let work: Work = Box::new(move |session| {
            let result = session
                .map_err(StoreError::from)
                .and_then(|session| guarded(session, work));
            Box::new(move |fate| {
                // A caller that went away does not change what was done.
                let _ = sender.send(match fate {
                    Ok(()) => result,
                    Err(loss) => result.and_then(|_| Err(loss.clone().into())),
                });
            })
        });
        let inbox = self.inbox().ok_or(StoreError::Closed)?;
        inbox
            .send(Message::Work(work))
            .await
            .map_err(|_| StoreError::Closed)?;
        receiver.await.map_err(|_| StoreError::Closed)?
    }

    /// Fails when nothing can be written any more.
    pub fn check(&self) -> StoreResult<()> {
        match self.inbox() {
            Some(inbox) if !inbox.is_closed() => Ok(()),
            _ => Err(StoreError::Closed),
        }
    }

    /// Finishes what waits, moves everything into the main file and closes it.
    pub async fn close(&self) -> StoreResult<()> {
        let (sender, receiver) = oneshot::channel();
        let inbox = self.inbox().ok_or(StoreError::Closed)?;
        inbox
            .send(Message::Close(sender))
            .await
            .map_err(|_| StoreError::Closed)?;
        receiver.await.map_err(|_| StoreError::Closed)?
    }

    fn inbox(&self) -> Option<mpsc::Sender<Message>> {
        self.inbox
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Writer {
    /// Waits for the last commit.
    fn drop(&mut self) {
        self.inbox
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let thread = self
            .thread
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// Runs one closure in a savepoint.
fn guarded<T>(
    session: &mut Session,
    work: impl FnOnce(&mut Session) -> StoreResult<T>,
) -> StoreResult<T> {
    session.execute(SAVE)?;
    let changes = session.conn.total_changes();
    let result = catch_unwind(AssertUnwindSafe(|| work(session))).unwrap_or_else(|_| {
        session.forget();
        Err(StoreError::Database(
            "the store panicked, nothing was written: report it with the server's log".to_owned(),
        ))
    });
    session.is_full |= matches!(result, Err(StoreError::Full));
    // SQLite itself rolls the whole transaction back after some errors.
    if session.conn.is_autocommit() {
        session.forget();
        return result;
    }
    if result.is_err() {
        if session.conn.total_changes() != changes {
            session.forget();
        }
        session.execute(UNDO)?;
    }
    session.execute(KEEP)?;
    result
}

struct Thread {
    session: Session,
    inbox: mpsc::Receiver<Message>,
}

impl Thread {
    fn run(session: Session, file: &File, is_unsynced: bool, inbox: mpsc::Receiver<Message>) {
        let mut thread = Self { session, inbox };
        if is_unsynced && let Err(error) = file.sync_all() {
            tracing::error!(%error, "cannot sync the new database file: the store stays closed");
            return;
        }
        while let Some(message) = thread.inbox.blocking_recv() {
            let close = match message {
                Message::Work(work) => thread.batch(work),
                Message::Close(reply) => Some(reply),
            };
            if let Some(reply) = close {
                thread.finish();
                let _ = reply.send(thread.session.close());
                break;
            }
        }
    }

    /// Runs `first` and what waits behind it. Returns the reply channel of a
    /// close that came along.
    fn batch(&mut self, first: Work) -> Option<oneshot::Sender<StoreResult<()>>> {
        if let Err(error) = self.session.execute(BEGIN) {
            let loss = Loss::from(error);
            first(Err(loss.clone()))(&Err(loss));
            return None;
        }
        self.session.is_full = false;
        let mut answers = Vec::new();
        let mut close = None;
        let mut next = Some(first);
        while let Some(work) = next.take() {
            answers.push(work(Ok(&mut self.session)));
            if self.session.conn.is_autocommit() || answers.len() >= BATCH {
                break;
            }
            match self.inbox.try_recv() {
                Ok(Message::Work(work)) => next = Some(work),
                Ok(Message::Close(reply)) => close = Some(reply),
                Err(_) => {}
            }
        }
        let fate = self.commit();
        for answer in answers {
            answer(&fate);
        }
        close
    }

    fn commit(&mut self) -> Result<(), Loss> {
        if self.session.conn.is_autocommit() {
            return Err(if self.session.is_full {
                Loss::Full
            } else {
                Loss::Broken(
                    "another write broke the shared transaction, nothing was written: try again"
                        .to_owned(),
                )
            });
        }
        self.session.execute(COMMIT).map_err(|error| {
            self.session.forget();
            if !self.session.conn.is_autocommit()
                && let Err(error) = self.session.execute(ROLLBACK)
            {
                tracing::error!(%error, "cannot roll a failed transaction back");
            }
            Loss::from(error)
        })
    }

    /// Serves what was accepted before the close.
    fn finish(&mut self) {
        self.inbox.close();
        while let Ok(message) = self.inbox.try_recv() {
            match message {
                Message::Work(work) => {
                    if let Some(reply) = self.batch(work) {
                        let _ = reply.send(Ok(()));
                    }
                }
                Message::Close(reply) => {
                    let _ = reply.send(Ok(()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    fn open() -> (tempfile::TempDir, Writer) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tappet.db");
        let writer = Writer::open(&path, Arc::new(Contents::new())).unwrap();
        (directory, writer)
    }

    fn add_user(session: &mut Session, name: &str) -> StoreResult<()> {
        session.conn.execute(
            "INSERT INTO users (username, name, email, is_admin, is_blocked, created_at)
             VALUES (?1, '', '', 0, 0, 0)",
            [name],
        )?;
        Ok(())
    }

    async fn users(writer: &Writer) -> i64 {
        writer
            .write(|session| {
                Ok(session.conn.query_row(
                    "SELECT count(*) FROM users WHERE id > 0",
                    [],
                    |row| row.get(0),
                )?)
            })
            .await
            .unwrap()
    }

    /// Keeps the thread busy until the returned function is called, so that
    /// what is sent meanwhile shares one transaction.
    fn hold(writer: &Writer) -> (impl Future<Output = StoreResult<()>>, impl FnOnce()) {
        let barrier = Arc::new(Barrier::new(2));
        let other = Arc::clone(&barrier);
        let held = writer.write(move |_| {
            other.wait();
            Ok(())
        });
        (held, move || {
            barrier.wait();
        })
    }

    #[tokio::test]
    async fn a_failure_or_panic_costs_only_its_own_closure() {
        let (_directory, writer) = open();
        let (held, release) = hold(&writer);
        let before = writer.write(|session| add_user(session, "before"));
        let failing = writer.write(|session| -> StoreResult<()> {
            add_user(session, "failing")?;
            Err(StoreError::NotFound("user"))
        });
        let panicking = writer.write(|session| -> StoreResult<()> {
            add_user(session, "panicking")?;
            panic!("a bug");
        });
        let after = writer.write(|session| add_user(session, "after"));
        let (_, before, failing, panicking, after, ()) =
            tokio::join!(held, before, failing, panicking, after, async { release() });
        before.unwrap();
        assert!(matches!(failing, Err(StoreError::NotFound("user"))));
        assert!(matches!(panicking, Err(StoreError::Database(_))));
        after.unwrap();
        assert_eq!(users(&writer).await, 2);
    }

    #[tokio::test]
    async fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
        let (_directory, writer) = open();
        let limit = async |pages: i64| {
            writer
                .write(move |session| {
                    Ok(session.conn.pragma_update_and_check(
                        None,
                        "max_page_count",
                        pages,
                        |_| Ok(()),
                    )?)
                })
                .await
                .unwrap();
        };
        limit(1).await;
        let name = "x".repeat(100_000);
        let large = name.clone();
        let full = writer.write(move |session| add_user(session, &large)).await;
        assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
        assert_eq!(users(&writer).await, 0);
        limit(1_000_000).await;
        writer
            .write(move |session| add_user(session, &name))
            .await
            .unwrap();
        assert_eq!(users(&writer).await, 1);
    }

    #[tokio::test]
    async fn nobody_is_told_yes_when_the_shared_transaction_is_lost() {
        let (_directory, writer) = open();
        let (held, release) = hold(&writer);
        let first = writer.write(|session| add_user(session, "first"));
        // As SQLite does by itself after some errors.
        let breaking = writer.write(|session| -> StoreResult<()> {
            session.execute(ROLLBACK)?;
            Err(StoreError::Full)
        });
        let (_, first, breaking, ()) = tokio::join!(held, first, breaking, async { release() });
        assert!(matches!(first, Err(StoreError::Full)), "{first:?}");
        assert!(matches!(breaking, Err(StoreError::Full)));
        assert_eq!(users(&writer).await, 0);
        writer
            .write(|session| add_user(session, "later"))
            .await
            .unwrap();
        assert_eq!(users(&writer).await, 1);
    }
}
