//! Starts a program of an attempt so that none of its processes can outlive
//! the attempt or the runner.
//!
//! The runner clones itself into a small *init* (no exec, so it costs one
//! clone), which starts the program and then only waits: for the end of the
//! program, or for word from the runner over a pipe whose end of file means
//! that the runner is gone. Where the kernel lets us, init is process 1 of a
//! PID namespace of its own; elsewhere it is a child subreaper and the
//! processes carry a mark in their environment (see [`mark`]).
//!
//! Programs that shall find each other's processes, such as the steps of a
//! workflow's job, are started in a [`Home`]: its init waits for nothing but
//! the end of the job, and each program has a small init of its own beside it.

use std::ffi::{CString, OsString};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe;

mod clone;
mod init;
pub mod mark;

use init::{ChildFds, InitPlan, Namespaces, Report};

/// What to run: everything the new process gets; nothing is inherited.
#[derive(Clone, Debug)]
pub struct Program {
    /// Absolute path of the executable.
    pub path: PathBuf,
    /// Arguments after the name.
    pub args: Vec<OsString>,
    /// The whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// Working directory.
    pub dir: PathBuf,
}

/// Where the two outputs of a program go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outputs {
    /// Into one pipe, in the order in which they are written.
    Joined,
    /// Into a pipe each.
    Apart,
}

/// How processes are kept apart and found again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isolation {
    /// A PID namespace and a mount namespace with its own `/proc`.
    PidNamespace {
        /// Made through a user namespace, because the runner is not root.
        user: bool,
        /// `/proc` could be replaced.
        private_proc: bool,
    },
    /// A session, a child subreaper and a mark in the environment.
    Mark,
}

impl Isolation {
    /// The layers, as the job header names them.
    pub fn describe(self) -> &'static str {
        match self {
            Self::PidNamespace {
                user: false,
                private_proc: true,
            } => "pid and mount namespaces, own /proc",
            Self::PidNamespace {
                user: true,
                private_proc: true,
            } => "user, pid and mount namespaces, own /proc",
            Self::PidNamespace {
                user: false,
                private_proc: false,
            } => "pid and mount namespaces, shared /proc",
            Self::PidNamespace {
                user: true,
                private_proc: false,
            } => "user, pid and mount namespaces, shared /proc",
            Self::Mark => "no namespaces; processes are found by a mark in their environment",
        }
    }
}

/// Why a program did not start.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// A path, argument or variable holds a NUL byte.
    #[error("cannot start {0}: an argument or variable holds a NUL byte")]
    Nul(String),
    /// A pipe or process could not be had.
    #[error(
        "cannot start a process ({step}): {source}; the machine may be out of processes, memory or file descriptors"
    )]
    Resources {
        /// What was tried.
        step: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// The program itself could not be executed.
    #[error("cannot execute {program}: {source}")]
    Exec {
        /// Path of the program.
        program: String,
        /// What the kernel said.
        source: io::Error,
    },
}

/// What several programs share: where there are namespaces, a pair of them with an init of their
/// own. A process that a program leaves behind lives on until the home ends.
#[derive(Debug)]
pub struct Home {
    /// `None`: without namespaces; then processes are found by their mark.
    init: Option<(Running, bool)>,
}

impl Home {
    /// Ends every process in it. Marked ones are for the caller to find.
    pub async fn end(self) -> Result<(), LaunchError> {
        if let Some((mut init, _)) = self.init {
            init.kill();
            init.ended().await?;
        }
        Ok(())
    }

    /// Whether there are namespaces; else the caller looks for marks.
    pub fn is_isolated(&self) -> bool {
        self.init.is_some()
    }
}

/// Starts programs under the strongest isolation this machine allows.
#[derive(Debug)]
pub struct Launcher {
    isolation: Isolation,
    dev_null: OwnedFd,
    keep_open: Option<RawFd>,
    degraded: AtomicBool,
}

/// How a program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// It ended by itself; a signal counts as 128 plus its number, as in a shell.
    Code(i32),
    /// Its init was killed from outside, so nothing is known.
    Lost,
}

impl Launcher {
    /// Finds out what the machine allows. `keep_open` is a descriptor that each
    /// init holds until all processes of its attempt are gone: the runner's lock.
    pub fn new(force_mark: bool, keep_open: Option<RawFd>) -> io::Result<Self> {
        let dev_null = std::fs::File::options()
            .read(true)
            .write(true)
            .open("/dev/null")?
            .into();
        let mut launcher = Self {
            isolation: Isolation::Mark,
            dev_null,
            keep_open,
            degraded: AtomicBool::new(false),
        };
        if !force_mark {
            launcher.isolation = launcher.probe();
        }
        Ok(launcher)
    }

    /// What attempts run under.
    pub fn isolation(&self) -> Isolation {
        if self.degraded.load(Ordering::Relaxed) {
            Isolation::Mark
        } else {
            self.isolation
        }
    }

    fn probe(&self) -> Isolation {
        let root = rustix::process::geteuid().is_root();
        let candidates: &[bool] = if root { &[false, true] } else { &[true] };
        for &user in candidates {
            if let Ok(private_proc) = self.try_namespaces(user) {
                return Isolation::PidNamespace { user, private_proc };
            }
        }
        Isolation::Mark
    }

    /// Sets up the namespaces with no program in them.
    fn try_namespaces(&self, user: bool) -> io::Result<bool> {
        let (report_read, report_write) = pipe_pair()?;
        let (control_read, _control_write) = pipe_pair()?;
        let fds = ChildFds {
            stdin: self.dev_null.as_raw_fd(),
            output: self.dev_null.as_raw_fd(),
            errors: self.dev_null.as_raw_fd(),
            control: control_read.as_raw_fd(),
            report: report_write.as_raw_fd(),
            keep: self.keep_open.unwrap_or(-1),
        };
        let plan = InitPlan::new(Namespaces::Pid { user }, fds, None);
        let child = clone::spawn_init(&plan)?;
        drop(report_write);
        let report = read_report(report_read);
        clone::wait_blocking(&child.pidfd);
        match report {
            Some(Report::Ready { private_proc }) => Ok(private_proc),
            Some(Report::SetupFailed { errno }) => Err(io::Error::from_raw_os_error(errno)),
            _ => Err(io::Error::other("the namespace probe ended without a word")),
        }
    }

    /// Starts `program` with stdin from `/dev/null`.
    pub fn start(&self, program: &Program, outputs: Outputs) -> Result<Running, LaunchError> {
        match self.isolation() {
            Isolation::PidNamespace { user, .. } => {
                match self.start_in(Namespaces::Pid { user }, program, outputs) {
                    Err(LaunchError::Resources { source, .. })
                        if matches!(
                            source.raw_os_error(),
                            Some(libc::EPERM | libc::ENOSPC | libc::EINVAL)
                        ) =>
                    {
                        tracing::warn!(error = %source, "namespaces are no longer available; falling back to marks");
                        self.degraded.store(true, Ordering::Relaxed);
                        self.start_in(Namespaces::None, program, outputs)
                    }
                    other => other,
                }
            }
            Isolation::Mark => self.start_in(Namespaces::None, program, outputs),
        }
    }

    /// Makes a home for several programs.
    pub fn home(&self) -> Result<Home, LaunchError> {
        let Isolation::PidNamespace { user, .. } = self.isolation() else {
            return Ok(Home { init: None });
        };
        match self.home_in(user) {
            Ok(init) => Ok(Home {
                init: Some((init, user)),
            }),
            Err(source) => {
                tracing::warn!(error = %source, "namespaces are no longer available; falling back to marks");
                self.degraded.store(true, Ordering::Relaxed);
                Ok(Home { init: None })
            }
        }
    }

    fn home_in(&self, user: bool) -> io::Result<Running> {
        let (report_read, report_write) = pipe_pair()?;
        let (control_read, control_write) = pipe_pair()?;
        let fds = ChildFds {
            stdin: self.dev_null.as_raw_fd(),
            output: self.dev_null.as_raw_fd(),
            errors: self.dev_null.as_raw_fd(),
            control: control_read.as_raw_fd(),
            report: report_write.as_raw_fd(),
            keep: self.keep_open.unwrap_or(-1),
        };
        let child = clone::spawn_init(&InitPlan::of_home(Namespaces::Pid { user }, fds))?;
        drop(report_write);
        match read_report(report_read) {
            Some(Report::Ready { .. }) => {}
            Some(Report::SetupFailed { errno }) => {
                return Err(io::Error::from_raw_os_error(errno));
            }
            _ => return Err(io::Error::other("a home ended without a word")),
        }
        Ok(Running {
            output: None,
            errors: None,
            control: Some(control_write),
            report: None,
            // SAFETY: the descriptor is owned by the `AsyncFd` and closed only with it.
            pidfd: Some(unsafe {
                AsyncFd::register_with_interest(child.pidfd, Interest::READABLE)
            }?),
            program: "the init of a job".to_owned(),
            leaves_orphans: false,
        })
    }

    /// Starts `program` in a home, with stdin from `/dev/null`.
    pub fn start_inside(
        &self,
        home: &Home,
        program: &Program,
        outputs: Outputs,
    ) -> Result<Running, LaunchError> {
        let handle = home.init.as_ref().and_then(|(init, user)| {
            let handle = init.pidfd.as_ref()?.as_raw_fd();
            Some(Namespaces::Joined {
                home: handle,
                user: *user,
            })
        });
        let namespaces = handle.unwrap_or(Namespaces::Loose);
        let mut running = self.start_in(namespaces, program, outputs)?;
        running.leaves_orphans = true;
        Ok(running)
    }

    fn start_in(
        &self,
        namespaces: Namespaces,
        program: &Program,
        outputs: Outputs,
    ) -> Result<Running, LaunchError> {
        let prepared = Prepared::new(program)?;
        let resources = |step| move |source| LaunchError::Resources { step, source };
        let (output, output_write) = output_pipe().map_err(resources("output pipe"))?;
        let errors = match outputs {
            Outputs::Joined => None,
            Outputs::Apart => Some(output_pipe().map_err(resources("error pipe"))?),
        };
        let (control_read, control_write) = pipe_pair().map_err(resources("control pipe"))?;
        let (report_read, report_write) = pipe_pair().map_err(resources("report pipe"))?;
        let fds = ChildFds {
            stdin: self.dev_null.as_raw_fd(),
            output: output_write.as_raw_fd(),
            errors: errors
                .as_ref()
                .map_or(&output_write, |(_, write)| write)
                .as_raw_fd(),
            control: control_read.as_raw_fd(),
            report: report_write.as_raw_fd(),
            keep: self.keep_open.unwrap_or(-1),
        };
        let plan = InitPlan::new(namespaces, fds, Some(&prepared));
        let child = clone::spawn_init(&plan).map_err(resources("clone"))?;
        Ok(Running {
            output: Some(output),
            errors: errors.map(|(read, _)| read),
            control: Some(control_write),
            report: Some(report_read),
            pidfd: Some(
                // SAFETY: the descriptor is owned by the `AsyncFd` and closed only with it.
                unsafe { AsyncFd::register_with_interest(child.pidfd, Interest::READABLE) }
                    .map_err(|error| resources("process handle")(error.into()))?,
            ),
            program: program.path.display().to_string(),
            leaves_orphans: false,
        })
    }
}

/// The C strings of a program, made before the clone because init may not allocate.
pub(crate) struct Prepared {
    path: CString,
    dir: CString,
    _strings: Vec<CString>,
    argv: Vec<*const libc::c_char>,
    envp: Vec<*const libc::c_char>,
}

impl Prepared {
    fn new(program: &Program) -> Result<Self, LaunchError> {
        let nul = |_| LaunchError::Nul(program.path.display().to_string());
        let path = CString::new(program.path.as_os_str().as_bytes()).map_err(nul)?;
        let dir = CString::new(program.dir.as_os_str().as_bytes()).map_err(nul)?;
        let mut strings = Vec::with_capacity(1 + program.args.len() + program.env.len());
        // With the whole path bash need not search for itself.
        strings.push(path.clone());
        for arg in &program.args {
            strings.push(CString::new(arg.as_bytes()).map_err(nul)?);
        }
        let env_start = strings.len();
        for (key, value) in &program.env {
            let mut pair = Vec::with_capacity(key.len() + value.len() + 2);
            pair.extend_from_slice(key.as_bytes());
            pair.push(b'=');
            pair.extend_from_slice(value.as_bytes());
            strings.push(CString::new(pair).map_err(nul)?);
        }
        let pointers = |slice: &[CString]| {
            slice
                .iter()
                .map(|text| text.as_ptr())
                .chain([std::ptr::null()])
                .collect::<Vec<_>>()
        };
        let argv = pointers(&strings[..env_start]);
        let envp = pointers(&strings[env_start..]);
        Ok(Self {
            path,
            dir,
            _strings: strings,
            argv,
            envp,
        })
    }
}

/// A started program with its init. Dropping it kills every process of it.
#[derive(Debug)]
pub struct Running {
    output: Option<pipe::Receiver>,
    errors: Option<pipe::Receiver>,
    control: Option<OwnedFd>,
    report: Option<OwnedFd>,
    pidfd: Option<AsyncFd<OwnedFd>>,
    program: String,
    leaves_orphans: bool,
}

impl Running {
    /// The read end of stdout, and of stderr unless that is apart. Can be taken once.
    pub fn take_output(&mut self) -> Option<pipe::Receiver> {
        self.output.take()
    }

    /// The read end of stderr when it is apart. Can be taken once.
    pub fn take_errors(&mut self) -> Option<pipe::Receiver> {
        self.errors.take()
    }

    /// Processes that it started may live on, and still write.
    pub fn leaves_orphans(&self) -> bool {
        self.leaves_orphans
    }

    /// SIGINT to every process.
    pub fn interrupt(&self) {
        self.tell(init::INTERRUPT);
    }

    /// SIGTERM to every process.
    pub fn terminate(&self) {
        self.tell(init::TERMINATE);
    }

    /// SIGKILL to every process.
    pub fn kill(&self) {
        self.tell(init::KILL);
    }

    fn tell(&self, word: u8) {
        if let Some(control) = &self.control {
            // Fails only when init is already gone, which is what was wanted.
            let _ = rustix::io::write(control, &[word]);
        }
    }

    /// Waits until the program and every process that came from it are gone.
    pub async fn ended(&mut self) -> Result<Exit, LaunchError> {
        if let Some(pidfd) = &self.pidfd {
            let waited = loop {
                match pidfd.readable().await {
                    Ok(mut guard) => {
                        if clone::reap(guard.get_inner()) {
                            break Ok(());
                        }
                        guard.clear_ready();
                    }
                    Err(source) => {
                        break Err(LaunchError::Resources {
                            step: "process handle",
                            source,
                        });
                    }
                }
            };
            self.pidfd = None;
            waited?;
        }
        match self.report.take().and_then(read_report) {
            Some(Report::Ended { status }) => Ok(Exit::Code(shell_code(status))),
            Some(Report::ExecFailed { errno }) => Err(LaunchError::Exec {
                program: self.program.clone(),
                source: io::Error::from_raw_os_error(errno),
            }),
            Some(Report::SetupFailed { errno }) => Err(LaunchError::Resources {
                step: "isolation",
                source: io::Error::from_raw_os_error(errno),
            }),
            Some(Report::Ready { .. }) | None => Ok(Exit::Lost),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.control = None;
        if let Some(pidfd) = self.pidfd.take() {
            // Reaping may take a moment and Drop may run on a busy runtime.
            std::thread::spawn(move || clone::wait_blocking(pidfd.get_ref()));
        }
    }
}

fn shell_code(status: i32) -> i32 {
    if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        128 + libc::WTERMSIG(status)
    }
}

fn pipe_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

/// The runner's end of an output, which never blocks, and the program's.
fn output_pipe() -> io::Result<(pipe::Receiver, OwnedFd)> {
    let (read, write) = pipe_pair()?;
    // A larger pipe lets a chatty job run ahead; a refusal only costs speed.
    let _ = rustix::pipe::fcntl_setpipe_size(&read, 256 * 1024);
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((pipe::Receiver::from_owned_fd(read)?, write))
}

/// Reads the single message of an init; its end of the pipe closes with it.
fn read_report(fd: OwnedFd) -> Option<Report> {
    let mut bytes = [0; init::REPORT_BYTES];
    // SAFETY: the descriptor is owned and moves into the file.
    let mut file = unsafe { std::fs::File::from_raw_fd(std::os::fd::IntoRawFd::into_raw_fd(fd)) };
    file.read_exact(&mut bytes).ok()?;
    Report::decode(bytes)
}

#[cfg(test)]
mod tests;
