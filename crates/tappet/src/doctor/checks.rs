//! What is looked at on this machine. Each check is a function that changes
//! nothing that lasts.

use std::io;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::Access;
use tappet_runner::Isolation;
use tappet_server::{Config, data_dir};

use super::Finding;

/// Below this, jobs soon fail for want of space.
const LITTLE_SPACE_BYTES: u64 = 1024 * 1024 * 1024;

/// A clock before this is not set (2026-01-01).
const EARLIEST: i64 = 1_767_225_600;

/// A git that is new enough.
pub fn git() -> Finding {
    let found = tempfile::tempdir().map(|home| {
        let git = tappet_git::Git::locate(home.path())?;
        git.check_version()?;
        Ok::<_, tappet_git::GitError>(git.executable().display().to_string())
    });
    match found {
        Ok(Ok(path)) => Finding::good("git", path),
        Ok(Err(error)) => Finding::bad("git", error.to_string()),
        Err(error) => Finding::bad("git", format!("cannot make a temporary directory: {error}")),
    }
}

/// The shell of scripts.
pub fn shell() -> Finding {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("bash"))
        .find(|file| rustix::fs::access(file, Access::EXEC_OK).is_ok());
    match found {
        Some(file) => Finding::good("bash", file.display().to_string()),
        None => Finding::bad(
            "bash",
            "not found in PATH: scripts of jobs run in bash; install it",
        ),
    }
}

/// A private directory that can be written.
pub fn data_directory(dir: &Path) -> Finding {
    const CHECK: &str = "data";
    let shown = dir.display();
    let meta = match dir.metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match existing_parent(dir) {
                Some(parent) if is_writable(parent) => {
                    Finding::good(CHECK, format!("{shown} (`tappet serve` will make it)"))
                }
                _ => Finding::bad(
                    CHECK,
                    format!("{shown} cannot be made: choose another directory with --data"),
                ),
            };
        }
        Err(error) => return Finding::bad(CHECK, format!("cannot look at {shown}: {error}")),
    };
    if !meta.is_dir() {
        return Finding::bad(
            CHECK,
            format!("{shown} is no directory: choose another with --data"),
        );
    }
    if !is_writable(dir) {
        return Finding::bad(
            CHECK,
            format!("{shown} cannot be written by you: use the account that runs the server"),
        );
    }
    if meta.permissions().mode() & 0o077 != 0 {
        return Finding::warning(
            CHECK,
            format!("{shown} can be opened by others: `chmod 700` it (`tappet serve` does so)"),
        );
    }
    Finding::good(CHECK, shown.to_string())
}

fn is_writable(dir: &Path) -> bool {
    rustix::fs::access(dir, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

fn existing_parent(dir: &Path) -> Option<&Path> {
    dir.ancestors().skip(1).find(|parent| parent.exists())
}

/// Space for logs, artifacts and workspaces.
pub fn disk(dir: &Path) -> Finding {
    const CHECK: &str = "disk";
    let place = if dir.exists() {
        Some(dir)
    } else {
        existing_parent(dir)
    };
    match place.map(rustix::fs::statvfs) {
        Some(Ok(disk)) => space(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Some(Err(error)) => Finding::warning(CHECK, format!("cannot ask for free space: {error}")),
        None => Finding::warning(CHECK, "the data directory is on no known disk"),
    }
}

fn space(free_bytes: u64) -> Finding {
    let free = format!("{} MB free", free_bytes / (1024 * 1024));
    if free_bytes < LITTLE_SPACE_BYTES {
        return Finding::warning(
            "disk",
            format!("{free}: that is little for logs, artifacts and workspaces of jobs"),
        );
    }
    Finding::good("disk", free)
}

/// What keeps jobs apart.
pub fn isolation() -> Finding {
    const CHECK: &str = "isolation";
    match tappet_runner::isolation() {
        Ok(Isolation::Mark) => Finding::warning(
            CHECK,
            format!(
                "{}\nA job that hides its processes can leave them behind. \
                 Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, \
                 user.max_user_namespaces) to prevent that.",
                Isolation::Mark.describe()
            ),
        ),
        Ok(isolation) => Finding::good(CHECK, isolation.describe()),
        Err(error) => Finding::bad(CHECK, format!("cannot find out: {error}")),
    }
}

/// A clock that is set.
pub fn clock() -> Finding {
    let now = jiff::Timestamp::now();
    let shown = now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    if now.as_second() < EARLIEST {
        return Finding::bad(
            "clock",
            format!("{shown} cannot be: set the clock, or tokens and schedules go wrong"),
        );
    }
    Finding::good("clock", shown)
}

/// Schedules name their own zones; they need the machine's list of them.
pub fn time_zone() -> Finding {
    const CHECK: &str = "time zone";
    let own = jiff::tz::TimeZone::system();
    let own = own.iana_name().unwrap_or("unknown").to_owned();
    Finding::good(
        CHECK,
        format!("{own}; schedules without a zone of their own use UTC"),
    )
}

/// A free port, unless the server itself has it.
pub fn port(config: &Config) -> Finding {
    const CHECK: &str = "port";
    if let Some(owner) = data_dir::owner(&config.data_dir) {
        return Finding::good(
            CHECK,
            format!("a server runs: pid {}, {}", owner.pid, owner.url),
        );
    }
    match TcpListener::bind(config.listen) {
        Ok(_) => Finding::good(CHECK, format!("{} is free", config.listen)),
        Err(error) => Finding::bad(
            CHECK,
            format!(
                "cannot listen on {}: {error}; choose another address with --listen",
                config.listen
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_data_directory_must_be_private_and_writable() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        assert_eq!(data_directory(&data).verdict, Verdict::Good);
        std::fs::create_dir(&data).unwrap();
        std::fs::set_permissions(&data, PermissionsExt::from_mode(0o755)).unwrap();
        assert_eq!(data_directory(&data).verdict, Verdict::Warning);
        std::fs::set_permissions(&data, PermissionsExt::from_mode(0o700)).unwrap();
        assert_eq!(data_directory(&data).verdict, Verdict::Good);
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(data_directory(&file).verdict, Verdict::Bad);
    }

    #[test]
    fn little_space_is_worth_a_note() {
        assert_eq!(space(LITTLE_SPACE_BYTES - 1).verdict, Verdict::Warning);
        assert_eq!(space(LITTLE_SPACE_BYTES).verdict, Verdict::Good);
    }

    #[test]
    fn a_port_that_somebody_has_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let config = Config::new(taken.local_addr().unwrap(), dir.path().into());
        let finding = port(&config);
        assert_eq!(finding.verdict, Verdict::Bad);
        assert!(finding.text.contains("--listen"), "{}", finding.text);
    }
}
