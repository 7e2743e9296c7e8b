//! Keeps one embedded runner alive: starts it, adopts one that outlived an
//! earlier server, starts it again when it dies.
//!
//! Whoever holds `DIR/runner.lock` is the runner, together with the processes
//! of its attempts; so the lock is free only when all of them are gone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::app::SharedApp;

/// A runner that dies at once is started again only after this.
const RESTART_DELAY: Duration = Duration::from_millis(500);

/// How long a runner gets between SIGTERM and SIGKILL when the server stops.
const STOP_GRACE: Duration = Duration::from_secs(15);

/// What the supervisor knows of the runner it looks after.
#[derive(Default)]
pub struct RunnerProcess {
    pid: Mutex<Option<Pid>>,
}

impl RunnerProcess {
    fn set(&self, pid: Option<Pid>) {
        *self.pid.lock().unwrap_or_else(PoisonError::into_inner) = pid;
    }

    /// The process id of the living runner.
    pub fn pid(&self) -> Option<Pid> {
        *self.pid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            let _ = kill_process(pid, signal);
        }
    }
}

/// Looks after the runner until the server stops, then stops it.
pub async fn supervise(app: SharedApp, data_dir: PathBuf, program: PathBuf) {
    loop {
        if app.shutdown.is_cancelled() {
            return;
        }
        let lock = match open_lock(&data_dir) {
            Ok(lock) => lock,
            Err(error) => {
                tracing::error!(%error, "cannot open runner.lock; jobs cannot run");
                return;
            }
        };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            drop(lock);
            run_child(&app, &data_dir, &program).await;
        } else {
            adopt(&app, lock).await;
        }
        app.runner_process.set(None);
    }
}

fn open_lock(data_dir: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(data_dir.join("runner.lock"))
}

/// Starts a runner and waits for its end.
async fn run_child(app: &SharedApp, data_dir: &Path, program: &Path) {
    let mut child = match start(app, data_dir, program) {
        Ok(child) => child,
        Err(error) => {
            tracing::error!(program = %program.display(), %error, "cannot start the runner");
            pause(app).await;
            return;
        }
    };
    app.runner_process.set(child.id().and_then(to_pid));
    tokio::select! {
        status = child.wait() => {
            if !app.shutdown.is_cancelled() {
                tracing::warn!(?status, "the embedded runner ended; starting it again");
                pause(app).await;
            }
        }
        () = app.shutdown.cancelled() => {
            app.runner_process.signal(Signal::TERM);
            if tokio::time::timeout(STOP_GRACE, child.wait()).await.is_err() {
                let _ = child.kill().await;
            }
        }
    }
}

fn start(app: &SharedApp, data_dir: &Path, program: &Path) -> io::Result<Child> {
    let mut command = Command::new(program);
    command
        .args(["runner", "embedded", "--data"])
        .arg(data_dir)
        .arg("--slots")
        .arg(app.config.slots.to_string())
        .stdin(Stdio::null())
        // It outlives the server, so it must not hold the server's terminal group.
        .process_group(0);
    for secret in ["TAPPET_ROOT_TOKEN", "TAPPET_TOKEN"] {
        command.env_remove(secret);
    }
    command.spawn()
}

fn to_pid(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}

async fn pause(app: &SharedApp) {
    tokio::select! {
        () = tokio::time::sleep(RESTART_DELAY) => {}
        () = app.shutdown.cancelled() => {}
    }
}

/// Waits for the end of a runner that an earlier server started.
async fn adopt(app: &SharedApp, lock: File) {
    let mut text = String::new();
    let _ = (&lock).read_to_string(&mut text);
    let pid = text.trim().parse().ok().and_then(Pid::from_raw);
    tracing::info!(pid = text.trim(), "a runner is alive; its jobs go on");
    app.runner_process.set(pid);
    let (ended, mut end) = tokio::sync::oneshot::channel();
    // A plain thread: it may wait longer than the server lives.
    std::thread::spawn(move || {
        let _ = flock(&lock, FlockOperation::LockExclusive);
        drop(lock);
        let _ = ended.send(());
    });
    tokio::select! {
        _ = &mut end => {}
        () = app.shutdown.cancelled() => {
            app.runner_process.signal(Signal::TERM);
            if tokio::time::timeout(STOP_GRACE, end).await.is_err() {
                app.runner_process.signal(Signal::KILL);
            }
        }
    }
}
