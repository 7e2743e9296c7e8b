//! The way of one step: its `env` and condition, what it does, what it leaves.
//!
//! GitHub runner: `StepsRunner`, `ActionRunner`.

use std::time::Duration;

use tappet_actions::step::default_name;
use tappet_model::steps_payload::{StepOutcome, StepResult};
use tappet_model::workflow_job::{StepAction, WorkflowStep};
use tokio::time::Instant;

use super::environment::{Env, StepEnvironment};
use super::files::{StepFiles, Told};
use super::job::{Frame, JobRun};
use crate::attempt::Stop;
use crate::io::AttemptIo;

/// A step that runs.
pub(super) struct Running<'s> {
    pub step: &'s WorkflowStep,
    /// For people.
    pub name: String,
    /// `env` of job, surrounding action and step.
    pub env: Env,
    /// The part of it that does not come from the job.
    pub overlay: Env,
    /// What its expressions see.
    pub environment: StepEnvironment,
    pub files: StepFiles,
    /// `timeout-minutes`.
    pub limit: Option<Limit>,
    /// When it must end, because of its own limit or one around it.
    pub until: Option<Instant>,
}

/// The time that a step gives itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// As written.
    pub minutes: f64,
    /// The same.
    pub duration: Duration,
}

impl Limit {
    /// What is said when the step did not end in time.
    pub fn exceeded(&self, name: &str) -> String {
        format!(
            "The action '{name}' has timed out after {} minutes.",
            self.minutes
        )
    }
}

/// What a step led to.
#[derive(Debug)]
pub(super) struct Done {
    pub outcome: StepOutcome,
    /// Outputs in the order in which they were set.
    pub outputs: Vec<(String, String)>,
    /// Why it failed.
    pub reason: Option<String>,
    /// Code of its program.
    pub exit_code: Option<i32>,
}

impl Done {
    pub const SUCCESS: Self = Self {
        outcome: StepOutcome::Success,
        outputs: Vec::new(),
        reason: None,
        exit_code: None,
    };

    /// It failed for `reason`.
    pub fn failure(reason: impl Into<String>) -> Self {
        Self {
            outcome: StepOutcome::Failure,
            reason: Some(reason.into()),
            ..Self::SUCCESS
        }
    }

    /// The job was stopped while it ran.
    pub fn cancelled() -> Self {
        Self {
            outcome: StepOutcome::Cancelled,
            reason: Some("The operation was canceled.".to_owned()),
            ..Self::SUCCESS
        }
    }
}

/// What is decided before a step begins.
enum Judged {
    Runs,
    Skipped,
    Fails(String),
}

impl<'a, I: AttemptIo> JobRun<'a, I> {
    /// Walks through all steps of a list.
    pub async fn run_all(&mut self, frame: &mut Frame, steps: &[WorkflowStep]) -> Result<(), Stop> {
        for (index, step) in steps.iter().enumerate() {
            self.heed()?;
            self.run_one(frame, index + 1, step).await?;
        }
        Ok(())
    }

    async fn run_one(
        &mut self,
        frame: &mut Frame,
        number: usize,
        step: &WorkflowStep,
    ) -> Result<(), Stop> {
        let is_of_job = frame.action.is_none();
        let files = self.next_files();
        let (mut running, judged) = self.judge(frame, step, files).await;
        if is_of_job && !matches!(judged, Judged::Skipped) {
            self.log.open_section(&step.key, &running.name).await;
        }
        let done = match judged {
            Judged::Skipped => Done {
                outcome: StepOutcome::Skipped,
                ..Done::SUCCESS
            },
            Judged::Fails(reason) => {
                self.complain(&reason).await;
                Done::failure(reason)
            }
            Judged::Runs => self.run_and_read(frame, &mut running).await?,
        };
        let conclusion = self.conclusion(&running, done.outcome).await;
        if is_of_job && done.outcome != StepOutcome::Skipped {
            self.log.close_section(&step.key).await;
        }
        if let Some(id) = &step.id {
            frame.record(id, &done.outputs, done.outcome, conclusion);
        }
        if matches!(conclusion, StepOutcome::Failure | StepOutcome::Cancelled) {
            if frame.status == StepOutcome::Success {
                self.remember_failure(frame, number, &running.name, &done);
            }
            if frame.status != StepOutcome::Cancelled {
                frame.status = conclusion;
            }
        }
        if is_of_job {
            self.report.steps.push(StepResult {
                key: step.key.clone(),
                id: step.id.clone(),
                name: self.log.mask(&running.name),
                outcome: done.outcome,
                conclusion,
            });
        }
        Ok(())
    }

    fn remember_failure(&mut self, frame: &mut Frame, number: usize, name: &str, done: &Done) {
        frame.exit_code = done.exit_code;
        frame.reason.clone_from(&done.reason);
        if frame.action.is_none() {
            let reason = done.reason.as_deref().unwrap_or("it failed");
            self.report.error_message = Some(format!("Step {number} ({name}): {reason}"));
        }
    }

    /// Evaluates `env`, condition and name.
    async fn judge<'s>(
        &self,
        frame: &Frame,
        step: &'s WorkflowStep,
        files: StepFiles,
    ) -> (Running<'s>, Judged) {
        let around = frame.action.as_ref();
        let overlay = around.map_or_else(Env::default, |action| action.env.clone());
        let outer = self.env.with(&overlay);
        let environment = self
            .environment(frame, Some((&step.key, &files)))
            .with("env", outer.to_context());
        let mut running = Running {
            step,
            name: String::new(),
            env: outer,
            overlay,
            environment,
            files,
            limit: None,
            until: around.and_then(|action| action.until),
        };
        let judged = match running.environment.settings(&step.env).await {
            Ok(own) => {
                running.env = running.env.with(&own);
                running.overlay = running.overlay.with(&own);
                let context = running.env.to_context();
                running.environment = running.environment.clone().with("env", context);
                match running.environment.holds(step.condition.as_deref()).await {
                    Ok(true) => match limit(&running).await {
                        Ok(limit) => {
                            let own = limit.map(|limit| Instant::now() + limit.duration);
                            running.until = running.until.into_iter().chain(own).min();
                            running.limit = limit;
                            Judged::Runs
                        }
                        Err(reason) => Judged::Fails(reason),
                    },
                    Ok(false) => Judged::Skipped,
                    Err(error) => Judged::Fails(format!(
                        "The template is not valid. if (Line: {}): {error}",
                        step.line
                    )),
                }
            }
            Err(error) => Judged::Fails(format!(
                "The template is not valid. env (Line: {}): {error}",
                step.line
            )),
        };
        running.name = name(&running).await;
        (running, judged)
    }

    /// Does what the step says, then what it asked for through its files.
    async fn run_and_read(
        &mut self,
        frame: &Frame,
        running: &mut Running<'_>,
    ) -> Result<Done, Stop> {
        running
            .files
            .create()
            .map_err(|error| Stop::system(format!("cannot make the files of a step: {error}")))?;
        let mut done = self.act(frame, running).await?;
        let told = running.files.take();
        for error in &told.errors {
            self.complain(error).await;
        }
        if told.failed && done.outcome == StepOutcome::Success {
            done.outcome = StepOutcome::Failure;
            done.reason = Some(told.errors.join(" "));
        }
        self.apply(told, &mut done);
        Ok(done)
    }

    async fn act(&mut self, frame: &Frame, running: &Running<'_>) -> Result<Done, Stop> {
        let step = running.step;
        match &step.action {
            StepAction::Run {
                script,
                shell,
                working_directory,
            } => {
                self.script(
                    running,
                    script,
                    shell.as_deref(),
                    working_directory.as_deref(),
                )
                .await
            }
            StepAction::Uses { action, with } => self.uses(frame, running, action, with).await,
            StepAction::ApplyPatch { cache_key } => {
                let acted = self.apply_patch(running, cache_key).await;
                self.done(running, acted).await
            }
        }
    }

    fn apply(&mut self, told: Told, done: &mut Done) {
        for (name, value) in &told.env {
            self.env.set(name, value);
        }
        for folder in &told.paths {
            self.path.add(folder);
        }
        done.outputs.extend(told.outputs);
        if !told.summary.trim().is_empty() {
            self.summaries.push(self.log.mask(&told.summary));
        }
    }

    /// The outcome after `continue-on-error`, which is looked at only when it matters.
    async fn conclusion(&self, running: &Running<'_>, outcome: StepOutcome) -> StepOutcome {
        let Some(text) = &running.step.continue_on_error else {
            return outcome;
        };
        if outcome != StepOutcome::Failure {
            return outcome;
        }
        match running.environment.flag(text).await {
            Ok(true) => StepOutcome::Success,
            Ok(false) => outcome,
            Err(error) => {
                self.complain("The step failed and an error occurred when attempting to determine whether to continue on error.").await;
                self.complain(&error.to_string()).await;
                outcome
            }
        }
    }
}

async fn limit(running: &Running<'_>) -> Result<Option<Limit>, String> {
    let Some(text) = &running.step.timeout_minutes else {
        return Ok(None);
    };
    let wrong = |error: String| {
        format!("An error occurred when attempting to determine the step timeout. {error}")
    };
    let minutes = running
        .environment
        .number(text)
        .await
        .map_err(|error| wrong(error.to_string()))?;
    // GitHub runner: zero and less mean no limit.
    let duration = Duration::try_from_secs_f64(minutes * 60.0).unwrap_or_default();
    Ok((duration > Duration::ZERO).then_some(Limit { minutes, duration }))
}

/// The name for people. One that cannot be evaluated yet stays as written.
async fn name(running: &Running<'_>) -> String {
    let step = running.step;
    let written = match (&step.name, &step.action) {
        (Some(name), _) => name.clone(),
        (None, StepAction::Run { script, .. }) => {
            let script = running.environment.text(script).await;
            return match script {
                Ok(script) => default_name::of_script(&script),
                Err(_) => default_name::of(&step.action),
            };
        }
        (None, action) => default_name::of(action),
    };
    running.environment.text(&written).await.unwrap_or(written)
}
