//! A `run` step: its script in a shell.
//!
//! GitHub runner: `ScriptHandler`.

use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use tappet_actions::step::process_environment;
use tappet_actions::step::shell::Invocation;
use tappet_actions::{Environment, Value};
use tappet_model::DIFFS_VARIABLE;
use tokio::time::Instant;

use super::environment::Env;
use super::job::JobRun;
use super::output::StepOutput;
use super::step::{Done, Running};
use crate::attempt::Stop;
use crate::control::Control;
use crate::io::AttemptIo;
use crate::launcher::{Exit, LaunchError, Program};
use crate::supervise::Ended;
use crate::workspace::write_private;

impl<I: AttemptIo> JobRun<'_, I> {
    /// Runs `script` to its end.
    pub async fn script(
        &mut self,
        running: &Running<'_>,
        script: &str,
        shell: Option<&str>,
        working_directory: Option<&str>,
    ) -> Result<Done, Stop> {
        let prepared = self
            .prepare(running, script, shell, working_directory)
            .await;
        let (program, heading) = match prepared {
            Ok(prepared) => prepared,
            Err(reason) => {
                self.complain(&reason).await;
                return Ok(Done::failure(reason));
            }
        };
        self.log.say(&heading).await;
        let mut output = StepOutput::new(self.log, self.manners(&running.env));
        let limits = self.step_limits(running.until);
        let ended = self.attempt.run_program(program, &mut output, limits).await;
        output.finish().await;
        let wishes = output.wishes;
        for (name, value) in &wishes.env {
            self.env.set(name, value);
        }
        for folder in &wishes.paths {
            self.path.add(folder);
        }
        let mut done = self.judge_end(running, ended).await?;
        done.outputs = wishes.outputs;
        if wishes.failed && done.reason.is_none() {
            done = Done {
                outputs: done.outputs,
                ..Done::failure("a workflow command could not be processed")
            };
        }
        Ok(done)
    }

    async fn judge_end(
        &mut self,
        running: &Running<'_>,
        ended: Result<Ended, LaunchError>,
    ) -> Result<Done, Stop> {
        let done = match ended {
            Ok(Ended::Exit(Exit::Code(0))) => return Ok(Done::SUCCESS),
            Ok(Ended::Exit(Exit::Code(code))) => {
                self.complain(&format!("Process completed with exit code {code}."))
                    .await;
                return Ok(Done {
                    exit_code: Some(code),
                    ..Done::failure(format!("script exited with code {code}"))
                });
            }
            Ok(Ended::Exit(Exit::Lost)) => {
                return Err(Stop::system("the job was killed from outside"));
            }
            Ok(Ended::Stopped(Control::Abort)) => return Err(Stop::Wished(Control::Abort)),
            Ok(Ended::Stopped(_)) => {
                self.stop(false);
                Done::cancelled()
            }
            Ok(Ended::TimedOut) if Instant::now() >= self.last_moment() => {
                if self.is_stopped() {
                    return Err(self.given_up());
                }
                self.stop(true);
                Done::cancelled()
            }
            Ok(Ended::TimedOut) => {
                let told = running.limit.map(|limit| limit.exceeded(&running.name));
                Done::failure(told.unwrap_or_else(|| "The operation was canceled.".to_owned()))
            }
            Err(error @ LaunchError::Resources { .. }) => return Err(Stop::system(error)),
            Err(error) => Done::failure(error.to_string()),
        };
        if let Some(reason) = &done.reason {
            self.complain(reason).await;
        }
        Ok(done)
    }

    /// The program, and the lines that head its output.
    async fn prepare(
        &mut self,
        running: &Running<'_>,
        script: &str,
        shell: Option<&str>,
        working_directory: Option<&str>,
    ) -> Result<(Program, String), String> {
        let environment = &running.environment;
        let text = async |text: Option<&str>| match text {
            Some(text) => environment.text(text).await.map(Some),
            None => Ok(None),
        };
        let invalid = |error| format!("The template is not valid. {error}");
        let script = environment.text(script).await.map_err(invalid)?;
        let shell = text(shell).await.map_err(invalid)?;
        let folder = text(working_directory).await.map_err(invalid)?;
        let invocation = Invocation::of(shell.as_deref())?;
        let env = self.process_env(running);
        let path = env.get("PATH").unwrap_or_default();
        let program = invocation
            .programs
            .iter()
            .find_map(|name| find(name, path))
            .ok_or_else(|| {
                let name = invocation.programs.last().map_or("", String::as_str);
                format!("{name}: command not found. Make sure '{name}' is installed and its location included in the 'PATH' environment variable.")
            })?;
        let workspace = &self.attempt.workspace.project;
        let dir = workspace.join(folder.unwrap_or_default());
        if !dir.is_dir() {
            return Err(format!(
                "An error occurred trying to start process '{}' with working directory '{}'. No such file or directory",
                program.display(),
                dir.display()
            ));
        }
        let file = self.script_path(invocation.extension);
        write_private(&file, invocation.script(&script).as_bytes())
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        let mut heading = format!("##[group]{}\n", group_title(&script));
        for line in script.trim_end().lines() {
            let _ = writeln!(heading, "\u{1b}[36;1m{line}\u{1b}[0m");
        }
        let _ = writeln!(
            heading,
            "shell: {} {}",
            program.display(),
            invocation.arguments
        );
        heading.push_str(&env_lines(&running.env));
        heading.push_str("##[endgroup]");
        let program = Program {
            path: program,
            args: invocation
                .arguments_for(&file.to_string_lossy())
                .into_iter()
                .map(OsString::from)
                .collect(),
            env: env
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            dir,
        };
        Ok((program, heading))
    }

    /// Everything that the processes of a step find in their environment.
    pub fn process_env(&self, running: &Running<'_>) -> Env {
        let mut env = Env::default();
        for (name, value) in &self.attempt.executor.base_environment {
            env.set(&name.to_string_lossy(), &value.to_string_lossy());
        }
        env.set("HOME", &self.attempt.workspace.home.to_string_lossy());
        env.set("DEPOT_TOKEN", &self.attempt.payload.token);
        if let Some(serde_json::Value::Object(depot)) = self.payload.contexts.get("depot") {
            for (name, value) in depot {
                let name = format!("DEPOT_{}", name.to_ascii_uppercase());
                env.set(&name, value.as_str().unwrap_or_default());
            }
        }
        let diffs = self.attempt.variables.get(DIFFS_VARIABLE);
        if !diffs.is_empty() {
            env.set(DIFFS_VARIABLE, &diffs);
        }
        env.set("CI", "true");
        let mut env = env.with(&running.env);
        let path = self.path.before(env.get("PATH").unwrap_or_default());
        env.set("PATH", &path);
        env.set("GITHUB_ACTIONS", "true");
        let context = |name: &str| running.environment.context(name).unwrap_or(Value::Null);
        for (name, value) in process_environment::of_github(&context("github")) {
            env.set(&name, &value);
        }
        for (name, value) in process_environment::of_runner(&context("runner")) {
            env.set(&name, &value);
        }
        env
    }
}

fn group_title(script: &str) -> String {
    tappet_actions::step::default_name::of_script(script)
}

/// `env` as it heads the output of a step.
pub(super) fn env_lines(env: &Env) -> String {
    let mut lines = String::new();
    for (index, (name, value)) in env.iter().enumerate() {
        if index == 0 {
            lines.push_str("env:\n");
        }
        let _ = writeln!(lines, "  {name}: {value}");
    }
    lines
}

/// The program that a name means.
fn find(name: &str, path: &str) -> Option<PathBuf> {
    if name.contains('/') {
        let path = Path::new(name);
        return (path.is_absolute() && path.is_file()).then(|| path.to_owned());
    }
    path.split(':')
        .map(|folder| Path::new(folder).join(name))
        .find(|candidate| candidate.is_absolute() && is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
