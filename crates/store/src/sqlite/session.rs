//! The writing connection with what the writer thread remembers.

use std::collections::HashSet;
use std::sync::Arc;

use rusqlite::Connection;
use tappet_model::{ProjectId, RunId, Timestamp};

use super::content::{Contents, Db};
use super::recent::Recent;
use super::statement::statements;
use super::transition::LiveRun;
use crate::StoreResult;

statements! {
    LAST_EVENT = "SELECT coalesce(max(id), 0) FROM events";
    LAST_PLAN = "SELECT coalesce(max(id), 0) FROM plans";
    CHECKPOINT = "PRAGMA wal_checkpoint(TRUNCATE)";
}

/// What a closure on the writer thread works with.
pub(super) struct Session {
    /// Inside a transaction while a closure runs.
    pub conn: Connection,
    /// Immutable rows, shared with the readers.
    pub contents: Arc<Contents>,
    /// Ids of plans by digest.
    pub plan_ids: Recent<[u8; 32], i64>,
    /// Runs as they stand, so that the next change need not load them.
    pub live: Recent<RunId, LiveRun>,
    /// Newest event id given out; ids of undone events are not used again.
    pub last_event: i64,
    /// Newest plan id given out. Never used again even when undone, so that
    /// [`Contents`] cannot mix two plans up.
    pub last_plan: i64,
    /// Newest id of a run; `None`: to be read again.
    pub last_run: Option<i64>,
    /// Newest id of an attempt; `None`: to be read again.
    pub last_attempt: Option<i64>,
    /// Time of creation of the newest run; `None`: to be read again.
    pub last_creation: Option<Timestamp>,
    /// Projects that have a forge; `None`: to be read again.
    pub bound_projects: Option<HashSet<ProjectId>>,
    /// A closure of the open transaction found the disk full.
    pub is_full: bool,
    /// When old idempotency keys were last looked for.
    pub pruned_at: Timestamp,
}

impl Session {
    /// Takes over a migrated connection.
    pub fn new(conn: Connection, contents: Arc<Contents>) -> StoreResult<Self> {
        let last_event = conn.query_row(LAST_EVENT, [], |row| row.get(0))?;
        let last_plan = conn.query_row(LAST_PLAN, [], |row| row.get(0))?;
        Ok(Self {
            conn,
            contents,
            plan_ids: Recent::new(1024),
            live: Recent::new(64),
            last_event,
            last_plan,
            last_run: None,
            last_attempt: None,
            last_creation: None,
            bound_projects: None,
            is_full: false,
            pruned_at: Timestamp(i64::MIN),
        })
    }

    /// The connection for what only reads.
    pub fn db(&self) -> Db<'_> {
        Db {
            conn: &self.conn,
            contents: &self.contents,
        }
    }

    /// Runs one statement without parameters.
    pub fn execute(&self, sql: &str) -> StoreResult<()> {
        self.conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// Drops what is remembered of rows whose writes were undone.
    pub fn forget(&mut self) {
        self.plan_ids.clear();
        self.live.clear();
        self.last_run = None;
        self.last_attempt = None;
        self.last_creation = None;
        self.bound_projects = None;
    }

    /// Moves the log of commits into the main file. The connection closes with
    /// the thread.
    pub fn close(&mut self) -> StoreResult<()> {
        self.forget();
        self.conn.flush_prepared_statement_cache();
        Ok(self.conn.query_row(CHECKPOINT, [], |_| Ok(()))?)
    }
}
