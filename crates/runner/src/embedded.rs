//! The life of the runner process: lock, introduction, slots, signals.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use tappet_executor::{Executor, ExecutorError, ExecutorSettings};
use tappet_git::{Git, GitError};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::lock::RunnerLock;
use crate::slot::{self, Shared};

/// How often an idle runner looks whether its server is gone for good.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Where the runner finds its server and how much it takes on.
#[derive(Clone, Debug)]
pub struct EmbeddedSettings {
    /// The server's data directory. In it: `runner.sock`, `runner-token`, `runner.lock`, `builds/`.
    pub data_dir: PathBuf,
    /// Attempts at the same time.
    pub slots: usize,
    /// Name in job headers.
    pub name: String,
    /// Between TERM and KILL.
    pub grace: Duration,
    /// Do without namespaces.
    pub force_mark: bool,
    /// An idle runner ends when the server has been away for so long.
    pub give_up_after: Duration,
}

impl EmbeddedSettings {
    /// The usual settings. `TAPPET_ISOLATION=mark` in the environment forces the way without namespaces.
    pub fn new(data_dir: impl Into<PathBuf>, slots: usize) -> Self {
        Self {
            data_dir: data_dir.into(),
            slots,
            name: "embedded".to_owned(),
            grace: Duration::from_secs(10),
            force_mark: std::env::var_os("TAPPET_ISOLATION").is_some_and(|word| word == "mark"),
            give_up_after: Duration::from_secs(600),
        }
    }
}

/// The runner cannot work.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The lock cannot be taken.
    #[error("cannot lock {path}: {source}")]
    Lock {
        /// The data directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// No git.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The executor does not start.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
    /// No signals.
    #[error("cannot listen for signals: {0}")]
    Signals(io::Error),
}

/// Runs until SIGTERM, or until the server has been away too long.
///
/// First waits for `runner.lock`, so that nothing of a dead predecessor runs any more. On SIGTERM it
/// asks for no more jobs, aborts the running ones (TERM, grace, KILL), reports them and ends; a second
/// SIGTERM ends the process at once, and the jobs with it. SIGINT and SIGHUP are left to the server.
pub async fn run_embedded(settings: EmbeddedSettings) -> Result<(), RunnerError> {
    let data_dir = settings.data_dir.clone();
    let lock = tokio::task::spawn_blocking(move || RunnerLock::acquire(&data_dir))
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(|source| RunnerError::Lock {
            path: settings.data_dir.clone(),
            source,
        })?;
    let mut terminate = signal(SignalKind::terminate()).map_err(RunnerError::Signals)?;
    let _interrupt = signal(SignalKind::interrupt()).map_err(RunnerError::Signals)?;
    let _hangup = signal(SignalKind::hangup()).map_err(RunnerError::Signals)?;

    let git = Git::find(&settings.data_dir.join("runner-git"))?;
    let mut executor_settings = ExecutorSettings::new(settings.data_dir.join("builds"), git);
    executor_settings.name.clone_from(&settings.name);
    executor_settings.grace = settings.grace;
    executor_settings.force_mark = settings.force_mark;
    executor_settings.keep_open = Some(lock.descriptor());
    let executor = Executor::new(executor_settings)?;

    let (stop, stopping) = watch::channel(false);
    let shared = Arc::new(Shared {
        client: Arc::new(Client::new(settings.data_dir.join("runner.sock"))),
        executor: Arc::new(executor),
        token_path: settings.data_dir.join("runner-token"),
        system_id: system_id(),
        name: settings.name.clone(),
        started: Instant::now(),
        heard: AtomicU64::new(0),
        stopping,
        holding: std::sync::Mutex::default(),
    });
    tracing::info!(
        isolation = shared.executor.isolation().describe(),
        slots = settings.slots,
        "runner ready"
    );

    let mut slots = JoinSet::new();
    let working = async {
        shared.introduce().await;
        for slot in 0..settings.slots {
            slots.spawn(slot::work(shared.clone(), slot));
        }
        while slots.join_next().await.is_some() {}
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = working => {}
        _ = terminate.recv() => {}
        () = abandoned(&shared, settings.give_up_after) => {
            tracing::warn!("the server has been away too long; the runner ends");
        }
    }
    stop.send_replace(true);
    tokio::select! {
        () = async { while slots.join_next().await.is_some() {} } => {}
        _ = terminate.recv() => {
            // Each init sees our end and takes its processes along.
            std::process::exit(1);
        }
    }
    drop(lock);
    Ok(())
}

/// Waits until no call has reached the server for `limit` while nothing runs.
async fn abandoned(shared: &Shared, limit: Duration) {
    loop {
        tokio::time::sleep(LOOK_EVERY.min(limit)).await;
        // Slots hold the client while they run an attempt.
        if shared.silence() >= limit && Arc::strong_count(&shared.client) == 1 {
            return;
        }
    }
}

/// A new name for each process: the server tells by it that a predecessor is dead.
fn system_id() -> String {
    let mut random = [0; 6];
    if getrandom::fill(&mut random).is_err() {
        random = std::process::id().to_le_bytes().repeat(2)[..6]
            .try_into()
            .unwrap_or_default();
    }
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("r_{digits}")
}
