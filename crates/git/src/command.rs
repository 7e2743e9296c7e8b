//! Running one git command to its end, within a time limit.
//!
//! A command that is too slow, or whose caller has gone, loses its whole process
//! group, so that `git-remote-https` or `ssh` do not stay behind.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, setpriority_pgrp};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// The most output kept of one command, in bytes.
pub(crate) const MAX_OUTPUT: u64 = 64 << 20;
/// The most error text kept.
const MAX_ERRORS: u64 = 64 << 10;
/// As `nice` counts it.
const LOWEST_PRIORITY: i32 = 19;

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Finished {
    /// The first complaint on stderr, else the exit status.
    pub fn complaint(&self) -> String {
        let text = complaint(&self.stderr);
        if text.is_empty() {
            format!("git ended with {}", self.status)
        } else {
            text
        }
    }
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("git did not finish within {0:?}")]
    Timeout(Duration),
    #[error("git could not be run: {0}")]
    Io(#[from] io::Error),
}

/// Runs `command` and collects its output.
pub(crate) async fn run(command: Command, limit: Duration) -> Result<Finished, RunError> {
    let (child, group) = start(command)?;
    finish(child, group, limit).await
}

/// [`run`] for work that nobody waits for: processor and disk serve others first.
pub(crate) async fn run_behind_others(
    command: Command,
    limit: Duration,
) -> Result<Finished, RunError> {
    let (child, group) = start(command)?;
    group.yield_to_others();
    finish(child, group, limit).await
}

fn start(mut command: Command) -> io::Result<(Child, Group)> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn()?;
    let group = Group::of(&child);
    Ok((child, group))
}

async fn finish(mut child: Child, group: Group, limit: Duration) -> Result<Finished, RunError> {
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let work = async {
        let (stdout, stderr) = tokio::try_join!(
            read_at_most(stdout, MAX_OUTPUT),
            read_at_most(stderr, MAX_ERRORS)
        )?;
        let status = child.wait().await?;
        io::Result::Ok(Finished {
            status,
            stdout,
            stderr,
        })
    };
    let outcome = tokio::time::timeout(limit, work).await;
    match outcome {
        Ok(finished) => {
            group.disarm();
            Ok(finished?)
        }
        Err(_) => {
            drop(group);
            child.wait().await?;
            Err(RunError::Timeout(limit))
        }
    }
}

async fn read_at_most(from: Option<impl AsyncRead + Unpin>, most: u64) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    if let Some(mut from) = from {
        (&mut from).take(most).read_to_end(&mut kept).await?;
        tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    }
    Ok(kept)
}

/// The process group of a running child; killed on drop unless disarmed.
pub(crate) struct Group(Option<Pid>);

impl Group {
    /// The group that `child`, started with `process_group(0)`, leads.
    pub fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    /// Takes the lowest priority, which on Linux is that of the disk as well.
    fn yield_to_others(&self) {
        // `None` would name our own group.
        if self.0.is_some() {
            // It may have ended by itself; nothing else keeps us from lowering it.
            let _ = setpriority_pgrp(self.0, LOWEST_PRIORITY);
        }
    }

    /// Leaves the group alone: its leader was waited for.
    pub fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0.take() {
            // The group may be gone already; there is nobody to tell.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// The first `fatal:` or `error:` line of git's stderr without that word, else its
/// first line; at most 300 characters, without control characters.
pub(crate) fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let strip = |line: &str| {
        ["fatal: ", "error: ", "remote: "]
            .iter()
            .find_map(|word| line.strip_prefix(word).map(str::to_owned))
    };
    let line = text
        .lines()
        .find_map(strip)
        .or_else(|| text.lines().next().map(str::to_owned))
        .unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_complaint_is_the_first_that_matters() {
        let text = b"warning: odd\nfatal: bad config line 1 in file /x\nerror: more";
        assert_eq!(complaint(text), "bad config line 1 in file /x");
        assert_eq!(complaint(b"something\nelse"), "something");
        assert_eq!(complaint(b""), "");
    }

    #[tokio::test]
    async fn what_nobody_waits_for_has_the_lowest_priority() {
        let mut command = Command::new("sh");
        // The 19th field; the name before has no space.
        command.args(["-c", "read _ && cut -d ' ' -f 19 /proc/self/stat"]);
        command.process_group(0).stdin(Stdio::piped());
        let (mut child, group) = start(command).unwrap();
        group.yield_to_others();
        let mut stdin = child.stdin.take().unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stdin, b"go\n")
            .await
            .unwrap();
        let finished = finish(child, group, Duration::from_secs(60)).await.unwrap();
        assert_eq!(String::from_utf8(finished.stdout).unwrap(), "19\n");
    }

    #[tokio::test]
    async fn a_slow_command_and_its_children_are_killed() {
        let (held, ours) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "exec 3<&0; sleep 600 & wait"]);
        command.process_group(0);
        command.stdin(std::os::fd::OwnedFd::from(held));
        let error = run(command, Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(error, RunError::Timeout(_)), "{error}");
        // The end comes when nobody holds the other side any more.
        ours.set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let read = std::io::Read::read(&mut &ours, &mut [0]);
        assert_eq!(read.unwrap(), 0);
    }
}
