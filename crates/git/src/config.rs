//! Finding git, and the environment and configuration that every git command gets.
//!
//! The environment is built from nothing. Settings travel twice: through
//! `GIT_CONFIG_COUNT`, which beats whatever a repository's own configuration
//! says, and in our own global file, because git clears the former for the
//! `upload-pack` that it starts on a local path.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::command;

/// The oldest git with `cat-file --batch-command`.
const OLDEST: (u32, u32) = (2, 36);

/// Settings of every command.
const SETTINGS: &[(&str, &str)] = &[
    ("safe.directory", "*"),
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.pager", "cat"),
    ("core.editor", "false"),
    ("core.warnAmbiguousRefs", "false"),
    ("core.filesRefLockTimeout", "5000"),
    ("core.packedRefsTimeout", "5000"),
    ("credential.helper", ""),
    ("transfer.fsckObjects", "true"),
    // Harmless old mistakes that well-known repositories hold.
    ("fetch.fsck.badTimezone", "ignore"),
    ("fetch.fsck.missingSpaceBeforeDate", "ignore"),
    ("fetch.fsck.zeroPaddedFilemode", "ignore"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "30"),
    ("log.showSignature", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("init.defaultBranch", "main"),
    ("advice.detachedHead", "false"),
    ("advice.objectNameWarning", "false"),
    ("user.useConfigOnly", "true"),
];

/// Settings of commands that only read: small caches, since their process stays.
const READING: &[(&str, &str)] = &[
    ("core.packedGitWindowSize", "1m"),
    ("core.packedGitLimit", "32m"),
    ("core.deltaBaseCacheLimit", "4m"),
    ("core.bigFileThreshold", "16m"),
];

/// Variables of our own environment that git may see.
const INHERITED: &[&str] = &[
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
];

/// The transports that may be used when nothing else is said: never `ext` or `fd`.
const PROTOCOLS: &[&str] = &["file", "git", "http", "https", "ssh"];

/// The system git, found once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Git {
    executable: Arc<Path>,
    environment: Arc<[(OsString, OsString)]>,
    protocols: Arc<str>,
}

/// Git cannot be used here.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No directory of `PATH` has it.
    #[error("git is not on the PATH: install git {}.{} or newer", OLDEST.0, OLDEST.1)]
    Missing,
    /// Too old.
    #[error(
        "{} is {found}, but git {}.{} or newer is needed: upgrade it",
        executable.display(), OLDEST.0, OLDEST.1
    )]
    TooOld {
        /// What was found.
        executable: PathBuf,
        /// Its version.
        found: String,
    },
    /// It does not run.
    #[error("`{} --version` failed: {detail}", executable.display())]
    Broken {
        /// What was found.
        executable: PathBuf,
        /// Why.
        detail: String,
    },
    /// The private home cannot be made.
    #[error("cannot prepare {} as git's home: {source}", home.display())]
    Home {
        /// The folder.
        home: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Git {
    /// Finds git on the `PATH` and prepares `home`, a private folder (made with
    /// mode 0700) that serves as `HOME` and holds our `gitconfig`. Several
    /// processes may share one home.
    pub fn find(home: &Path) -> Result<Git, GitError> {
        let git = Self::locate(home)?;
        git.check_version()?;
        Ok(git)
    }

    /// [`Git::find`] without starting it: whether it is new enough is left to
    /// [`Git::check_version`].
    pub fn locate(home: &Path) -> Result<Git, GitError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let executable = on_path(&path).ok_or(GitError::Missing)?;
        let home = prepare_home(home).map_err(|source| GitError::Home {
            home: home.to_owned(),
            source,
        })?;
        Ok(Git {
            environment: environment(&path, &home).into(),
            executable: executable.into(),
            protocols: PROTOCOLS.join(":").into(),
        })
    }

    /// The absolute path of the executable.
    pub fn executable(&self) -> &Path {
        &self.executable
    }

    /// The same git, allowed to use only these transports (`https`, `ssh`, `file` …);
    /// none at all for an empty list.
    pub fn with_protocols(&self, protocols: &[&str]) -> Git {
        Git {
            protocols: protocols.join(":").into(),
            ..self.clone()
        }
    }

    /// A git command with our environment and settings, `/` as working directory,
    /// no input, its own process group, killed when dropped.
    pub fn command(&self) -> tokio::process::Command {
        self.command_with_config(&[])
    }

    /// [`Git::command`] with more settings, which reach git through its
    /// environment and so stay out of process lists.
    pub fn command_with_config(&self, extra: &[(&str, &str)]) -> tokio::process::Command {
        let mut command = tokio::process::Command::from(self.std_command_with_config(extra));
        command.kill_on_drop(true);
        command
    }

    /// [`Git::command`] for callers that do not use tokio.
    pub fn std_command(&self) -> std::process::Command {
        self.std_command_with_config(&[])
    }

    /// A command that only reads the repository at `git_dir`, without any transport.
    pub(crate) fn reading(&self, git_dir: &Path) -> tokio::process::Command {
        let mut command = self.with_protocols(&[]).command_with_config(READING);
        command.env("GIT_DIR", git_dir);
        command
    }

    fn std_command_with_config(&self, extra: &[(&str, &str)]) -> std::process::Command {
        let mut command = std::process::Command::new(&*self.executable);
        command
            .env_clear()
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .env("GIT_ALLOW_PROTOCOL", &*self.protocols)
            .env(
                "GIT_CONFIG_COUNT",
                (SETTINGS.len() + extra.len()).to_string(),
            )
            .current_dir("/")
            .stdin(std::process::Stdio::null());
        for (index, (key, value)) in SETTINGS.iter().chain(extra).enumerate() {
            command
                .env(format!("GIT_CONFIG_KEY_{index}"), key)
                .env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
    }

    /// Starts git and looks whether it is new enough.
    ///
    /// # Errors
    /// [`GitError::TooOld`] or [`GitError::Broken`].
    pub fn check_version(&self) -> Result<(), GitError> {
        let broken = |detail| GitError::Broken {
            executable: self.executable.to_path_buf(),
            detail,
        };
        let output = self
            .std_command()
            .arg("--version")
            .output()
            .map_err(|error| broken(error.to_string()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            return Err(broken(command::complaint(&output.stderr)));
        }
        match version(&text) {
            Some(found) if found >= OLDEST => Ok(()),
            Some((major, minor)) => Err(GitError::TooOld {
                executable: self.executable.to_path_buf(),
                found: format!("{major}.{minor}"),
            }),
            None => Err(broken(format!("it printed {:?}", text.trim()))),
        }
    }
}

fn on_path(path: &std::ffi::OsStr) -> Option<PathBuf> {
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("git"))
        .find(|candidate| {
            fs::metadata(candidate)
                .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
        })
}

fn version(text: &str) -> Option<(u32, u32)> {
    let number = text.strip_prefix("git version ")?;
    let mut parts = number.trim().split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn environment(path: &std::ffi::OsStr, home: &Path) -> Vec<(OsString, OsString)> {
    let absolute = std::env::split_paths(path).filter(|folder| folder.is_absolute());
    let path = std::env::join_paths(absolute).unwrap_or_default();
    let mut variables: Vec<(OsString, OsString)> = vec![
        ("PATH".into(), path),
        ("HOME".into(), home.into()),
        ("GIT_CONFIG_GLOBAL".into(), home.join("gitconfig").into()),
    ];
    variables.extend(
        [
            ("LANG", "C.UTF-8"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ASKPASS", ""),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_GRAFT_FILE", "/dev/null"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_ADVICE", "0"),
            ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes"),
            ("GIT_SSH_VARIANT", "ssh"),
        ]
        .map(|(key, value)| (key.into(), value.into())),
    );
    variables.extend(
        INHERITED
            .iter()
            .filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?))),
    );
    variables
}

fn prepare_home(home: &Path) -> io::Result<PathBuf> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(home)?;
    let home = home.canonicalize()?;
    let file = home.join("gitconfig");
    let text = as_file(SETTINGS);
    if fs::read(&file).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(home);
    }
    let fresh = home.join(format!("gitconfig.{}", std::process::id()));
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?
        .write_all(text.as_bytes())?;
    fs::rename(&fresh, &file)?;
    Ok(home)
}

fn as_file(settings: &[(&str, &str)]) -> String {
    settings
        .iter()
        .map(|(name, value)| match name.rsplit_once('.') {
            Some((section, key)) => match section.split_once('.') {
                Some((section, sub)) => format!("[{section} \"{sub}\"]\n\t{key} = \"{value}\"\n"),
                None => format!("[{section}]\n\t{key} = \"{value}\"\n"),
            },
            None => String::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_of_several_vendors() {
        assert_eq!(version("git version 2.47.3\n"), Some((2, 47)));
        assert_eq!(version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("git version 2.50.0.windows.1"), Some((2, 50)));
        assert_eq!(version("hg 6.1"), None);
    }

    #[test]
    fn the_file_and_the_environment_say_the_same() {
        let home = tempfile::tempdir().unwrap();
        let git = Git::find(home.path()).unwrap();
        for (key, value) in SETTINGS {
            let output = git
                .std_command()
                .env_remove("GIT_CONFIG_COUNT")
                .args(["config", "--global", "--get", key])
                .output()
                .unwrap();
            assert_eq!(
                String::from_utf8(output.stdout).unwrap().trim_end(),
                *value,
                "{key}"
            );
        }
    }

    #[test]
    fn nothing_of_our_environment_leaks() {
        let home = tempfile::tempdir().unwrap();
        let command = Git::find(home.path()).unwrap().std_command();
        let allowed = |name: &str| {
            name.starts_with("GIT_")
                || ["PATH", "HOME", "LANG"].contains(&name)
                || INHERITED.contains(&name)
        };
        for (name, _) in command.get_envs() {
            assert!(allowed(name.to_str().unwrap()), "{name:?}");
        }
    }

    #[test]
    fn relative_folders_of_the_path_are_ignored() {
        assert_eq!(on_path(std::ffi::OsStr::new(".:bin:")), None);
    }
}
