//! How long runs, logs and entries of the audit log stay, and what removes them.
//!
//! Artifacts have a time of their own and go to the moment, see [`expiry`]. The
//! rest is kept for whole days, so it is looked through once a day, in small
//! batches that let everybody else in between. Without a setting nothing goes,
//! as in GitLab, but for what only the machinery needs: events of runs that ended,
//! idempotency keys, sessions that ended, and cached files that nobody uses any more.

use std::io;
use std::time::Duration;

use serde::Serialize;
use tappet_model::{RunId, Status, Timestamp};
use tappet_store::{Aging, Amount, StoreResult};
use utoipa::ToSchema;

use crate::app::{App, SharedApp};
use crate::{cache, clock, expiry};

/// Rows deleted in one transaction.
const BATCH: u32 = 500;

/// Runs looked at in one read.
const RUNS_AT_ONCE: u32 = 500;

/// How often it is looked for what is too old.
const EVERY: Duration = Duration::from_secs(24 * 3600);

/// Whoever follows a run has seen its events long before.
const EVENT_LIFE: Duration = Duration::from_secs(24 * 3600);

/// As long as Depot keeps what nobody uses.
const CACHE_LIFE: Duration = Duration::from_secs(14 * 24 * 3600);

/// As long as a key is honoured.
const KEY_LIFE: Duration = Duration::from_secs(24 * 3600);

/// What stays for how long; `None` is for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// Runs that ended, with everything of theirs, from their creation on.
    pub runs: Option<Duration>,
    /// Logs of jobs, from their end on.
    pub logs: Option<Duration>,
    /// Entries of the audit log.
    pub audit: Option<Duration>,
    /// Files that clients keep here, from their last use on.
    pub cache: Option<Duration>,
    /// Events, from the end of their run on. Who asks for older ones is told how
    /// the run stands.
    pub events: Option<Duration>,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            runs: None,
            logs: None,
            audit: None,
            cache: Some(CACHE_LIFE),
            events: Some(EVENT_LIFE),
        }
    }
}

/// What goes, or would go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct Sweep {
    /// Artifacts whose time is over.
    pub artifacts: Files,
    /// Runs that are too old.
    pub runs: u64,
    /// Logs that are too old, or of jobs that are gone.
    pub logs: Files,
    /// Entries of the audit log that are too old.
    pub audit_entries: u64,
    /// Cached files that nobody used for too long, and uploads that nobody finished.
    pub cache: Files,
    /// Events of runs that ended.
    pub events: u64,
    /// Keys of requests.
    pub idempotency_keys: u64,
    /// Sessions and one-time links.
    pub sessions: u64,
}

/// How many files, and how large.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct Files {
    /// How many.
    pub count: u64,
    /// Together.
    pub bytes: u64,
}

impl From<Amount> for Files {
    fn from(Amount { count, bytes }: Amount) -> Self {
        Self { count, bytes }
    }
}

/// Whether a sweep removes or only counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Nothing changes.
    Count,
    /// It goes.
    Remove,
}

/// Runs as long as the server.
pub async fn watch(app: SharedApp) {
    loop {
        if let Err(error) = sweep(&app, clock::now(), Mode::Remove).await {
            tracing::warn!(%error, "cannot remove what is too old");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = app.shutdown.cancelled() => return,
        }
    }
}

/// Goes once through everything that can be too old.
///
/// # Errors
/// The store cannot serve. Files that cannot be removed are told in the server's log.
pub async fn sweep(app: &App, now: Timestamp, mode: Mode) -> StoreResult<Sweep> {
    let keep = app.config.keep;
    let mut sweep = Sweep {
        artifacts: match mode {
            Mode::Count => app.store.artifacts_due(now).await?.into(),
            Mode::Remove => expiry::remove_due(app, now).await?.into(),
        },
        cache: match mode {
            Mode::Count => aged_cache(app, now).await?.into(),
            Mode::Remove => app.delete_aged_cache(keep.cache, now).await?.into(),
        },
        idempotency_keys: aged(app, Aging::IdempotencyKeys, now.minus(KEY_LIFE), mode).await?,
        sessions: aged(app, Aging::Sessions, now, mode).await?,
        ..Sweep::default()
    };
    if let Some(life) = keep.events {
        sweep.events = old_events(app, now.minus(life), mode).await?;
    }
    if let Some(life) = keep.audit {
        sweep.audit_entries = aged(app, Aging::AuditEntries, now.minus(life), mode).await?;
    }
    if let Some(life) = keep.runs {
        sweep.runs = old_runs(app, now.minus(life), mode).await?;
    }
    if let Some(life) = keep.logs {
        sweep.logs = old_logs(app, now.minus(life), mode).await?;
    }
    Ok(sweep)
}

async fn aged(app: &App, kind: Aging, before: Timestamp, mode: Mode) -> StoreResult<u64> {
    if mode == Mode::Count {
        return app.store.count_aged(kind, before).await;
    }
    let mut all = 0;
    loop {
        let count = app.store.delete_aged(kind, before, BATCH).await?;
        all += count;
        if count < u64::from(BATCH) {
            return Ok(all);
        }
    }
}

async fn aged_cache(app: &App, now: Timestamp) -> StoreResult<Amount> {
    let unused_since = app.config.keep.cache.map(|life| now.minus(life));
    app.store
        .aged_cache_entries(unused_since, now.minus(cache::UPLOAD_LIFE))
        .await
}

async fn old_events(app: &App, before: Timestamp, mode: Mode) -> StoreResult<u64> {
    let (mut all, mut after) = (0, 0);
    loop {
        let step = match mode {
            Mode::Count => app.store.count_old_events(after, before, BATCH).await?,
            Mode::Remove => app.store.delete_old_events(after, before, BATCH).await?,
        };
        all += step.count;
        match step.next {
            Some(next) => after = next,
            None => return Ok(all),
        }
    }
}

/// Ids rise with time, so the walk ends at the first run that is young enough.
async fn old_runs(app: &App, before: Timestamp, mode: Mode) -> StoreResult<u64> {
    let mut count = 0;
    let mut last = RunId(0);
    loop {
        let runs = app.store.aged_runs(last, RUNS_AT_ONCE).await?;
        let Some(newest) = runs.last() else {
            return Ok(count);
        };
        last = newest.id;
        let reaches_young = newest.created_at >= before;
        for run in runs {
            if run.created_at >= before || !is_over(run.status) {
                continue;
            }
            count += 1;
            if mode == Mode::Remove {
                app.delete_run(run.id).await?;
            }
        }
        if reaches_young {
            return Ok(count);
        }
    }
}

/// Nothing of it goes on by itself. One that waits for a person counts as over:
/// nobody came for as long as runs are kept.
fn is_over(status: Status) -> bool {
    status.is_completed() || status == Status::Manual
}

async fn old_logs(app: &App, before: Timestamp, mode: Mode) -> StoreResult<Files> {
    let mut files = Files::default();
    let folders = app.logs.folders().await;
    for folder in listed(folders) {
        let logs = listed(app.logs.in_folder(folder).await);
        let ids = logs.iter().map(|log| log.id).collect();
        let ended = app.store.ended_before(ids, before).await?;
        for log in logs.into_iter().filter(|log| ended.contains(&log.id)) {
            files.count += 1;
            files.bytes += log.bytes;
            if mode == Mode::Remove
                && let Err(error) = app.logs.delete(log.id).await
            {
                tracing::warn!(attempt = %log.id, %error, "cannot remove a log");
            }
        }
    }
    Ok(files)
}

/// What cannot be listed stays for the next time.
fn listed<T>(found: io::Result<Vec<T>>) -> Vec<T> {
    found.unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot list logs");
        Vec::new()
    })
}
