//! The two stages that run the job's own commands.

use std::ffi::OsString;
use std::time::Duration;

use tokio::time::Instant;

use super::{Attempt, Stop};
use crate::control::Control;
use crate::io::AttemptIo;
use crate::launcher::{Exit, Program};
use crate::script;
use crate::section::{self, Section};
use crate::supervise::{Ended, ToLog};
use crate::workspace::write_private;

impl<I: AttemptIo> Attempt<'_, I> {
    /// `before_script` and `script`, joined by the server.
    pub async fn script(&mut self) -> Result<(), Stop> {
        let payload = self.payload;
        let items: Vec<String> = payload
            .steps
            .iter()
            .filter(|step| step.name != "after_script")
            .flat_map(|step| step.script.iter().cloned())
            .collect();
        if items.is_empty() {
            return Ok(());
        }
        let own_limit = parse_duration(&self.variables.get("RUNNER_SCRIPT_TIMEOUT"));
        let until = own_limit.map_or(self.deadline, |limit| {
            self.deadline.min(Instant::now() + limit)
        });
        self.open(Section::SCRIPT).await;
        let ended = self
            .shell("script", None, &items, until, Control::CancelGracefully)
            .await?;
        self.close(Section::SCRIPT).await;
        match ended {
            Ended::Exit(Exit::Code(0)) => Ok(()),
            Ended::Exit(Exit::Code(code)) => Err(Stop::Script(code)),
            Ended::Exit(Exit::Lost) => Err(Stop::system("the job was killed from outside")),
            Ended::TimedOut if Instant::now() < self.deadline => Err(Stop::ScriptTimedOut),
            Ended::TimedOut => Err(Stop::TimedOut),
            Ended::Stopped(wish) => Err(Stop::Wished(wish)),
        }
    }

    /// `after_script`, in a shell of its own. Its failure is only a warning.
    pub async fn after_script(&mut self, script: &Result<(), Stop>) -> Result<(), Stop> {
        let payload = self.payload;
        let Some(step) = payload
            .steps
            .iter()
            .find(|step| step.name == "after_script")
        else {
            return Ok(());
        };
        if step.script.is_empty() {
            return Ok(());
        }
        self.variables.set_owned(
            "CI_JOB_STATUS",
            match script {
                Ok(()) => "success",
                Err(Stop::Wished(_)) => "canceled",
                Err(_) => "failed",
            },
        );
        let limit = parse_duration(&self.variables.get("RUNNER_AFTER_SCRIPT_TIMEOUT"))
            .unwrap_or(self.executor.settings.after_script_limit);
        let until = self.deadline.min(Instant::now() + limit);
        self.open(Section::AFTER_SCRIPT).await;
        let ended = self
            .shell(
                "after_script",
                Some("Running after script..."),
                &step.script,
                until,
                Control::Abort,
            )
            .await?;
        let warning = match ended {
            Ended::Exit(Exit::Code(0)) => None,
            Ended::Exit(Exit::Code(code)) => {
                if script.is_ok() && !self.variables.flag("AFTER_SCRIPT_IGNORE_ERRORS", true) {
                    self.close(Section::AFTER_SCRIPT).await;
                    return Err(Stop::Script(code));
                }
                Some(format!(
                    "after_script failed, but job will continue unaffected: exit status {code}"
                ))
            }
            Ended::Exit(Exit::Lost) => Some("after_script was killed from outside".to_owned()),
            Ended::TimedOut if Instant::now() >= self.deadline => return Err(Stop::TimedOut),
            Ended::TimedOut => Some(format!(
                "after_script took longer than {limit:?} and was stopped"
            )),
            Ended::Stopped(wish) => return Err(Stop::Wished(wish)),
        };
        if let Some(warning) = warning {
            self.io.note(section::warning(warning)).await;
        }
        self.close(Section::AFTER_SCRIPT).await;
        Ok(())
    }

    async fn shell(
        &mut self,
        name: &str,
        notice: Option<&str>,
        items: &[String],
        until: Instant,
        heed: Control,
    ) -> Result<Ended, Stop> {
        let path = self.workspace.script_path(name);
        let is_traced = self.variables.flag("CI_DEBUG_TRACE", false);
        write_private(&path, &script::generate(notice, is_traced, items))
            .map_err(|error| Stop::system(format!("cannot write {}: {error}", path.display())))?;
        let mut base = self.executor.base_environment.clone();
        base.push(("HOME".into(), self.workspace.home.clone().into_os_string()));
        let program = Program {
            path: self.executor.settings.bash.clone(),
            args: ["--norc", "--noprofile", name]
                .iter()
                .map(OsString::from)
                .collect(),
            env: self.variables.environment(&base).0,
            dir: self.workspace.root.clone(),
        };
        let limits = self.limits(until, heed);
        self.run_program(program, &mut ToLog(self.io), limits)
            .await
            .map_err(Stop::system)
    }
}

/// A Go duration such as `90s`, `1h30m` or `1.5m`; `None` for anything else and for zero.
fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |width| digits + width);
        total += number
            * match &rest[digits..unit_end] {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    (total > 0.0 && total < 1e9).then(|| Duration::from_secs_f64(total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("90s", Some(90_000))]
    #[case("1h30m", Some(5_400_000))]
    #[case("1.5m", Some(90_000))]
    #[case("250ms", Some(250))]
    #[case("0s", None)]
    #[case("", None)]
    #[case("5", None)]
    #[case("5 minutes", None)]
    fn durations_are_written_as_in_go(#[case] text: &str, #[case] millis: Option<u64>) {
        assert_eq!(parse_duration(text), millis.map(Duration::from_millis));
    }
}
