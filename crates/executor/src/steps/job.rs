//! What the steps of a job share, and its beginning and end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tappet_actions::step::path_file::AddedPath;
use tappet_actions::{Object, Value, scope};
use tappet_model::steps_payload::{StepOutcome, StepsPayload, StepsReport};
use tokio::time::Instant;

use super::environment::{Env, Places, Standing, StepEnvironment};
use super::files::StepFiles;
use super::log::StepLog;
use super::output::Manners;
use crate::attempt::{Attempt, Stop};
use crate::control::Control;
use crate::io::AttemptIo;
use crate::supervise::Limits;
use crate::workspace::write_private;

/// The time for `always()` steps when the job's own is up. The server ends the attempt after
/// a minute.
const AFTER_TIMEOUT: Duration = Duration::from_secs(30);

/// A list of steps under way: those of the job, or of a composite action.
#[derive(Debug)]
pub(super) struct Frame {
    /// The context `steps`: id, outputs, outcome, conclusion.
    steps: Vec<(String, Value)>,
    /// How the steps so far went.
    pub status: StepOutcome,
    /// Why the first of them failed, and the code of its program.
    pub reason: Option<String>,
    pub exit_code: Option<i32>,
    /// What surrounds a composite action; `None` for the job's own steps.
    pub action: Option<ActionFrame>,
}

/// What the steps of a composite action see that others do not.
#[derive(Debug)]
pub(super) struct ActionFrame {
    /// The context `inputs`.
    pub inputs: Value,
    /// `env` of the step that uses the action, on top of the job's.
    pub env: Env,
    /// Where the action lies.
    pub path: PathBuf,
    /// How many actions lie around it.
    pub depth: usize,
    /// When the step that uses it must end.
    pub until: Option<Instant>,
}

impl Frame {
    /// No step has run.
    pub fn new(action: Option<ActionFrame>) -> Self {
        Self {
            steps: Vec::new(),
            status: StepOutcome::Success,
            reason: None,
            exit_code: None,
            action,
        }
    }

    /// Remembers the end of a step under its id.
    pub fn record(
        &mut self,
        id: &str,
        outputs: &[(String, String)],
        outcome: StepOutcome,
        conclusion: StepOutcome,
    ) {
        let mut values = Object::new();
        for (name, value) in outputs {
            values.insert(name.as_str(), value.as_str().into());
        }
        let mut step = Object::new();
        step.insert("outputs", values.into());
        step.insert("outcome", outcome.as_str().into());
        step.insert("conclusion", conclusion.as_str().into());
        self.steps.retain(|(known, _)| known != id);
        self.steps.push((id.to_owned(), step.into()));
    }

    fn context(&self) -> Value {
        let mut steps = Object::new();
        for (id, step) in &self.steps {
            steps.insert(id.as_str(), step.clone());
        }
        steps.into()
    }
}

/// A job with steps under way.
pub(super) struct JobRun<'a, I> {
    pub attempt: Attempt<'a, StepLog<'a, I>>,
    pub log: &'a StepLog<'a, I>,
    pub payload: &'a StepsPayload,
    /// Contexts that never change, by name in lower case.
    given: Vec<(String, Value)>,
    /// `env` of the job, with what steps added.
    pub env: Env,
    /// What steps put before `PATH`.
    pub path: AddedPath,
    pub report: StepsReport,
    /// Summaries so far.
    pub summaries: Vec<String>,
    /// When the job was stopped, and with it the time for the steps that still run.
    stopped: Option<(Stopped, Instant)>,
    /// Files made so far, for their names.
    files: u32,
    pub debug: bool,
}

/// Why only `always()` and `cancelled()` steps still run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stopped {
    Cancelled,
    TimedOut,
}

impl<'a, I: AttemptIo> JobRun<'a, I> {
    pub fn new(
        attempt: Attempt<'a, StepLog<'a, I>>,
        log: &'a StepLog<'a, I>,
        payload: &'a StepsPayload,
    ) -> Self {
        let mut given: BTreeMap<String, Value> = payload
            .contexts
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone().into()))
            .collect();
        for (name, value) in [
            ("matrix", &payload.job.matrix),
            ("strategy", &payload.job.strategy),
        ] {
            given
                .entry(name.to_owned())
                .or_insert_with(|| value.clone().into());
        }
        let wants_debug = |context: &str| {
            let flag = given.get(context).map(|it| it.get("ACTIONS_STEP_DEBUG"));
            flag.is_some_and(|flag| flag.as_str() == Some("true"))
        };
        let debug = wants_debug("secrets") || wants_debug("vars");
        Self {
            attempt,
            log,
            payload,
            given: given.into_iter().collect(),
            env: Env::default(),
            path: AddedPath::default(),
            report: StepsReport::default(),
            summaries: Vec::new(),
            stopped: None,
            files: 0,
            debug,
        }
    }

    /// Everything from the job's `env` to its outputs.
    pub async fn steps(&mut self) -> Result<(), Stop> {
        self.set_up().await?;
        let mut frame = Frame::new(None);
        self.run_all(&mut frame, &self.payload.job.steps).await?;
        let given = self.give_outputs(&frame).await;
        match self.stopped {
            Some((Stopped::Cancelled, _)) => Err(Stop::Wished(Control::CancelGracefully)),
            Some((Stopped::TimedOut, _)) => Err(Stop::TimedOut),
            None if frame.status != StepOutcome::Success => Err(self.failed(&frame)),
            None => given,
        }
    }

    fn failed(&self, frame: &Frame) -> Stop {
        let message = self.report.error_message.clone();
        Stop::Steps {
            message: message.unwrap_or_else(|| "a step failed".to_owned()),
            exit_code: frame.exit_code,
        }
    }

    /// Files that all steps find, and the job's `env`, evaluated once.
    async fn set_up(&mut self) -> Result<(), Stop> {
        // What one step starts in the background is there for the next.
        let home = self.attempt.executor.launcher.home();
        self.attempt.home = Some(home.map_err(Stop::system)?);
        let temporary = &self.attempt.workspace.temporary;
        let event = self.payload.contexts.get("github");
        let event = event.and_then(|github| github.get("event"));
        let folder = temporary.join("_github_workflow");
        let text = event.map_or_else(|| "{}".to_owned(), ToString::to_string);
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::create_dir_all(self.tool_cache()))
            .and_then(|()| write_private(&folder.join("event.json"), text.as_bytes()))
            .map_err(|error| Stop::system(format!("cannot write event.json: {error}")))?;
        for setting in &self.payload.job.env {
            let environment = self.environment(&Frame::new(None), None);
            let value = environment
                .text_in(&setting.value, &scope::JOB_ENV)
                .await
                .map_err(|error| Stop::Steps {
                    message: format!("env {}: {error}", setting.name),
                    exit_code: None,
                })?;
            self.env.set(&setting.name, &value);
        }
        Ok(())
    }

    async fn give_outputs(&mut self, frame: &Frame) -> Result<(), Stop> {
        let environment = self
            .environment(frame, None)
            .with("env", self.env.to_context());
        for output in &self.payload.job.outputs {
            let value = match environment
                .text_in(&output.value, &scope::JOB_OUTPUTS)
                .await
            {
                Ok(value) => value,
                Err(error) => {
                    let message = format!("Fail to evaluate job outputs\n{}: {error}", output.name);
                    self.complain(&message).await;
                    return Err(Stop::Steps {
                        message,
                        exit_code: None,
                    });
                }
            };
            if value.is_empty() {
                continue;
            }
            if self.log.mask(&value) != value {
                let text = format!(
                    "##[warning]Skip output '{}' since it may contain secret.",
                    output.name
                );
                self.log.say(&text).await;
                continue;
            }
            self.report.outputs.push((output.name.clone(), value));
        }
        Ok(())
    }

    /// The attempt, and what is to be told of its steps.
    pub fn into_report(
        mut self,
        ended: &Result<(), Stop>,
    ) -> (Attempt<'a, StepLog<'a, I>>, StepsReport) {
        self.report.summary = self.summaries.join("\n\n");
        self.report.summary_steps = u32::try_from(self.summaries.len()).unwrap_or(u32::MAX);
        if let Err(stop) = ended
            && self.report.error_message.is_none()
        {
            self.report.error_message = Some(stop.reason());
        }
        let message = self.report.error_message.take();
        self.report.error_message = message.map(|text| self.log.mask(&text));
        (self.attempt, self.report)
    }

    /// The files of the next step.
    pub fn next_files(&mut self) -> StepFiles {
        let number = self.next_number();
        StepFiles::new(&self.attempt.workspace.temporary, number)
    }

    /// A number that no other file of the job has.
    pub fn next_number(&mut self) -> u32 {
        self.files += 1;
        self.files
    }

    /// A path in `RUNNER_TEMP` for a script.
    pub fn script_path(&mut self, extension: &str) -> PathBuf {
        let name = format!("step-{}{extension}", self.next_number());
        self.attempt.workspace.temporary.join(name)
    }

    fn tool_cache(&self) -> PathBuf {
        self.attempt.workspace.private_path("tool-cache")
    }

    /// Writes an error as GitHub's log does.
    pub async fn complain(&self, text: &str) {
        self.log.say(&format!("##[error]{text}")).await;
    }

    /// How commands of the running step are obeyed.
    pub fn manners(&self, env: &Env) -> Manners {
        let allowed = env.get("ACTIONS_ALLOW_UNSECURE_COMMANDS");
        Manners {
            debug: self.debug,
            allow_unsecure: allowed.is_some_and(|flag| flag.eq_ignore_ascii_case("true")),
            workspace: self.attempt.workspace.project.clone(),
        }
    }

    /// What expressions see before a step; with `step`, inside of it.
    pub fn environment(&self, frame: &Frame, step: Option<(&str, &StepFiles)>) -> StepEnvironment {
        let workspace = &self.attempt.workspace.project;
        let mut contexts = self.given.clone();
        let mut set = |name: &str, value: Value| {
            contexts.retain(|(known, _)| known != name);
            contexts.push((name.to_owned(), value));
        };
        set("github", self.github(frame, step));
        set("runner", self.runner());
        set("steps", frame.context());
        let status = match self.is_stopped() {
            true => StepOutcome::Cancelled,
            false => frame.status,
        };
        let mut job = Object::new();
        job.insert("status", status.as_str().into());
        set("job", job.into());
        if let Some(action) = &frame.action {
            set("inputs", action.inputs.clone());
        }
        let standing = Standing {
            success: status == StepOutcome::Success,
            failure: status == StepOutcome::Failure,
            cancelled: self.is_stopped(),
        };
        let places = match frame.action {
            Some(_) => Places::ACTION,
            None => Places::JOB,
        };
        StepEnvironment::new(contexts, standing, workspace.clone(), places)
    }

    fn github(&self, frame: &Frame, step: Option<(&str, &StepFiles)>) -> Value {
        let path = |path: &std::path::Path| Value::from(path.to_string_lossy().into_owned());
        let workspace = &self.attempt.workspace;
        let mut github = Object::new();
        let given = self.given.iter().find(|(name, _)| name == "github");
        if let Some((_, Value::Object(given))) = given {
            for (name, value) in given.iter() {
                github.insert(name, value.clone());
            }
        }
        github.insert("workspace", path(&workspace.project));
        let event = workspace.temporary.join("_github_workflow/event.json");
        github.insert("event_path", path(&event));
        if let Some((key, files)) = step {
            github.insert("action", key.into());
            for (property, file) in files.properties() {
                github.insert(property, file.into());
            }
        }
        if let Some(action) = &frame.action {
            github.insert("action_path", path(&action.path));
            github.insert("action_status", frame.status.as_str().into());
        }
        github.into()
    }

    fn runner(&self) -> Value {
        let workspace = &self.attempt.workspace;
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let mut runner = Object::new();
        for (name, value) in [
            ("os", "Linux".to_owned()),
            ("arch", architecture().to_owned()),
            ("name", self.attempt.executor.settings.name.clone()),
            ("environment", "self-hosted".to_owned()),
            ("temp", text(&workspace.temporary)),
            ("tool_cache", text(&self.tool_cache())),
            ("workspace", text(&workspace.root)),
        ] {
            runner.insert(name, value.into());
        }
        if self.debug {
            runner.insert("debug", "1".into());
        }
        runner.into()
    }

    /// Whether only `always()` and `cancelled()` steps still run.
    pub fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// The job was cancelled, or its time is up.
    pub fn stop(&mut self, timed_out: bool) {
        let (stopped, patience) = if timed_out {
            (Stopped::TimedOut, AFTER_TIMEOUT)
        } else {
            let patience = self.attempt.executor.settings.after_script_limit;
            (Stopped::Cancelled, patience)
        };
        self.stopped
            .get_or_insert((stopped, Instant::now() + patience));
    }

    /// Looks for a wish that came between two steps.
    pub fn heed(&mut self) -> Result<(), Stop> {
        let wish = *self.attempt.control.borrow();
        match wish {
            Control::Abort => return Err(Stop::Wished(wish)),
            Control::CancelGracefully => self.stop(false),
            Control::Run => {}
        }
        if Instant::now() >= self.attempt.deadline {
            self.stop(true);
        }
        match self.stopped {
            Some((_, until)) if Instant::now() >= until => Err(self.given_up()),
            _ => Ok(()),
        }
    }

    /// What ends a job whose last steps took too long.
    pub fn given_up(&self) -> Stop {
        match self.stopped {
            Some((Stopped::Cancelled, _)) => Stop::Wished(Control::CancelGracefully),
            _ => Stop::TimedOut,
        }
    }

    /// When a program of a step must stop: INT, then TERM, then KILL.
    /// (GitHub runner: `ProcessInvoker`, 7.5 s and 2.5 s.)
    pub fn step_limits(&self, own: Option<Instant>) -> Limits {
        let grace = self.attempt.executor.settings.grace;
        let (mut until, heed) = match self.stopped {
            Some((_, until)) => (until, Control::Abort),
            None => (self.attempt.deadline, Control::CancelGracefully),
        };
        if let Some(own) = own {
            until = until.min(own);
        }
        Limits {
            until,
            heed,
            interrupt_first: Some(grace * 3 / 4),
            grace: grace / 4,
        }
    }

    /// When all steps must have ended.
    pub fn last_moment(&self) -> Instant {
        match self.stopped {
            Some((_, until)) => until,
            None => self.attempt.deadline,
        }
    }
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "X64",
        "x86" => "X86",
        "aarch64" => "ARM64",
        "arm" => "ARM",
        other => other,
    }
}
