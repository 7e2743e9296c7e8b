//! What only a SQLite file can run into: other programs that use it, and files
//! that are none of ours.

use std::sync::mpsc;
use std::thread;

use rstest::rstest;
use rusqlite::Connection;
use tappet_store::{SqliteOptions, SqliteStore};

use crate::world::*;

#[tokio::test]
async fn a_foreign_reader_stops_no_write() {
    let world = World::new().await;
    world.create(&[job("a")]).await;
    let reader = Connection::open(world.database()).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let runs = || -> i64 {
        reader
            .query_row("SELECT count(*) FROM runs", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(runs(), 1);
    for _ in 0..50 {
        world.create(&[job("a")]).await;
    }
    assert_eq!(runs(), 1, "the snapshot stands");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(runs(), 51);
    assert_eq!(world.reopen().create(&[job("a")]).await.run.iid, 52);
}

#[tokio::test]
async fn a_foreign_writer_is_waited_for() {
    let world = World::new().await;
    let database = world.database();
    let (locked, is_locked) = mpsc::channel();
    let (go, may_go) = mpsc::channel();
    let other = thread::spawn(move || {
        let writer = Connection::open(database).unwrap();
        writer.execute_batch("BEGIN IMMEDIATE").unwrap();
        locked.send(()).unwrap();
        may_go.recv().unwrap();
        writer.execute_batch("COMMIT").unwrap();
    });
    is_locked.recv().unwrap();
    let new = world.new_run(&[job("a")]);
    let create = world.store.create_run(new);
    let release = async {
        // The write is on its way before the other one lets go.
        tokio::task::yield_now().await;
        go.send(()).unwrap();
    };
    let (creation, ()) = tokio::join!(create, release);
    assert_eq!(created(creation.unwrap()).run.iid, 1);
    other.join().unwrap();
}

#[tokio::test]
async fn the_file_passes_sqlite_s_own_checks() {
    let world = World::new().await;
    world.create(&[job("a"), job("b").stage(1)]).await;
    world.take().await;
    let file = Connection::open(world.database()).unwrap();
    let checks = [
        ("integrity_check", "ok"),
        ("journal_mode", "wal"),
        ("foreign_key_check", ""),
    ];
    for (pragma, expected) in checks {
        let mut statement = file.prepare(&format!("PRAGMA {pragma}")).unwrap();
        let found: Vec<String> = statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(found.join("; "), expected, "{pragma}");
    }
}

#[rstest]
#[case::text(
    b"not a database, but long enough to be looked at as one by SQLite, which reads \
               the first hundred bytes of each file",
    "cannot open"
)]
#[case::short(b"x", "is not a database of Tappet")]
fn a_file_of_something_else_is_refused(#[case] content: &[u8], #[case] expected: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tappet.db");
    std::fs::write(&path, content).unwrap();
    let error = SqliteStore::open(&path, SqliteOptions::default())
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains(expected), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), content, "it is left alone");
}

#[test]
fn a_first_start_that_was_killed_does_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tappet.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA journal_mode = WAL")
        .unwrap();
    assert_ne!(std::fs::metadata(&path).unwrap().len(), 0);
    SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    SqliteStore::open(&path, SqliteOptions::default()).unwrap();
}

#[test]
fn another_program_s_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tappet.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE notes (text)")
        .unwrap();
    let error = SqliteStore::open(&path, SqliteOptions::default())
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("is not a database of Tappet"), "{error}");
}
