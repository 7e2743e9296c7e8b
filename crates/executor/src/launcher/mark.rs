//! Finding an attempt's processes by a mark in their environment, for machines
//! without namespaces. A process that empties its own environment escapes the
//! mark, but not the subreaper that is its ancestor.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// Name of the environment variable.
pub const NAME: &str = "TAPPET_ATTEMPT_MARK";

/// The value for one attempt of the runner whose builds lie in `builds_dir`.
pub fn value(builds_dir: &Path, attempt: i64) -> OsString {
    let mut value = builds_dir.as_os_str().to_owned();
    value.push(format!(":{attempt}"));
    value
}

/// Kills every process that carries a mark of `builds_dir` (of one attempt, or of all) and
/// waits until none is left. Blocks; returns how many were killed.
///
/// # Errors
/// `/proc` cannot be read, or something survived SIGKILL for ten seconds.
pub fn kill_marked(builds_dir: &Path, attempt: Option<i64>) -> io::Result<usize> {
    let needle = match attempt {
        Some(attempt) => {
            let mut needle = format!("{NAME}=").into_bytes();
            needle.extend_from_slice(value(builds_dir, attempt).as_bytes());
            needle
        }
        None => {
            let mut needle = format!("{NAME}=").into_bytes();
            needle.extend_from_slice(builds_dir.as_os_str().as_bytes());
            needle.push(b':');
            needle
        }
    };
    let matches = |entry: &[u8]| {
        if attempt.is_some() {
            entry == needle
        } else {
            entry.starts_with(&needle)
        }
    };
    let mut killed = 0;
    for _ in 0..1000 {
        let mut alive = 0;
        for entry in std::fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
                continue;
            };
            if pid == std::process::id() as i32 {
                continue;
            }
            let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else {
                continue;
            };
            if environment.split(|byte| *byte == 0).any(matches) {
                alive += 1;
                // SAFETY: a plain signal to a process that carries our mark.
                unsafe { libc::kill(pid, libc::SIGKILL) };
            }
        }
        if alive == 0 {
            return Ok(killed);
        }
        killed = killed.max(alive);
        // Dying takes the kernel a moment; there is no descriptor to wait on for strangers' children.
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(io::Error::other(format!(
        "processes marked for {} survive SIGKILL; stop them by hand",
        builds_dir.display()
    )))
}
