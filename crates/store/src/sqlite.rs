//! The SQLite adapter: one writer thread that shares commits, a few reading
//! connections, and one file of named statements per subject.

mod access_tokens;
mod artifacts;
mod assignment;
mod attempts;
mod audit;
mod cache_entries;
mod ci_configs;
mod commit_statuses;
mod connection;
mod content;
mod coverage;
mod create_run;
mod creation_time;
mod dbt_uploads;
mod decisions;
mod delays;
mod events;
mod expand_job;
mod filter;
mod forge_reports;
mod forges;
mod idempotency;
mod ids;
mod job_token_scope;
mod jobs;
mod members;
mod migrate;
mod named_artifacts;
mod old_events;
mod page;
mod people;
mod project_changes;
mod projects;
mod protected_refs;
mod pull_request_changes;
mod pull_requests;
mod push_hooks;
#[cfg(test)]
mod query_plan;
mod queue;
mod readers;
mod recent;
mod reports;
mod retention;
mod run_list;
mod run_upkeep;
mod runners;
mod runs;
mod schedules;
mod sealed_values;
mod search;
mod session;
mod settings_variables;
mod sign_ins;
mod snapshot;
mod statement;
mod steps_reports;
mod transition;
mod triggers;
mod users;
mod value;
mod verbs;
mod webhooks;
mod workflow_settings;
mod workflows;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::ErrorCode;

use self::content::Contents;
use self::readers::Readers;
pub use self::snapshot::Snapshot;
use self::writer::Writer;
use crate::{StoreError, StoreResult};

/// How exactly a token's last use is stored.
const USED_EVERY: Duration = Duration::from_mins(1);

/// How a database is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SqliteOptions {
    /// Reading connections at most; each is opened when first needed.
    pub readers: usize,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { readers: 4 }
    }
}

/// A [`Store`](crate::Store) in one SQLite file.
///
/// Dropping it waits for the last commit.
pub struct SqliteStore {
    readers: Readers,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the database at `path`, which is created where missing, and brings
    /// its schema up to date. Refuses files of other programs and of newer
    /// versions of this one.
    pub fn open(path: &Path, options: SqliteOptions) -> StoreResult<Self> {
        let contents = Arc::new(Contents::new());
        let writer = Writer::open(path, Arc::clone(&contents))?;
        Ok(Self {
            readers: Readers::new(path.to_owned(), contents, options.readers),
            writer,
        })
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            _ => StoreError::Database(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_statement_prepares_after_migration() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tappet.db");
        let database = connection::open_writer(&path).unwrap();
        let subjects = [
            access_tokens::ALL,
            artifacts::ALL,
            attempts::ALL,
            audit::ALL,
            cache_entries::ALL,
            ci_configs::ALL,
            commit_statuses::ALL,
            content::ALL,
            coverage::ALL,
            creation_time::ALL,
            dbt_uploads::ALL,
            decisions::ALL,
            delays::ALL,
            events::ALL,
            old_events::ALL,
            forge_reports::ALL,
            forges::ALL,
            idempotency::ALL,
            job_token_scope::ALL,
            members::ALL,
            named_artifacts::ALL,
            people::ALL,
            project_changes::ALL,
            ids::ALL,
            jobs::ALL,
            projects::ALL,
            protected_refs::ALL,
            pull_request_changes::ALL,
            pull_requests::ALL,
            push_hooks::ALL,
            queue::ALL,
            readers::ALL,
            reports::ALL,
            retention::ALL,
            run_upkeep::ALL,
            runners::ALL,
            runs::ALL,
            schedules::ALL,
            sealed_values::ALL,
            search::ALL,
            session::ALL,
            settings_variables::ALL,
            sign_ins::ALL,
            snapshot::ALL,
            steps_reports::ALL,
            triggers::ALL,
            users::ALL,
            webhooks::ALL,
            workflow_settings::ALL,
            workflows::ALL,
            writer::ALL,
        ];
        for (name, sql) in subjects.concat() {
            if let Err(error) = database.conn.prepare(sql) {
                panic!("{name}: {error}: {sql}");
            }
        }
    }

    #[test]
    fn what_each_run_writes_needs_no_temporary_table() {
        let directory = tempfile::tempdir().unwrap();
        let database = connection::open_writer(&directory.path().join("tappet.db")).unwrap();
        let of_each_run = [
            attempts::ADD,
            attempts::UPDATE,
            audit::ADD,
            runs::ADD,
            runs::COUNT_RUN,
            runs::SET_NEWEST,
            runs::UPDATE,
            triggers::MARK_USED,
            workflows::ADD_ONLY,
        ];
        for sql in of_each_run {
            let mut plan = database.conn.prepare(&format!("EXPLAIN {sql}")).unwrap();
            for index in 1..=plan.parameter_count() {
                plan.raw_bind_parameter(index, 1).unwrap();
            }
            let mut steps = plan.raw_query();
            while let Some(step) = steps.next().unwrap() {
                let operation: String = step.get("opcode").unwrap();
                assert_ne!(operation, "OpenEphemeral", "{sql}");
            }
        }
    }
}
