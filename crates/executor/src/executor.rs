//! What all attempts of one runner share.

use std::ffi::OsString;
use std::io;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tappet_git::Git;
use tappet_model::runner_protocol::JobPayload;
use tokio::sync::watch;

use crate::artifacts::restore::Limits;
use crate::attempt::Attempt;
use crate::control::Control;
use crate::io::AttemptIo;
use crate::launcher::{Isolation, Launcher, mark};
use crate::outcome::Outcome;
use crate::steps;
use crate::workspace::{self, Spares};

/// Where and how attempts run.
#[derive(Clone, Debug)]
pub struct ExecutorSettings {
    /// Holds one directory per attempt; no other executor may use it.
    pub builds_dir: PathBuf,
    /// For checkouts.
    pub git: Git,
    /// The shell.
    pub bash: PathBuf,
    /// `PATH` of the jobs.
    pub path: OsString,
    /// Name in the job header.
    pub name: String,
    /// Version in the job header and in `CI_RUNNER_VERSION`.
    pub version: String,
    /// Between TERM and KILL.
    pub grace: Duration,
    /// Limit of `after_script` where the job sets none.
    pub after_script_limit: Duration,
    /// Limits of archives that are unpacked.
    pub restore_limits: Limits,
    /// Do without namespaces, as on a machine that has none.
    pub force_mark: bool,
    /// A descriptor held open until the last process of an attempt is gone.
    pub keep_open: Option<RawFd>,
}

impl ExecutorSettings {
    /// The usual settings: bash from `PATH`, 10 s grace, 5 min for `after_script`.
    pub fn new(builds_dir: impl Into<PathBuf>, git: Git) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_else(|| {
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()
        });
        let bash = std::env::split_paths(&path)
            .map(|folder| folder.join("bash"))
            .find(|candidate| candidate.is_absolute() && candidate.is_file())
            .unwrap_or_else(|| "/bin/bash".into());
        Self {
            builds_dir: builds_dir.into(),
            git,
            bash,
            path,
            name: "embedded".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            grace: Duration::from_secs(10),
            after_script_limit: Duration::from_secs(300),
            restore_limits: Limits::default(),
            force_mark: false,
            keep_open: None,
        }
    }
}

/// The executor cannot work here.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// The builds directory cannot be used.
    #[error("cannot prepare the builds directory {path}: {source}")]
    Builds {
        /// The directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// No process could be started at all.
    #[error("cannot prepare to start processes: {0}")]
    Launcher(io::Error),
}

/// Runs attempts, any number at a time.
#[derive(Debug)]
pub struct Executor {
    pub(crate) settings: ExecutorSettings,
    pub(crate) launcher: Launcher,
    pub(crate) base_environment: Vec<(OsString, OsString)>,
    pub(crate) spares: Spares,
}

impl Executor {
    /// Kills and removes what an earlier executor left in the builds directory, and finds out
    /// which isolation this machine allows. Blocks for some milliseconds.
    pub fn new(mut settings: ExecutorSettings) -> Result<Self, ExecutorError> {
        let builds = |source| ExecutorError::Builds {
            path: settings.builds_dir.clone(),
            source,
        };
        workspace::make_builds_dir(&settings.builds_dir).map_err(builds)?;
        let canonical = settings.builds_dir.canonicalize().map_err(builds)?;
        mark::kill_marked(&canonical, None).map_err(builds)?;
        workspace::clear_builds_dir(&canonical).map_err(builds)?;
        settings.builds_dir = canonical;
        let launcher = Launcher::new(settings.force_mark, settings.keep_open)
            .map_err(ExecutorError::Launcher)?;
        let mut base_environment: Vec<(OsString, OsString)> = vec![
            ("PATH".into(), settings.path.clone()),
            ("SHELL".into(), settings.bash.clone().into_os_string()),
        ];
        // No default: loading a locale makes each bash a quarter slower.
        base_environment.extend(std::env::var_os("LANG").map(|lang| ("LANG".into(), lang)));
        Ok(Self {
            settings,
            launcher,
            base_environment,
            spares: Spares::default(),
        })
    }

    /// What attempts run under.
    pub fn isolation(&self) -> Isolation {
        self.launcher.isolation()
    }

    /// Between TERM and KILL.
    pub fn grace(&self) -> Duration {
        self.settings.grace
    }

    /// Where attempts run.
    pub fn builds_dir(&self) -> &Path {
        &self.settings.builds_dir
    }

    /// Runs one attempt to its end. When this returns, none of its processes exists and its
    /// directory is gone or empty under another name. `slot` tells attempts apart that run at the same time.
    pub async fn execute<I: AttemptIo>(
        &self,
        payload: &JobPayload,
        slot: usize,
        io: &I,
        control: watch::Receiver<Control>,
    ) -> Outcome {
        match &payload.tappet {
            Some(steps) => steps::run(self, payload, steps, slot, io, control).await,
            None => Attempt::run(self, payload, slot, io, control).await,
        }
    }
}
