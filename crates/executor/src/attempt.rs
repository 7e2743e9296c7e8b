//! The way of one attempt through GitLab's stages, in their order
//! (GitLab Runner: `common/build.go`).

use std::ffi::OsString;
use std::time::Duration;

use tappet_model::FailureReason;
use tappet_model::runner_protocol::JobPayload;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::control::Control;
use crate::environment::Variables;
use crate::executor::Executor;
use crate::io::AttemptIo;
use crate::launcher::{Exit, Home, Isolation, LaunchError, Program, mark};
use crate::outcome::Outcome;
use crate::section::{self, Section};
use crate::supervise::{Ended, Limits, Sink, supervise};
use crate::workspace::{Workspace, write_private};

mod artifact_stages;
mod checkout;
mod shell;

/// Limit of a job whose payload names none (GitLab Runner: `common/consts.go`).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(7200);

/// Why a job does not go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A command of the script ended with this code.
    Script(i32),
    /// A step of a workflow's job failed.
    Steps {
        /// Which, and why.
        message: String,
        /// Code of its program.
        exit_code: Option<i32>,
    },
    /// Something before or after the script went wrong.
    Failed(FailureReason, String),
    /// The job's time is up.
    TimedOut,
    /// The script's own time is up; what follows the script still runs.
    ScriptTimedOut,
    /// Stopped because of this wish.
    Wished(Control),
}

impl Stop {
    /// The runner, not the script, is at fault.
    pub fn system(message: impl ToString) -> Self {
        Self::Failed(FailureReason::RunnerSystemFailure, message.to_string())
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Script(code) => Outcome::script(*code),
            Self::Steps { exit_code, .. } => Outcome {
                exit_code: *exit_code,
                ..Outcome::failed(FailureReason::ScriptFailure)
            },
            Self::Failed(reason, _) => Outcome::failed(*reason),
            Self::TimedOut | Self::ScriptTimedOut => {
                Outcome::failed(FailureReason::JobExecutionTimeout)
            }
            Self::Wished(_) => Outcome::failed(FailureReason::JobCanceled),
        }
    }

    /// Why, for people, where no step is to blame.
    pub fn reason(&self) -> String {
        match self {
            Self::Script(code) => format!("script exited with code {code}"),
            Self::Failed(_, message) | Self::Steps { message, .. } => message.clone(),
            Self::TimedOut | Self::ScriptTimedOut => {
                "The job has exceeded its maximum execution time.".to_owned()
            }
            Self::Wished(_) => "The operation was canceled.".to_owned(),
        }
    }

    fn describe(&self, timeout: Duration) -> String {
        match self {
            Self::Script(code) => format!("Job failed: exit status {code}"),
            Self::Failed(FailureReason::RunnerSystemFailure, message) => {
                format!("Job failed (system failure): {message}")
            }
            Self::Failed(_, message) | Self::Steps { message, .. } => {
                format!("Job failed: {message}")
            }
            Self::TimedOut => format!("Job failed: execution took longer than {timeout:?}"),
            Self::ScriptTimedOut => {
                "Job failed: the script took longer than RUNNER_SCRIPT_TIMEOUT".to_owned()
            }
            Self::Wished(_) => "Job failed: canceled".to_owned(),
        }
    }
}

/// An attempt under way.
pub(crate) struct Attempt<'a, I> {
    pub executor: &'a Executor,
    pub payload: &'a JobPayload,
    pub io: &'a I,
    pub control: watch::Receiver<Control>,
    pub workspace: Workspace,
    pub variables: Variables,
    pub deadline: Instant,
    /// What all programs share, when they do.
    pub home: Option<Home>,
}

impl<'a, I: AttemptIo> Attempt<'a, I> {
    pub async fn run(
        executor: &'a Executor,
        payload: &'a JobPayload,
        slot: usize,
        io: &'a I,
        control: watch::Receiver<Control>,
    ) -> Outcome {
        match Self::begin(executor, payload, slot, io, control).await {
            Ok(mut attempt) => {
                let ended = attempt.stages().await;
                attempt.finish(ended).await
            }
            Err(outcome) => outcome,
        }
    }

    /// A workspace for the attempt; on failure, what is to be told of it.
    pub async fn begin(
        executor: &'a Executor,
        payload: &'a JobPayload,
        slot: usize,
        io: &'a I,
        control: watch::Receiver<Control>,
    ) -> Result<Self, Outcome> {
        let timeout = timeout(payload);
        let deadline = Instant::now() + timeout;
        let project = match payload.job_info.project_full_path.as_str() {
            "" => &payload.job_info.project_name,
            path => path,
        };
        let builds_dir = &executor.settings.builds_dir;
        let created = Workspace::create(builds_dir, payload.id, project, &executor.spares);
        let workspace = match created {
            Ok(workspace) => workspace,
            Err(error) => {
                let builds = builds_dir.display();
                let stop = Stop::system(format!("cannot make a workspace in {builds}: {error}"));
                io.note(section::error(stop.describe(timeout))).await;
                return Err(stop.outcome());
            }
        };
        let variables = Variables::new(
            &payload.variables,
            owned(executor, slot, timeout, &workspace),
            &workspace.temporary,
        );
        Ok(Attempt {
            executor,
            payload,
            io,
            control,
            workspace,
            variables,
            deadline,
            home: None,
        })
    }

    /// The last line of the log, and the workspace is gone.
    pub async fn finish(mut self, ended: Result<(), Stop>) -> Outcome {
        self.leave_home().await;
        let (verdict, outcome) = match &ended {
            Ok(()) => (section::success("Job succeeded"), Outcome::SUCCESS),
            Err(stop) => {
                let text = stop.describe(timeout(self.payload));
                (section::error(text), stop.outcome())
            }
        };
        self.io.note(verdict).await;
        self.clean_up().await;
        outcome
    }

    async fn stages(&mut self) -> Result<(), Stop> {
        self.prepare().await?;
        self.get_sources().await?;
        self.download_artifacts().await?;
        let script = self.script().await;
        if let Err(stop @ (Stop::TimedOut | Stop::Failed(..) | Stop::Wished(Control::Abort))) =
            script
        {
            return Err(stop);
        }
        let after = self.after_script(&script).await;
        if let Err(stop @ (Stop::TimedOut | Stop::Wished(_))) = after {
            return Err(stop);
        }
        let ended = script.and(after);
        let uploaded = self.upload_artifacts(ended.is_ok()).await;
        ended.and(uploaded)
    }

    /// The header and the files of the variables.
    pub async fn prepare(&mut self) -> Result<(), Stop> {
        let settings = &self.executor.settings;
        let mut header = format!(
            "Running with tappet {}\n  on {} ({}/{})\n",
            settings.version,
            settings.name,
            std::env::consts::OS,
            std::env::consts::ARCH
        );
        self.start(Section::PREPARE, &mut header);
        header.push_str("Using Shell (bash) executor...\n");
        header.push_str(&format!(
            "Isolation: {}\n",
            self.executor.isolation().describe()
        ));
        for note in self.variables.notes() {
            header.push_str(&section::warning(note));
        }
        for key in self.variables.environment(&[]).1 {
            header.push_str(&section::warning(format_args!(
                "variable {key} is left out: longer than 128 KiB; make it a file variable"
            )));
        }
        self.end(Section::PREPARE, &mut header);
        self.io.note(header).await;
        for (path, content) in self.variables.files() {
            write_private(&path, content.as_bytes()).map_err(|error| {
                Stop::system(format!("cannot write {}: {error}", path.display()))
            })?;
        }
        Ok(())
    }

    async fn clean_up(self) {
        let root = self.workspace.root.clone();
        if let Err(error) = self.workspace.wipe(&self.executor.spares).await {
            tracing::warn!(%error, directory = %root.display(), "cannot remove a workspace");
        }
    }

    /// Appends the start of a section.
    pub fn start(&self, section: Section, out: &mut String) {
        section.start(self.payload.features.trace_sections, out);
    }

    /// Appends the end of a section.
    pub fn end(&self, section: Section, out: &mut String) {
        section.end(self.payload.features.trace_sections, out);
    }

    /// Tells the log that a section starts.
    pub async fn open(&self, section: Section) {
        let mut text = String::new();
        self.start(section, &mut text);
        self.io.note(text).await;
    }

    /// Tells the log that a section ends.
    pub async fn close(&self, section: Section) {
        let mut text = String::new();
        self.end(section, &mut text);
        if !text.is_empty() {
            self.io.note(text).await;
        }
    }

    /// Runs a program to its end within `limits`.
    pub async fn run_program<S: Sink>(
        &mut self,
        mut program: Program,
        sink: &mut S,
        limits: Limits,
    ) -> Result<Ended, LaunchError> {
        let builds_dir = &self.executor.settings.builds_dir;
        let attempt = self.payload.id;
        let marked = self.executor.isolation() == Isolation::Mark;
        if marked {
            program
                .env
                .push((OsString::from(mark::NAME), mark::value(builds_dir, attempt)));
        }
        let launcher = &self.executor.launcher;
        let running = match &self.home {
            Some(home) => launcher.start_inside(home, &program, S::OUTPUTS)?,
            None => launcher.start(&program, S::OUTPUTS)?,
        };
        let ended = supervise(running, sink, &mut self.control, limits).await;
        if marked && matches!(ended, Ok(Ended::Exit(Exit::Lost))) {
            // Whoever killed the subreaper has set its children free.
            self.sweep().await;
        }
        ended
    }

    /// Kills what carries the mark of the attempt.
    async fn sweep(&self) {
        let attempt = self.payload.id;
        let builds_dir = self.executor.settings.builds_dir.clone();
        let sweep = move || mark::kill_marked(&builds_dir, Some(attempt));
        if let Ok(Err(error)) = tokio::task::spawn_blocking(sweep).await {
            tracing::warn!(%error, attempt, "cannot make sure that an attempt's processes are gone");
        }
    }

    /// Ends what programs left behind in their home.
    async fn leave_home(&mut self) {
        let Some(home) = self.home.take() else {
            return;
        };
        if !home.is_isolated() {
            self.sweep().await;
        }
        if let Err(error) = home.end().await {
            tracing::warn!(%error, attempt = self.payload.id, "cannot end the processes of an attempt");
        }
    }

    /// Runs a helper of the runner's own; anything but exit code 0 fails the job as a system failure.
    pub async fn run_helper(
        &mut self,
        program: Program,
        what: &str,
        mut sink: impl Sink,
    ) -> Result<(), Stop> {
        let limits = self.limits(self.deadline, Control::CancelGracefully);
        match self
            .run_program(program, &mut sink, limits)
            .await
            .map_err(Stop::system)?
        {
            Ended::Exit(Exit::Code(0)) => Ok(()),
            Ended::Exit(Exit::Code(code)) => Err(Stop::system(format!(
                "{what} ended with exit status {code}"
            ))),
            Ended::Exit(Exit::Lost) => Err(Stop::system(format!(
                "{what} was killed from outside the job"
            ))),
            Ended::TimedOut => Err(Stop::TimedOut),
            Ended::Stopped(wish) => Err(Stop::Wished(wish)),
        }
    }

    pub fn limits(&self, until: Instant, heed: Control) -> Limits {
        Limits {
            until,
            heed,
            interrupt_first: None,
            grace: self.executor.settings.grace,
        }
    }
}

/// The time that the job may take.
fn timeout(payload: &JobPayload) -> Duration {
    match payload.runner_info.timeout {
        0 => DEFAULT_TIMEOUT,
        seconds => Duration::from_secs(seconds.min(10 * 365 * 86_400)),
    }
}

/// The variables that only the runner knows.
fn owned(
    executor: &Executor,
    slot: usize,
    timeout: Duration,
    workspace: &Workspace,
) -> Vec<(&'static str, String)> {
    let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    vec![
        ("CI_BUILDS_DIR", path(&executor.settings.builds_dir)),
        ("CI_PROJECT_DIR", path(&workspace.project)),
        ("CI_CONCURRENT_ID", slot.to_string()),
        ("CI_CONCURRENT_PROJECT_ID", slot.to_string()),
        ("CI_SERVER", "yes".to_owned()),
        ("CI_JOB_STATUS", "running".to_owned()),
        ("CI_JOB_TIMEOUT", timeout.as_secs().to_string()),
        ("CI_SHARED_ENVIRONMENT", "true".to_owned()),
        ("CI_RUNNER_VERSION", executor.settings.version.clone()),
        ("CI_RUNNER_REVISION", executor.settings.version.clone()),
        (
            "CI_RUNNER_EXECUTABLE_ARCH",
            format!("{}/{arch}", std::env::consts::OS),
        ),
        ("RUNNER_TEMP_PROJECT_DIR", path(&workspace.temporary)),
    ]
}
