//! `uses`: the actions that the runner does itself, and what they share.

use std::fmt::Write;
use std::future::Future;
use std::path::PathBuf;

use tappet_actions::step::action_inputs::{self, ActionInputs, Known};
use tappet_actions::step::default_name;
use tappet_actions::{Environment, Value};
use tappet_model::workflow_job::{Setting, UsedAction};
use tokio::time::Instant;

use super::environment::Env;
use super::job::{Frame, JobRun};
use super::script::env_lines;
use super::step::{Done, Running};
use crate::attempt::Stop;
use crate::io::AttemptIo;
use crate::launcher::{Exit, Program};
use crate::supervise::{Ended, Keep, wish};

/// Why an action did not do what it should.
#[derive(Debug)]
pub(super) enum Fault {
    /// Its step fails for this reason.
    Failed(String),
    /// The job was stopped meanwhile, or its time is up.
    Stopped {
        /// The time is up.
        timed_out: bool,
    },
    /// The job ends here.
    Ends(Stop),
}

impl Fault {
    /// The step fails because of something.
    pub fn of(reason: impl ToString) -> Self {
        Self::Failed(reason.to_string())
    }
}

/// Outputs, or why there are none.
pub(super) type Acted = Result<Vec<(String, String)>, Fault>;

impl<I: AttemptIo> JobRun<'_, I> {
    /// Does what `uses` names.
    pub async fn uses(
        &mut self,
        frame: &Frame,
        running: &Running<'_>,
        action: &UsedAction,
        with: &[Setting],
    ) -> Result<Done, Stop> {
        let given = match running.environment.settings(with).await {
            Ok(given) => given,
            Err(error) => {
                let reason = format!("The template is not valid. with: {error}");
                self.complain(&reason).await;
                return Ok(Done::failure(reason));
            }
        };
        let acted = match action {
            UsedAction::Local(path) => return self.composite(frame, running, path, &given).await,
            UsedAction::Checkout => self.checkout(running, &given).await,
            UsedAction::UploadArtifact => self.upload_artifact(running, &given).await,
            UsedAction::DownloadArtifact => self.download_artifact(running, &given).await,
        };
        self.done(running, acted).await
    }

    /// The end of an action that the runner did itself.
    pub async fn done(&mut self, running: &Running<'_>, acted: Acted) -> Result<Done, Stop> {
        let done = match acted {
            Ok(outputs) => {
                return Ok(Done {
                    outputs,
                    ..Done::SUCCESS
                });
            }
            Err(Fault::Failed(reason)) => Done::failure(reason),
            Err(Fault::Stopped { timed_out }) if Instant::now() < self.last_moment() => {
                match running.limit {
                    Some(limit) if timed_out => Done::failure(limit.exceeded(&running.name)),
                    _ => {
                        self.stop(false);
                        Done::cancelled()
                    }
                }
            }
            Err(Fault::Stopped { .. }) if self.is_stopped() => return Err(self.given_up()),
            Err(Fault::Stopped { .. }) => {
                self.stop(true);
                Done::cancelled()
            }
            Err(Fault::Ends(stop)) => return Err(stop),
        };
        if let Some(reason) = &done.reason {
            self.complain(reason).await;
        }
        Ok(done)
    }

    /// Heads the output of an action, and reads its inputs.
    pub async fn inputs(
        &self,
        running: &Running<'_>,
        action: &UsedAction,
        given: &Env,
        known: &[Known<'_>],
    ) -> ActionInputs {
        let names: Vec<&str> = known.iter().map(|known| known.name).collect();
        if let Some(warning) = action_inputs::unexpected(given.iter().map(|(name, _)| name), &names)
        {
            self.log.say(&format!("##[warning]{warning}")).await;
        }
        let inputs = ActionInputs::new(given.iter(), known);
        self.head(running, default_name::reference(action), &inputs)
            .await;
        inputs
    }

    /// What GitHub's log shows before the output of an action.
    pub async fn head(&self, running: &Running<'_>, reference: &str, inputs: &ActionInputs) {
        let mut text = format!("##[group]Run {reference}\n");
        let mut shown = inputs.iter().filter(|(_, value)| !value.is_empty());
        if let Some(first) = shown.next() {
            text.push_str("with:\n");
            for (name, value) in std::iter::once(first).chain(shown) {
                let _ = writeln!(text, "  {name}: {value}");
            }
        }
        text.push_str(&env_lines(&running.env));
        text.push_str("##[endgroup]");
        self.log.say(&text).await;
    }

    /// A text of the context `github`.
    pub fn github_text(&self, running: &Running<'_>, name: &str) -> String {
        let github = running.environment.context("github").unwrap_or(Value::Null);
        github.get(name).to_text().to_string()
    }

    /// Waits for a transfer as long as the step may run.
    pub async fn within<T>(
        &mut self,
        running: &Running<'_>,
        transfer: impl Future<Output = T>,
    ) -> Result<T, Fault> {
        let limits = self.step_limits(running.until);
        tokio::select! {
            biased;
            result = transfer => Ok(result),
            wish = wish(&mut self.attempt.control, limits.heed) => Err(stopped_by(wish)),
            () = tokio::time::sleep_until(limits.until) => Err(Fault::Stopped { timed_out: true }),
        }
    }

    /// Runs a program of the runner's own; its output is part of the reason when it fails.
    pub async fn helper(
        &mut self,
        running: &Running<'_>,
        program: Program,
        what: &str,
    ) -> Result<Vec<u8>, Fault> {
        let mut output = Vec::new();
        let limits = self.step_limits(running.until);
        let ended = self
            .attempt
            .run_program(program, &mut Keep(&mut output), limits)
            .await
            .map_err(|error| Fault::Failed(format!("{what}: {error}")))?;
        match ended {
            Ended::Exit(Exit::Code(0)) => Ok(output),
            Ended::Exit(Exit::Code(code)) => {
                let text = String::from_utf8_lossy(&output);
                Err(Fault::Failed(format!(
                    "{what} failed with exit code {code}: {}",
                    text.trim()
                )))
            }
            Ended::Exit(Exit::Lost) => Err(Fault::Ends(Stop::system(format!(
                "{what} was killed from outside the job"
            )))),
            Ended::TimedOut => Err(Fault::Stopped { timed_out: true }),
            Ended::Stopped(wish) => Err(stopped_by(wish)),
        }
    }

    /// A path for a file of the runner beside the workspace.
    pub fn private_file(&mut self, name: &str) -> PathBuf {
        let number = self.next_number();
        self.attempt
            .workspace
            .private_path(&format!("{name}-{number}"))
    }
}

fn stopped_by(wish: crate::control::Control) -> Fault {
    match wish {
        crate::control::Control::Abort => Fault::Ends(Stop::Wished(wish)),
        _ => Fault::Stopped { timed_out: false },
    }
}
